"""OpenAI embeddings."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping
from typing import Any

from llm_router_middleware.sandbox.answer import Answer
from llm_router_middleware.sandbox.ask import Ask
from llm_router_middleware.sandbox.text import count_in, digest
from llm_router_middleware.sandbox.wires.base import Wire
from llm_router_middleware.sandbox.wires.reading import positive, require
from llm_router_middleware.sandbox.wires.strictness import OPENAI_EMBEDDINGS, refuse_unknown

__all__ = ["EmbeddingsWire"]

_DIMENSIONS = 1536


class EmbeddingsWire(Wire):
    """`POST /v1/embeddings`. The same text has the same unit vector, whatever else is asked."""

    def read(self, body: Mapping[str, Any]) -> Ask:
        """See `Wire.read`."""
        require(bool(body.get("model")) and isinstance(body["model"], str), "you must provide a model parameter")
        require(bool(body.get("input")), "'$.input' is invalid. Please check the API reference.", param="input")
        return Ask(model=body["model"], body=body, prompt="", input_tokens=max(1, count_in(body["input"])))

    def strictly(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:  # noqa: ARG002 - see Wire
        """See `Wire.strictly`."""
        refuse_unknown(body, OPENAI_EMBEDDINGS)

    def whole(self, answer: Answer) -> dict[str, Any]:
        """See `Wire.whole`."""
        ask = answer.ask
        given = ask.body["input"]
        inputs = given if isinstance(given, list) and type(given[0]) is not int else [given]
        size = min(positive(ask.body.get("dimensions")) or _DIMENSIONS, _DIMENSIONS)
        packed = ask.body.get("encoding_format") == "base64"
        vectors = (_vector(ask.model, item, size) for item in inputs)
        return {
            "object": "list",
            "data": [
                {"object": "embedding", "index": i, "embedding": _pack(vector) if packed else vector}
                for i, vector in enumerate(vectors)
            ],
            "model": ask.model,
            "usage": {"prompt_tokens": answer.usage.input, "total_tokens": answer.usage.input},
        }


def _vector(model: str, item: object, size: int) -> list[float]:
    seed = digest(model, item)
    raw = [digest(seed, block) >> shift & 0xFF for block in range(math.ceil(size / 16)) for shift in range(0, 128, 8)]
    centred = [value - 127.5 for value in raw[:size]]
    length = math.hypot(*centred)
    return [value / length for value in centred]


def _pack(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
