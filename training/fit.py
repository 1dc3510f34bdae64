"""Fits the learned scorer and writes its weights, their manifest and their hashes. A second run writes the same bytes.

    python -m pip install --group training
    python training/fit.py --outcomes training_prompts.parquet --keep-out routellm_outcomes.parquet

--keep-out names evaluation prompts: nothing that shares a run of ten words with one of them is trained on.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import pyarrow.parquet
from corpus import Example, load
from export import document, encoded
from model import fit
from threadpoolctl import threadpool_limits

from llm_router_middleware.evaluation.manifest import Manifest, shingles

HERE = Path(__file__).resolve().parent
SCORING = HERE.parent / "llm_router_middleware" / "scoring"
HASHES = '''"""Written by training/fit.py: the hashes of the fitted data that belong to this version of the code."""

WEIGHTS_SHA256 = "{weights}"
MANIFEST_SHA256 = "{manifest}"
'''


def main() -> None:
    arguments = _arguments()
    examples = decontaminated(load(arguments.outcomes, HERE), arguments.keep_out)
    with threadpool_limits(1):
        content = document(examples, fit(examples))
    weights, weights_hash = encoded(content)
    manifest = Manifest.of(example.prompt for example in examples if not is_drawn(example)).encoded()
    data = arguments.to / "data"
    data.mkdir(parents=True, exist_ok=True)
    (data / "learned.json.z").write_bytes(weights)
    (data / "manifest.bin").write_bytes(manifest)
    (arguments.to / "fitted.py").write_text(HASHES.format(weights=weights_hash, manifest=_sha256(manifest)))
    print(f"{len(examples)} prompts; weights {len(weights)} bytes, {weights_hash}; manifest {len(manifest)} bytes")


def decontaminated(examples: list[Example], keep_out: list[Path]) -> list[Example]:
    """The examples that share no run of ten words with a prompt to be kept out."""
    forbidden = {
        value
        for path in keep_out
        for prompt in pyarrow.parquet.read_table(path, columns=["prompt"])["prompt"].to_pylist()
        for value in shingles(prompt)
    }
    clean = [example for example in examples if forbidden.isdisjoint(shingles(example.prompt))]
    print(f"{len(examples) - len(clean)} of {len(examples)} prompts meet an evaluation prompt and are left out")
    return clean


def is_drawn(example: Example) -> bool:
    """Drawn from our own frames, or put together from other examples: nothing of its own to be found elsewhere."""
    return example.source.endswith(("_frames", "_longer", "_paste"))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outcomes", type=Path, required=True, help="measured outcomes (parquet)")
    parser.add_argument("--keep-out", type=Path, action="append", default=[], help="evaluation prompts (parquet)")
    parser.add_argument("--to", type=Path, default=SCORING, help="where to write; the package's own folder")
    return parser.parse_args()


if __name__ == "__main__":
    main()
