"""Every HTTP route of an installed SDK, read from its own source: method, path, what it gives, whether it streams.

So that the mock server and the test of unknown surfaces fit the installed version by construction.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

__all__ = ["Route", "routes"]

_VERBS = {
    "_get": "get",
    "_post": "post",
    "_put": "put",
    "_patch": "patch",
    "_delete": "delete",
    "_get_api_list": "get",
}


@dataclass(frozen=True)
class Route:
    """One place in an SDK where a request is made.

    Attributes:
        where: module and function, such as `openai.resources.embeddings:Embeddings.create`.
        method: of the request.
        path: its template, with `{name}` for parameters, and its query.
        names_model: whether the caller names a model there.
        gives: the type of the answer; None where it can't be told without running the method.
        items: the type of the events of its stream; None where it has none.
    """

    where: str
    method: str
    path: str
    names_model: bool
    gives: Any
    items: Any

    @property
    def streams(self) -> bool:
        """Whether the method knows of streams."""
        return self.items is not None


def routes(sdk: str) -> list[Route]:
    """All routes of an installed SDK."""
    return [route for module in _resources(sdk) for route in _of_module(module)]


def _resources(sdk: str) -> Iterator[ModuleType]:
    package = importlib.import_module(f"{sdk}.resources")
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not info.ispkg:
            yield importlib.import_module(info.name)


def _of_module(module: ModuleType) -> Iterator[Route]:
    assert module.__file__ is not None
    with open(module.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for function in (n for n in cls.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))):
            names_model = any(argument.arg == "model" for argument in function.args.kwonlyargs)
            for node in ast.walk(function):
                verb = _verb(node)
                if isinstance(node, ast.Call) and verb is not None:
                    yield _route(module, f"{module.__name__}:{cls.name}.{function.name}", node, verb, names_model)


def _verb(node: ast.AST) -> str | None:
    """`self._post(...)`, or `partial(self._post, ...)`."""
    if not isinstance(node, ast.Call):
        return None
    called = node.args[0] if getattr(node.func, "id", "") == "partial" and node.args else node.func
    return called.attr if isinstance(called, ast.Attribute) and called.attr in _VERBS else None


def _route(module: ModuleType, where: str, call: ast.Call, verb: str, names_model: bool) -> Route:
    named = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    given = call.args[1:] if getattr(call.func, "id", "") == "partial" else call.args
    gives = named.get("page") or named.get("cast_to")
    stream = named.get("stream_cls")
    streamed = None if stream is None else _evaluated(module, stream)
    path = _template(given[0] if given else named["path"])
    return Route(where, _VERBS[verb], path, names_model, _evaluated(module, gives), _first_argument(streamed))


def _template(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Call) and node.args:
        return _template(node.args[0])
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{x}" for part in node.values)
    if isinstance(node, ast.IfExp):
        return _template(node.body)
    return "{x}"


def _evaluated(module: ModuleType, node: ast.expr | None) -> Any:
    if node is None:
        return None
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "cast":
        # cast(Any, Union[...]) is how the SDKs pass a union; cast(Type[T], T) how they pass a generic.
        return _evaluated(module, node.args[1])
    try:
        return eval(compile(ast.Expression(node), module.__name__, "eval"), dict(vars(module)))
    except Exception:
        return None


def _first_argument(stream: Any) -> Any:
    arguments = getattr(stream, "__args__", None)
    return arguments[0] if arguments else None


def matcher(path: str) -> re.Pattern[str]:
    """A pattern for the paths (without query) that a template makes."""
    bare = path.partition("?")[0]
    parts = re.split(r"\{[^}]*\}", bare)
    return re.compile("[^/]+".join(re.escape(part) for part in parts) + "$")
