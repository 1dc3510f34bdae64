"""Runs the suites of the reliability plan and prints what they counted, as a table.

python -m tests.faults                # the size of every CI run
python -m tests.faults --nightly      # the long size; hours
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]


@dataclass
class Suite:
    """One suite of the plan.

    Attributes:
        number: in the plan.
        what: it shows.
        modules: where it stands; a module belongs to one suite.
        counted: figures that its tests recorded: sums, but for those named after the fewest or the most.
    """

    number: str
    what: str
    modules: tuple[str, ...]
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    counted: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def take(self, case: ElementTree.Element) -> None:
        """Counts one test."""
        outcomes = {child.tag for child in case}
        self.failed += bool(outcomes & {"failure", "error"})
        self.skipped += "skipped" in outcomes
        self.passed += not outcomes & {"failure", "error", "skipped"}
        self.seconds += float(case.get("time", 0))
        for figure in case.iter("property"):
            self._count(figure.get("name", ""), int(float(figure.get("value", 0))))

    def _count(self, name: str, value: int) -> None:
        if name.startswith("fewest"):
            self.counted[name] = min(self.counted.get(name, value), value)
        elif name.startswith("most"):
            self.counted[name] = max(self.counted[name], value)
        else:
            self.counted[name] += value

    def row(self) -> str:
        """A line of the table."""
        tests = f"{self.passed} passed" + "".join(
            f", **{count} {word}**" for word, count in (("failed", self.failed), ("skipped", self.skipped)) if count
        )
        figures = ", ".join(f"{name} {value:,}" for name, value in self.counted.items())
        return f"| {self.number} | {self.what} | {tests} | {figures} |"


def suites() -> list[Suite]:
    """The plan."""
    faults, rooms = "tests/faults/test_", "tests/resilience/test_"
    return [
        Suite("T1", "breaker against an oracle of the whole history", (f"{faults}breaker_oracle.py",)),
        Suite("T2", "mutants of the breaker, each killed by the oracle", (f"{faults}breaker_mutants.py",)),
        Suite("T2", "mutants of a call, each killed by the failure table", (f"{faults}fault_table_mutants.py",)),
        Suite("T3", "breaker in threads and loops", (f"{faults}breaker_threads.py",)),
        Suite("T4", "memory", (f"{faults}breaker_memory.py", f"{faults}soak.py")),
        Suite("T5", "whole calls in virtual time", (f"{faults}whole_calls.py",)),
        Suite("T6", "failure table over sockets", (f"{faults}fault_table.py", f"{faults}fault_table_next_call.py")),
        Suite("T6", "failure classes of the SDKs' own exceptions", (f"{rooms}classification.py",)),
        Suite(
            "T6",
            "failover over sockets",
            ("tests/providers/test_failover.py", "tests/providers/test_keep_alives.py"),
        ),
        Suite("T7", "cancelled, closed, left, interrupted at every point", (f"{faults}cancellation.py",)),
        Suite("T9", "a bug of ours at every line", (f"{faults}fail_open.py",)),
        Suite("T10", "the same script with and without a router", (f"{faults}differential.py",)),
        Suite("T12-T14", "security, a row each", ("tests/security",)),
        Suite("T16", "fork", (f"{faults}breaker_fork.py",)),
    ]  # fmt: skip


def play(plan: list[Suite], *, nightly: bool, workers: int) -> int:
    """Runs the tests; returns pytest's own exit code."""
    present = [module for suite in plan for module in suite.modules if (ROOT / module).exists()]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), f"--junit-xml={report}", *present]
        command += ["-o", "junit_family=xunit1"]  # the later family has no file names
        command += ["-m", "nightly or not nightly"] if nightly else []
        code = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode
        for case in ElementTree.parse(report).iter("testcase"):
            suite = next(s for s in plan if any(_file(case).startswith(module) for module in s.modules))
            suite.take(case)
    return code


def _file(case: ElementTree.Element) -> str:
    return case.get("file") or f"{case.get('classname', '').replace('.', '/')}.py"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nightly", action="store_true", help="the long sizes, too")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    plan = suites()
    code = play(plan, nightly=given.nightly, workers=given.workers)
    print("| | what | tests | counted |\n|---|---|---|---|")
    print("\n".join(suite.row() for suite in plan if suite.passed + suite.failed + suite.skipped))
    return code


if __name__ == "__main__":
    raise SystemExit(main())
