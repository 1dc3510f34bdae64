"""Mutation testing: each comparison, constant, condition, operator, call and return of a module, one at a time.

    python -m tests.resilience.mutation circuit health window cooldown breaker     # modules of the resilience room
    python -m tests.resilience.mutation engine.flow engine.trail                   # or of another

Each mutant is tried in a forked child that has the heavy imports behind it: against the module's tests, and against
the oracle of the breaker or whole calls in virtual time where they apply. Prints the score and the survivors.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import gc
import importlib
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tests.resilience.mutants import BREAKER, FOLDER

PACKAGE = "llm_router_middleware"
PATIENCE_S = 120
ENGINE = ("engine.flow", "engine.trail", "engine.hedge")
ROOMS_TESTS = "tests/resilience/test_"
FAULT_TESTS = "tests/faults/test_breaker_"
TESTS: dict[tuple[str, ...], list[str]] = {
    (*BREAKER, "breakers", "endpoint", "admission", "breaker_settings"): [
        f"{ROOMS_TESTS}breaker.py",
        f"{ROOMS_TESTS}breakers.py",
        f"{ROOMS_TESTS}breakers_room.py",
        f"{ROOMS_TESTS}window.py",
        f"{FAULT_TESTS}memory.py",
        f"{FAULT_TESTS}fork.py",
    ],
    ("failures", "families", "codes", "retry_after"): [
        f"{ROOMS_TESTS}failures.py",
        f"{ROOMS_TESTS}retry_after.py",
        f"{ROOMS_TESTS}classification.py",
    ],
    ("latency", "pace", "latency_gate"): [
        f"{ROOMS_TESTS}latency.py",
        f"{ROOMS_TESTS}latency_gate.py",
        f"{FAULT_TESTS}memory.py",
        f"{FAULT_TESTS}fork.py",
    ],
    ("budget",): [f"{ROOMS_TESTS}budget.py", f"{FAULT_TESTS}fork.py"],
    ("forking",): [f"{FAULT_TESTS}fork.py"],
    ENGINE: [
        "tests/engine/test_flow.py",
        "tests/engine/test_flow_accounts.py",
        "tests/engine/test_flow_bounds.py",
        "tests/engine/test_flow_hedging.py",
        "tests/engine/test_hedging.py",
        "tests/providers/test_keep_alives.py",
    ],
}
"""The tests that a module answers to. A name without a dot is one of the resilience room."""

WORLDS = ((1, 600), (2, 600), (3, 600), (4, 600))
"""Seeds and calls of the whole calls that the engine's mutants meet."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.FloorDiv: ast.Div,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One mutant: the line, what was changed, and the module's new text."""

    line: int
    what: str
    text: str


def changes(text: str) -> Iterator[Change]:
    """All mutants of a module, one change each."""
    tree = ast.parse(text)
    sites = list(_sites(tree))
    for index, (node, field) in enumerate(sites):
        for what, replacement in _replacements(
            getattr(node, field[0]) if field[1] is None else getattr(node, field[0])[field[1]]
        ):
            fresh = copy.deepcopy(tree)
            target, (name, position) = list(_sites(fresh))[index]
            if position is None:
                setattr(target, name, replacement)
            else:
                getattr(target, name)[position] = replacement
            yield Change(getattr(_at(node, field), "lineno", 0), what, ast.unparse(ast.fix_missing_locations(fresh)))


def _at(node: ast.AST, field: tuple[str, int | None]) -> ast.AST:
    value = getattr(node, field[0])
    found: ast.AST = value if field[1] is None else value[field[1]]
    return found


def _sites(node: ast.AST) -> Iterator[tuple[ast.AST, tuple[str, int | None]]]:
    """Every place that holds something to change, in a fixed order: the node above it, and where in that node."""
    for name, value in ast.iter_fields(node):
        if name in NO_BEHAVIOUR:
            continue
        for position, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or _is_talk(child):
                continue
            if isinstance(child, (ast.expr, ast.stmt)):
                yield node, (name, position)
            yield from _sites(child)


NO_BEHAVIOUR = {"annotation", "returns", "decorator_list", "bases", "targets", "ctx"}


def _is_talk(node: ast.AST) -> bool:
    """Protocols, docstrings, imports, `__all__`, `__slots__` and aliases of types: nothing that runs on a call."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id in {"__all__", "__slots__"} or ast.unparse(node.value).startswith("Literal[")
    if isinstance(node, ast.ClassDef):
        return any(ast.unparse(base) == "Protocol" for base in node.bases)
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or isinstance(node, (ast.Import, ast.ImportFrom))


def _replacements(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    old = ast.unparse(node).split("\n")[0]
    for new in _variants(node):
        yield f"{old}  ->  {ast.unparse(ast.fix_missing_locations(copy.deepcopy(new))) or 'pass'}".split("\n")[0], new


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield ast.Compare(node.left, [COMPARISONS[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        yield from (value for value in node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.If):
        yield ast.If(ast.Constant(True), node.body, node.orelse)
        yield ast.If(ast.Constant(False), node.body, node.orelse)
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, (ast.Expr, ast.AugAssign)) or (
        isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
    ):
        yield ast.Pass()
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"min", "max"}
        and len(node.args) > 1
    ):
        yield from node.args


def _constants(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
        if value not in (0, 1):
            yield ast.Constant(value * 2)
    elif isinstance(value, str):
        yield ast.Constant(f"XX{value}")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def dotted(module: str) -> str:
    """Its full name."""
    return f"{PACKAGE}.{module}" if "." in module else f"{PACKAGE}.resilience.{module}"


def file_of(module: str) -> Path:
    """Where it stands."""
    return FOLDER.parents[1].joinpath(*dotted(module).split(".")).with_suffix(".py")


def source(module: str) -> str:
    """Its text."""
    return file_of(module).read_text(encoding="utf-8")


class _Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module of the room from another text."""

    def __init__(self, module: str, text: str) -> None:
        self._name, self._text, self._file = dotted(module), text, str(file_of(module))

    def find_spec(self, name: str, path: object, target: object = None) -> object:
        return importlib.util.spec_from_loader(name, self) if name == self._name else None

    def create_module(self, spec: object) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self._file
        exec(compile(self._text, module.__file__, "exec"), module.__dict__)


def survives(module: str, text: str) -> bool:
    """Whether the tests pass with this text in place of the module's."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(PATIENCE_S)
        code = 1
        with contextlib.suppress(BaseException):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            code = 0 if _passes(module, text) else 1
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _passes(module: str, text: str) -> bool:
    import pytest

    stale = (PACKAGE, "tests.engine", "tests.faults", "tests.resilience.test", "tests.resilience.breaker")
    for name in [name for name in sys.modules if name.startswith(stale)]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Instead(module, text))
    if module in BREAKER:
        play = importlib.import_module("tests.resilience.breaker_oracle").play
        breaker_class = importlib.import_module(dotted("breaker")).CircuitBreaker
        for seed in range(3_000):
            play(seed, breaker_class)
    tests = next(tests for modules, tests in TESTS.items() if module in modules)
    quiet = ["-x", "-q", "--tb=no", "--assert=plain", "-m", "not nightly"]
    plugins = ["pytest_asyncio.plugin", "_hypothesis_pytestplugin", "no:cacheprovider", "no:unraisableexception"]
    options = [*quiet, *(option for plugin in plugins for option in ("-p", plugin))]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return all(pytest.main([*options, test]) == 0 for test in tests) and (module not in ENGINE or _worlds_hold())


def _worlds_hold() -> bool:
    world = importlib.import_module("tests.faults.whole_calls").World
    broken_laws = importlib.import_module("tests.faults.laws").broken_laws
    return not any(broken_laws(world(*size).play()) for size in WORLDS)


def main(modules: Sequence[str]) -> int:
    for name in ("anthropic", "groq", "openai.types.chat", "hypothesis", "pytest", "llm_router_middleware.sandbox"):
        importlib.import_module(name)
    gc.freeze()
    worst = 1.0
    for module in modules:
        if not survives(module, source(module)):
            raise SystemExit(f"{module}: its tests fail without any change")
        began, killed, left = time.monotonic(), 0, []
        for change in changes(source(module)):
            if survives(module, change.text):
                left.append(change)
                print(f"  {module}.py:{change.line}  {change.what}", flush=True)
            else:
                killed += 1
        score = killed / max(killed + len(left), 1)
        worst = min(worst, score)
        print(
            f"{module}: {killed} of {killed + len(left)} killed, {score:.1%}, {time.monotonic() - began:.0f} s",
            flush=True,
        )
    return 0 if worst >= 0.95 else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
