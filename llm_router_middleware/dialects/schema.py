"""JSON schemas: which of them a provider guarantees. A schema outside rules the target out; none is bent to fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llm_router_middleware.dialects.reading import as_list, as_map

__all__ = ["Budget", "closed", "outside_anthropic", "outside_openai"]

_KEYWORDS = frozenset(
    {
        "$defs",
        "$ref",
        "$schema",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "default",
        "definitions",
        "description",
        "enum",
        "format",
        "items",
        "minItems",
        "properties",
        "required",
        "title",
        "type",
    }
)
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
_TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})


class Budget:
    """What one request's guaranteed schemas may hold in all, by Anthropic's published limits."""

    TOOLS, OPTIONAL, UNIONS = 20, 24, 16

    __slots__ = ("optional", "tools", "unions")

    def __init__(self) -> None:
        self.tools = self.optional = self.unions = 0

    def spend(self, schema: Mapping[str, Any], *, tool: bool) -> str | None:
        """Counts a schema in; returns which limit it breaks."""
        self.tools += tool
        for node in _nodes(schema):
            required = as_list(node.get("required"))
            self.optional += sum(name not in required for name in as_map(node.get("properties")))
            self.unions += "anyOf" in node or isinstance(node.get("type"), list)
        for name, used, limit in (
            ("strict tools", self.tools, self.TOOLS),
            ("optional parameters", self.optional, self.OPTIONAL),
            ("union types", self.unions, self.UNIONS),
        ):
            if used > limit:
                return f"{used} {name} in guaranteed schemas, the limit is {limit}"
        return None


def _children(node: Mapping[str, Any]) -> Iterator[Any]:
    for key in ("properties", "$defs", "definitions"):
        yield from as_map(node.get(key)).values()
    for key in ("anyOf", "allOf", "oneOf", "prefixItems"):
        yield from as_list(node.get(key))
    for key in ("items", "additionalProperties", "not"):
        if isinstance(node.get(key), Mapping):
            yield node[key]


def _nodes(schema: Any) -> Iterator[Mapping[str, Any]]:
    """The schema and every schema inside it, references not followed."""
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, Mapping):
            yield node
            pending.extend(_children(node))


def outside_anthropic(schema: Any) -> str | None:
    """What puts a schema outside the subset that Claude guarantees; None if it is inside."""
    if not isinstance(schema, Mapping):
        return "it is not an object"
    for node in _nodes(schema):
        why = _node_outside_anthropic(node)
        if why is not None:
            return why
    return "it is recursive" if _is_recursive(schema) else None


def _node_outside_anthropic(node: Mapping[str, Any]) -> str | None:
    unknown = node.keys() - _KEYWORDS
    if unknown:
        return f"the keyword {min(map(str, unknown))} is not guaranteed"
    kinds = node["type"] if isinstance(node.get("type"), list) else [node.get("type", "object")]
    if any(kind not in _TYPES for kind in kinds if isinstance(kind, str)) or not all(map(_is_text, kinds)):
        return "a type is unknown"
    if node.get("additionalProperties", False) is not False:
        return "additional properties are allowed"
    if node.get("minItems", 0) not in (0, 1):
        return "minItems above 1 is not guaranteed"
    if "format" in node and node["format"] not in _FORMATS:
        return f"the format {node['format']} is not guaranteed"
    if "$ref" in node and not str(node["$ref"]).startswith("#"):
        return "it refers to another document"
    if any("$ref" in as_map(part) for part in as_list(node.get("allOf"))):
        return "allOf with a reference is not guaranteed"
    if any(isinstance(value, (Mapping, list)) for value in as_list(node.get("enum"))):
        return "an enum holds objects or arrays"
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_recursive(schema: Mapping[str, Any]) -> bool:
    """Whether following references can come back to where it was."""
    path: set[str] = set()
    done: set[str] = set()

    def visit(pointer: str) -> bool:
        if pointer in path:
            return True
        if pointer in done:
            return False
        path.add(pointer)
        found = any(visit(ref) for ref in _refs(_resolve(schema, pointer)))
        path.discard(pointer)
        done.add(pointer)
        return found

    return visit("#") or any(visit(ref) for ref in _refs(schema))


def _refs(node: Any) -> list[str]:
    """The references that the validity of a value depends on: those in mere definitions don't count."""
    found: list[str] = []
    pending = [node]
    while pending:
        current = pending.pop()
        if not isinstance(current, Mapping):
            continue
        if isinstance(current.get("$ref"), str):
            found.append(current["$ref"])
        pending.extend(_children({key: current[key] for key in current if key not in ("$defs", "definitions")}))
    return found


def _resolve(schema: Any, pointer: str) -> Any:
    node = schema
    for token in pointer.lstrip("#").strip("/").split("/"):
        if token:
            node = as_map(node).get(token.replace("~1", "/").replace("~0", "~"))
    return node


def outside_openai(schema: Any) -> str | None:
    """What keeps OpenAI and Groq from guaranteeing a schema; None if they do.

    Every property must be required and every object closed. Making an optional property required would change the
    data, so it is not done.
    """
    if not isinstance(schema, Mapping):
        return "it is not an object"
    for node in _nodes(schema):
        if node.get("type") != "object" and "properties" not in node:
            continue
        if node.get("additionalProperties") is not False:
            return "an object is open to additional properties"
        optional = as_map(node.get("properties")).keys() - set(map(str, as_list(node.get("required"))))
        if optional:
            return f"the property {min(optional)} is optional"
    return None


def closed(schema: Any) -> Any:
    """The schema with every object that says nothing of additional properties closed to them.

    That narrows what the model may say, so every answer still fits what the caller asked for.
    """
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    result = {
        key: {name: closed(item) for name, item in value.items()}
        if key in ("properties", "$defs", "definitions") and isinstance(value, Mapping)
        else closed(value)
        if key in ("anyOf", "allOf", "oneOf", "items", "prefixItems")
        else value
        for key, value in schema.items()
    }
    if (result.get("type") == "object" or "properties" in result) and "additionalProperties" not in result:
        result["additionalProperties"] = False
    return result
