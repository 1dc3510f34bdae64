"""A JSON value that fits a JSON schema, the same one for the same seed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from llm_router_middleware.sandbox.text import digest

__all__ = ["fit"]

_FORMATS = {
    "date-time": "2026-11-24T12:00:00Z",
    "date": "2026-11-24",
    "time": "12:00:00Z",
    "duration": "P1DT2H",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "binary": "c2FuZGJveA==",
    "base64": "c2FuZGJveA==",
    "byte": "c2FuZGJveA==",
}
_SAMPLES = (
    "sandbox", "a", "A", "ab", "AB", "abc", "ABC", "0", "1", "12", "123", "1234", "12345", "123456", "1.5", "a1", "A1",
    "AB-123", "ABC-1234", "a-b", "a_b", "+15550100", "555-0100", "#a1b2c3", "v1.2.3", "1.2.3", "10:30", "en-GB", "",
    *_FORMATS.values(),
)  # fmt: skip
_ROOMY = 3
"""Down to this depth optional properties and items are filled in; unions avoid null for one level more."""


def fit(schema: Any, seed: int, hint: str = "") -> Any:
    """Makes a value that a schema accepts.

    Args:
        schema: the JSON schema; what it does not say is free.
        seed: picks among enumerations and words.
        hint: a text whose words serve as strings.

    Returns:
        A value that fits: required properties and, while not deep, the optional ones.

    Raises:
        ValueError: it is not a JSON schema.
    """
    try:
        return _Fitter(schema if isinstance(schema, Mapping) else {}, seed, hint).value(schema, 0)
    except (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ZeroDivisionError) as error:
        raise ValueError(f"not a JSON schema: {error}") from None


class _Fitter:
    def __init__(self, root: Mapping[str, Any], seed: int, hint: str) -> None:
        self.root = root
        self.seed = seed
        self.words = re.findall(r"[^\W\d_]{3,20}", hint) or ["sandbox"]
        self.picks = 0

    def pick(self, options: Any) -> Any:
        self.picks += 1
        return options[digest(self.seed, self.picks) % len(options)]

    def value(self, schema: Any, depth: int) -> Any:
        if not isinstance(schema, Mapping):
            return "sandbox"
        schema = self.resolve(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self.pick(schema["enum"])
        for word in ("anyOf", "oneOf"):
            if schema.get(word):
                return self.value(self.branch(schema, word, depth), depth)
        return getattr(self, f"_{self.type_of(schema, depth)}")(schema, depth)

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follows `$ref` and merges `allOf`."""
        merged: dict[str, Any] = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
        parts = list(schema.get("allOf") or ())
        if "$ref" in schema:
            parts.insert(0, self.lookup(schema["$ref"]))
        for part in parts:
            for key, value in self.resolve(part).items() if isinstance(part, Mapping) else ():
                merged[key] = _merge(key, merged[key], value) if key in merged else value
        return merged

    def lookup(self, reference: Any) -> Any:
        target: Any = self.root
        for step in str(reference).lstrip("#").strip("/").split("/"):
            if step and isinstance(target, Mapping):
                target = target.get(step.replace("~1", "/").replace("~0", "~"), {})
        return {} if isinstance(target, Mapping) and target.get("$ref") == reference else target

    def branch(self, schema: Mapping[str, Any], word: str, depth: int) -> Mapping[str, Any]:
        """One of the alternatives, with what stands beside it; null and the shallow ones when deep."""
        options = [self.resolve(option) for option in schema[word] if isinstance(option, Mapping)] or [{}]
        full = [option for option in options if option.get("type") != "null"]
        if any(option.get("type") == "number" for option in full):
            # A number that may come as a text is meant as a number: not every text is one.
            full = [option for option in full if option.get("type") != "string"]
        if depth <= _ROOMY and full:
            chosen = self.pick(full)
        else:
            chosen = min(options, key=lambda option: ("properties" in option or "items" in option, option != {}))
        beside = {key: value for key, value in schema.items() if key != word}
        return self.resolve({"allOf": [beside, chosen]})

    def type_of(self, schema: Mapping[str, Any], depth: int) -> str:
        named = schema.get("type")
        if isinstance(named, list):
            full = [name for name in named if name != "null"]
            named = (full or ["null"])[0] if depth <= _ROOMY or "null" not in named else "null"
        if isinstance(named, str) and named in ("object", "array", "string", "integer", "number", "boolean", "null"):
            return named
        if "properties" in schema:
            return "object"
        return "array" if "items" in schema or "prefixItems" in schema else "string"

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        required = schema.get("required") or []
        names = [name for name in properties if name in required or depth < _ROOMY]
        names += [name for name in required if name not in properties]
        made = {name: self.value(properties.get(name, {}), depth + 1) for name in names}
        extra = schema.get("additionalProperties")
        for i in range(len(made), int(schema.get("minProperties") or 0)):
            made[f"key{i}"] = self.value(extra, depth + 1)
        return made

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        fixed = schema.get("prefixItems") or []
        wanted = int(schema.get("minItems") or (0 if depth >= _ROOMY else 1))
        wanted = min(max(wanted, len(fixed)), int(schema.get("maxItems", max(wanted, len(fixed)))))
        parts = [*fixed, *[schema.get("items", {})] * max(0, wanted - len(fixed))][:wanted]
        made = [self.value(part, depth + 1) for part in parts]
        return [_distinct(item, i) for i, item in enumerate(made)] if schema.get("uniqueItems") else made

    def _string(self, schema: Mapping[str, Any], _depth: int) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        if "pattern" in schema:
            return _matching(str(schema["pattern"]), schema)
        word: str = self.pick(self.words)
        return _sized(word, schema)

    def _integer(self, schema: Mapping[str, Any], _depth: int) -> int:
        low, high = _least(schema), _most(schema)
        step = int(schema.get("multipleOf") or 1) or 1
        start = low if low is not None else 1 if high is None else min(1, high)
        up = -(-start // step) * step
        return up if high is None or up <= high else high // step * step

    def _number(self, schema: Mapping[str, Any], depth: int) -> float:
        low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
        high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
        step = schema.get("multipleOf")
        if step:
            return float((math.floor(low / step) + 1) * step) if math.isfinite(low) else float(step)
        least, most = _least(schema), _most(schema)
        between = least is not None and most is not None and least > most
        return (low + high) / 2 if between else self._integer(schema, depth)

    def _boolean(self, _schema: Mapping[str, Any], _depth: int) -> bool:
        return bool(self.pick((True, False)))

    def _null(self, _schema: Mapping[str, Any], _depth: int) -> None:
        return None


def _merge(key: str, left: Any, right: Any) -> Any:
    if key == "properties":
        return {**right, **left}
    return [*left, *(item for item in right if item not in left)] if key == "required" else left


def _least(schema: Mapping[str, Any]) -> int | None:
    """The least whole number that the bounds allow."""
    bounds = [math.ceil(schema["minimum"])] if "minimum" in schema else []
    bounds += [math.floor(schema["exclusiveMinimum"]) + 1] if "exclusiveMinimum" in schema else []
    return max(bounds, default=None)


def _most(schema: Mapping[str, Any]) -> int | None:
    """The greatest whole number that the bounds allow."""
    bounds = [math.floor(schema["maximum"])] if "maximum" in schema else []
    bounds += [math.ceil(schema["exclusiveMaximum"]) - 1] if "exclusiveMaximum" in schema else []
    return min(bounds, default=None)


def _matching(pattern: str, schema: Mapping[str, Any]) -> str:
    """The first sample that a pattern accepts. A pattern that none fits gets the plain word: patterns are guessed."""
    for sample in _SAMPLES:
        sized = _sized(sample, schema)
        try:
            if re.search(pattern, sized):
                return sized
        except re.error:
            break
    return "sandbox"


def _sized(word: str, schema: Mapping[str, Any]) -> str:
    least, most = int(schema.get("minLength") or 0), schema.get("maxLength")
    word = (word * (least // max(len(word), 1) + 1))[:least] if len(word) < least else word
    return word if most is None else word[: int(most)]


def _distinct(item: Any, index: int) -> Any:
    if isinstance(item, bool) or not isinstance(item, (int, float, str)):
        return item
    return f"{item}{index}" if isinstance(item, str) else item + index
