"""Values that fit a schema: judged by pydantic, on models of every kind."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, TypeAdapter

from llm_router_middleware.sandbox.fit import fit
from tests.sandbox.mutants import survivors


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=1, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    good: bool


class Tree(BaseModel):
    name: str
    left: Tree | None = None
    children: list[Tree] = []


class Chain(BaseModel):
    value: int
    next: Chain | None


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    tags: Annotated[list[str], Field(min_length=2, max_length=4)]


class Wide(BaseModel):
    when: datetime
    day: date
    hour: time
    wait: timedelta
    id: UUID
    address: IPv4Address
    site: AnyUrl
    price: Decimal
    colour: Colour
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    pair: tuple[int, str]
    table: dict[str, int]
    either: int | str | None
    anything: Any
    nested: list[list[Closed]]
    unique: set[int]
    code: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    short: Annotated[str, Field(min_length=12, max_length=14)]
    share: Annotated[float, Field(gt=0, lt=1)]
    even: Annotated[int, Field(multiple_of=2, gt=6)]
    below: Annotated[int, Field(lt=-3)]
    exact: Literal[3]


MODELS: dict[str, Any] = {
    "wide": Wide,
    "tree": Tree,
    "chain": Chain,
    "closed": Closed,
    "union": Cat | Dog,
    "list": list[Wide],
    "scalars": tuple[int, float, str, bool, None],
    "enum": Colour,
    "mapping": Annotated[dict[str, Dog], Field(min_length=2)],
    "fixed_set": Annotated[set[str], Field(min_length=3)],
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", [0, 1, 17, 2**100])
def test_pydantic_takes_what_fits_its_schema(name: str, seed: int) -> None:
    """The value survives JSON and validates against the model that the schema was made of."""
    adapter = TypeAdapter(MODELS[name])
    value = fit(adapter.json_schema(), seed)
    adapter.validate_json(json.dumps(value))


def test_the_same_seed_gives_the_same_value_and_others_differ() -> None:
    """Deterministic, and not always the same."""
    schema = TypeAdapter(Wide).json_schema()
    assert fit(schema, 5) == fit(schema, 5)
    assert len({json.dumps(fit(schema, seed)) for seed in range(20)}) > 5


def test_words_of_the_hint_serve_as_strings() -> None:
    """Arguments of tools are made of the prompt's words."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    assert fit(schema, 1, "Weather Lyon")["city"] in ("Weather", "Lyon")


def test_all_of_is_merged() -> None:
    """Every part of an `allOf` counts."""
    part = {"properties": {"a": {"const": 1}}, "required": ["a"]}
    other = {"type": "object", "properties": {"b": {"const": 2}}, "required": ["b"]}
    assert fit({"allOf": [part, other]}, 0) == {"a": 1, "b": 2}


def test_references_are_followed_and_loops_end() -> None:
    """A reference to itself alone allows anything; recursion stops as soon as the schema lets it."""
    assert isinstance(json.dumps(fit({"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, 0)), str)
    deep = {
        "$defs": {"n~/x": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n~0~1x"}}}},
        "$ref": "#/$defs/n~0~1x",
    }
    assert 1 < json.dumps(fit(deep, 0)).count("{") < 20


def test_numbers_of_a_fractional_step() -> None:
    """`multipleOf` of a number is kept."""
    schema = {"type": "number", "multipleOf": 0.25, "exclusiveMinimum": 3}
    assert fit(schema, 0) == 3.25
    assert fit({"type": "number", "multipleOf": 0.5}, 0) == 0.5


def test_a_type_that_may_be_null_has_a_value_where_there_is_room() -> None:
    """Lists of types take the full one; without a type the keywords decide."""
    assert isinstance(fit({"type": ["null", "integer"]}, 0), int)
    assert fit({"items": {"const": 1}}, 0) == [1]
    assert fit({"properties": {"a": {"const": 1}}, "required": ["b"]}, 0)["a"] == 1


@pytest.mark.parametrize(
    "broken", [{"type": "object", "properties": [1]}, {"enum": 5}, {"type": "integer", "minimum": "x"}]
)
def test_what_is_no_schema_is_told(broken: dict[str, Any]) -> None:
    """A ValueError, and nothing else."""
    with pytest.raises(ValueError, match="not a JSON schema"):
        fit(broken, 0)


def random_schema(draw: random.Random, depth: int = 0) -> dict[str, Any]:
    """A schema that some value fits."""
    kinds = ["null", "boolean", "integer", "number", "string", "enum", "object", "array", "anyOf"]
    kind = draw.choice(kinds if depth < 3 else kinds[:6])
    if kind == "integer":
        low, step = draw.randint(-50, 50), draw.randint(1, 7)
        return {"type": kind, "minimum": low, "maximum": low + draw.randint(step, 50), "multipleOf": step}
    if kind == "number":
        low = draw.randint(-50, 50)
        return {"type": kind, "exclusiveMinimum": low, "exclusiveMaximum": low + draw.choice([0.001, 0.5, 1, 2, 50])}
    if kind == "string":
        least = draw.randint(0, 20)
        return {"type": kind, "minLength": least, "maxLength": least + draw.randint(0, 5)}
    if kind == "enum":
        return {"enum": [draw.choice([1, "a", 2.5, True]) for _ in range(draw.randint(1, 4))]}
    if kind == "array":
        least = draw.randint(0, 3)
        sizes = {"minItems": least, "maxItems": least + draw.randint(0, 2)}
        return {"type": kind, "items": random_schema(draw, depth + 1), **sizes}
    if kind == "anyOf":
        return {"anyOf": [random_schema(draw, depth + 1) for _ in range(draw.randint(1, 3))]}
    if kind == "object":
        names = draw.sample("abcdef", draw.randint(0, 4))
        schema: dict[str, Any] = {"type": kind, "properties": {name: random_schema(draw, depth + 1) for name in names}}
        schema |= {"required": names} if draw.random() < 0.5 else {}
        return schema | ({"additionalProperties": False} if draw.random() < 0.5 else {})
    return {"type": kind}


def fits(schema: dict[str, Any], value: Any) -> bool:
    """A checker for the schemas above, written from the standard and not from `fit`."""
    if "anyOf" in schema:
        return any(fits(option, value) for option in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema["type"]
    if kind == "null":
        return value is None
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        inside = isinstance(value, int) and schema["minimum"] <= value <= schema["maximum"]
        return inside and value % schema["multipleOf"] == 0
    if kind == "number":
        return isinstance(value, (int, float)) and schema["exclusiveMinimum"] < value < schema["exclusiveMaximum"]
    if kind == "string":
        return isinstance(value, str) and schema["minLength"] <= len(value) <= schema["maxLength"]
    if kind == "array":
        sized = isinstance(value, list) and schema["minItems"] <= len(value) <= schema["maxItems"]
        return sized and all(fits(schema["items"], item) for item in value)
    known = schema["properties"]
    return (
        isinstance(value, dict)
        and set(schema.get("required", ())) <= set(value)
        and (schema.get("additionalProperties", True) or set(value) <= set(known))
        and all(fits(known[name], item) for name, item in value.items() if name in known)
    )


def law(make: Callable[..., Any], cases: int) -> None:
    """Every value fits its schema."""
    draw = random.Random(20261124)
    for _ in range(cases):
        schema, seed = random_schema(draw), draw.getrandbits(64)
        value = make(schema, seed)
        assert fits(schema, value), (schema, value)


def test_every_value_fits_its_schema() -> None:
    """On random schemas, by a checker of its own."""
    law(fit, 3000)


MUTANTS = {
    "least string": ("if len(word) < least", "if len(word) + 1 < least"),
    "longest string": ("word[: int(most)]", "word[: int(most) + 1]"),
    "fewest items": ('schema.get("minItems") or', 'schema.get("minimumItems") or'),
    "most items": ('schema.get("maxItems", max', 'schema.get("maximumItems", max'),
    "least integer": ("up = -(-start // step) * step", "up = start // step * step"),
    "multiple": ("up = -(-start // step) * step", "up = start"),
    "number inside": ("least is not None and most is not None and least > most", "False"),
    "exclusive minimum": ('math.floor(schema["exclusiveMinimum"]) + 1', 'math.floor(schema["exclusiveMinimum"])'),
    "exclusive maximum": ('math.ceil(schema["exclusiveMaximum"]) - 1', 'math.ceil(schema["exclusiveMaximum"])'),
    "enumeration": ('self.pick(schema["enum"])', '"sandbox"'),
    "required": ("if name in required or depth < _ROOMY]", "if depth < 1]"),
    "boolean": ("bool(self.pick((True, False)))", "self.pick((1, 0))"),
    "a union's branch": ("chosen = self.pick(full)", 'chosen = {"type": "object"}'),
}


def test_the_law_can_fail() -> None:
    """Each mutant of `fit` breaks the law."""
    assert survivors("fit", MUTANTS, lambda module: law(module.fit, 3000)) == []
