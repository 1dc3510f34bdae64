"""Writes the stub of the six clients from the constructors of the installed SDKs.

python -m tests.typing.stub > llm_router_middleware/dropins.pyi
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Iterator
from typing import Any

__all__ = ["CLIENTS", "stub"]

CLIENTS = (
    ("openai", "OpenAI"),
    ("openai", "AsyncOpenAI"),
    ("anthropic", "Anthropic"),
    ("anthropic", "AsyncAnthropic"),
    ("groq", "Groq"),
    ("groq", "AsyncGroq"),
)

_HEAD = '''"""The six clients as type checkers see them: the SDK's own class, whose constructor also takes `router=`.

Written by `python -m tests.typing.stub` from the SDKs' own constructors; a test keeps it so. There is no such module
at run time: the six are made by `intercept.dropin` when they are first asked for, and their instances are the SDK's.
"""
'''


def stub() -> str:
    """The text of `dropins.pyi`."""
    imports: dict[str, set[str]] = {"llm_router_middleware.router": {"Router"}}
    modules = {"anthropic", "groq", "openai"}
    classes = [_class(sdk, name, imports, modules) for sdk, name in CLIENTS]
    lines = [f"import {module}" for module in sorted(modules)]
    lines += [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(imports.items())]
    return "\n".join([_HEAD, *lines, "", *classes])


def _class(sdk: str, name: str, imports: dict[str, set[str]], modules: set[str]) -> str:
    module = importlib.import_module(f"{sdk}._client")
    homes = _homes(module)
    constructor = _constructor(module, name)
    lines = [f"class {name}({sdk}.{name}):", "    def __init__(", "        self,", "        *,"]
    for argument, default in zip(constructor.args.kwonlyargs, constructor.args.kw_defaults, strict=True):
        assert argument.annotation is not None
        annotation = _qualified(sdk, argument.annotation, homes, imports, modules)
        lines.append(f"        {argument.arg}: {annotation}{' = ...' if default is not None else ''},")
    return "\n".join([*lines, "        router: Router | None = ...,", "    ) -> None: ...", ""])


def _constructor(module: Any, name: str) -> ast.FunctionDef:
    tree = ast.parse(inspect.getsource(module))
    cls = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    return next(node for node in cls.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")


def _homes(module: Any) -> dict[str, tuple[str, str]]:
    """Where each name of a module comes from: (module, name there), or (module, "") for a module."""
    return dict(_imported(ast.parse(inspect.getsource(module)), module.__package__))


def _imported(tree: ast.AST, inside: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name, (alias.name, "")
        elif isinstance(node, ast.ImportFrom):
            home = importlib.util.resolve_name("." * node.level + (node.module or ""), inside)
            for alias in node.names:
                yield alias.asname or alias.name, (home, alias.name)


def _origin(module: str, name: str) -> tuple[str, str]:
    """Where a name is defined that a module may only hand on: type checkers don't follow a re-export unasked."""
    if module.partition(".")[0] not in {sdk for sdk, _ in CLIENTS}:
        return module, name
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    package = module if hasattr(importlib.import_module(module), "__path__") else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                home = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
                if alias.name == name and alias.asname is None and home != module:
                    return _origin(home, name)
    return module, name


class _Qualifier(ast.NodeTransformer):
    """Names of an SDK by their full path, so that three SDKs may have the same ones."""

    def __init__(self, homes: dict[str, tuple[str, str]], imports: dict[str, set[str]], modules: set[str]) -> None:
        self._homes = homes
        self._imports = imports
        self._modules = modules

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A name becomes what it is outside of its module."""
        if node.id not in self._homes:
            return node
        module, name = _origin(*self._homes[node.id])
        if module in ("typing", "typing_extensions"):
            self._imports.setdefault("collections.abc" if name in _ABSTRACT else module, set()).add(name)
            return node
        self._modules.add(module)
        return ast.parse(f"{module}.{name}" if name else module, mode="eval").body


_ABSTRACT = {"Awaitable", "Callable", "Iterable", "Mapping", "Sequence"}


def _qualified(
    sdk: str, annotation: ast.expr, homes: dict[str, tuple[str, str]], imports: dict[str, set[str]], modules: set[str]
) -> str:
    return ast.unparse(_Qualifier(homes, imports, modules).visit(annotation))


if __name__ == "__main__":
    print(stub(), end="")
