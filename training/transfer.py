"""How the gate does on prompts from a source that it wasn't trained on: what its settings are chosen by.

Hand-written prompts (authored.toml) are held out, with everything made from them; sentences drawn from frames stay.
No evaluation prompt is involved.

    python training/transfer.py --outcomes training_prompts.parquet
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import corpus
import model
import numpy as np
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outcomes", type=Path, required=True, help="measured outcomes (parquet)")
    examples = corpus.load(parser.parse_args().outcomes, HERE)
    held = [example for example in examples if example.source in {f"authored_{kind}" for kind in corpus.KINDS}]
    framed = [example for example in examples if example.source.endswith("_frames")]
    kept = [example for example in examples if not example.source.startswith("authored")]
    kept += [*framed, *corpus.longer(framed, HERE / "frames.toml")]
    means = model.kind_means(examples)
    with threadpool_limits(1):
        for strength, temperature in itertools.product((1.0, 3.0, 10.0), (1.0, 1.5, 2.0)):
            model.GATE_C, model.TEMPERATURE = strength, temperature
            print(f"C {strength:g}, temperature {temperature:g}: {_report(model.fit(kept, means), held)}")


def _report(fitted: model.Fit, held: list[corpus.Example]) -> str:
    raw, kinds = model.predict(fitted, [example.prompt for example in held])
    labels = np.array([corpus.KINDS.index(example.kind) for example in held])
    gaps = np.array([example.gap for example in held])
    likelihood = -np.log(kinds[np.arange(len(held)), labels] + 1e-9).mean()
    right = (kinds.argmax(axis=1) == labels).mean()
    return f"kind right {right:.3f}, log loss {likelihood:.3f}, rank correlation with gap {spearmanr(raw, gaps)[0]:.3f}"


if __name__ == "__main__":
    main()
