"""T2: the oracle is worth what it catches. Every classic bug of a breaker, put into the text, must be noticed."""

from __future__ import annotations

import signal
from types import FrameType

import pytest

from tests.resilience.breaker_oracle import play
from tests.resilience.mutants import changed, load

HISTORIES = 4_000

MUTANTS: dict[str, tuple[str, str, str]] = {
    # permission
    "half-open lets everyone in": ("circuit", "if probe is not None and now < probe.expires:", "if False:"),
    "an abandoned probe is never given up": (
        "circuit",
        "if probe is not None and now < probe.expires:",
        "if probe is not None:",
    ),
    "open admits before its time": ("circuit", "self.state == OPEN and now < self.open_until", "False"),
    "open never admits": ("circuit", "self.state == OPEN and now < self.open_until", "self.state == OPEN"),
    "a cooldown is not kept": ("circuit", "if now < self.cooldown.until:", "if False:"),
    "the closed path survives opening": ("circuit", "self.admitting = self.probe = None\n        self.state", "self.state"),
    "the closed path survives a cooldown": ("circuit", "            return\n        self.admitting = None", "            return"),
    "a probe ignores its attempt's timeout": ("circuit", "return max(lease_s, 0.0) + LEASE_GRACE_S", "return 5.0"),
    "a probe has no grace": ("circuit", "return max(lease_s, 0.0) + LEASE_GRACE_S", "return lease_s"),
    "refusals are not counted": ("circuit", "self.rejections += 1", "pass"),
    "a disabled breaker refuses": ("circuit", "            if self.disabled:\n                return Permit(BYPASS), None\n", ""),
    "a bypass counts like a permit": ("circuit", "return Permit(BYPASS), None", "return Permit(self.generation), None"),
    # lesson
    "a permit settles twice": ("circuit", "if permit.settled:", "if False:"),
    "late results count": ("circuit", "if not current:", "if False:"),
    "a late Retry-After is lost": ("circuit", "if effect is not SUCCESS:\n", "if effect is not SUCCESS and current:\n"),
    "a neutral result counts as success": (
        "circuit",
        "if effect is NEUTRAL or effect is COOLDOWN:\n            return None",
        "if effect is COOLDOWN:\n            return None\n        effect = SUCCESS if effect is NEUTRAL else effect",
    ),
    "a neutral result counts as failure": ("circuit", "if effect is NEUTRAL or effect is COOLDOWN:", "if effect is COOLDOWN:"),
    "a cooldown counts as failure": ("circuit", "if effect is NEUTRAL or effect is COOLDOWN:", "if effect is NEUTRAL:"),
    "a neutral probe keeps its place": (
        "circuit",
        "if permit is self.probe:\n",
        "if permit is self.probe and effect is not NEUTRAL:\n",
    ),
    "a lapsed probe still decides": ("circuit", "self.state == OPEN or permit.expires <= now", "self.state == OPEN"),
    "a failed probe closes": ("circuit", 'return self._open(self._backoff_s(), now, "probe_failed")', 'return self._move(CLOSED, now, "probe_failed")'),
    "an ejection backs off instead": ("circuit", "return self._open(self._settings.quota_ejection_s if seconds is None else seconds,", "return self._open(self._backoff_s(),"),
    "an ejection's length is ignored": ("circuit", "self._settings.quota_ejection_s if seconds is None else seconds", "self._settings.quota_ejection_s"),
    "an ejection also cools down": ("circuit", "        if effect is EJECT:\n            return\n", ""),
    # when to open
    "one failure too many": ("health", "self.row >= settings.failure_threshold", "self.row > settings.failure_threshold"),
    "no minimum of calls": ("health", "window.total >= settings.minimum_calls and ", ""),
    "the share is ignored": ("health", "window.marked >= settings.failure_ratio * window.total", "False"),
    "failures in a row never expire": ("health", "if now - self._latest_failure > settings.window_s:", "if False:"),
    "a success doesn't end the row": ("health", "self.row = 0\n        self.window.add(now)", "self.window.add(now)"),
    "successes don't count": ("health", "        self.window.add(now)\n", ""),
    "the window never evicts": ("window", "while buckets and buckets[0][2] <= index - BUCKETS:", "while False:"),
    "the window is a bucket short": ("window", "buckets[0][2] <= index - BUCKETS", "buckets[0][2] < index - BUCKETS"),
    "the closed circuit remembers": ("circuit", "        if after == CLOSED:\n            self.health.clear()\n", "        if after == CLOSED:\n"),
    # for how long
    "the pause is not doubled": ("circuit", "self._reopens += 1", "pass"),
    "the pause has no ceiling": ("circuit", "min(settings.max_recovery_timeout_s, ", "max(0.0, "),
    "the pause stays doubled after closing": ("circuit", "            self._reopens = 0\n            return self._move(CLOSED", "            return self._move(CLOSED"),
    "no jitter": ("circuit", "(0.5 + 0.5 * self._random())", "(self._random() * 0 + 1)"),
    "a cooldown has no ceiling": ("cooldown", "min(seconds, self._longest_s)", "seconds"),
    "a cooldown has no spread": ("cooldown", "seconds * (1.0 + SPREAD * self._random())", "seconds + 0 * self._random()"),
    "a shorter Retry-After shortens a longer one": ("cooldown", "max(self.until, now + ", "max(0.0, now + "),
    "cooldowns are not doubled": ("cooldown", "self.unsaid = min(self.unsaid + 1, 16)", "pass"),
    "cooldowns stay doubled after a success": ("circuit", "            self.health.succeeded(now)\n            self.cooldown.unsaid = 0\n", "            self.health.succeeded(now)\n"),
    # transitions
    "the generation doesn't rise": ("circuit", "        self.state = after\n        self.generation += 1\n", "        self.state = after\n"),
    "transitions are not counted": ("circuit", "self.transitions += 1", "pass"),
    "a listener's error comes through": ("breaker", "with suppress(Exception):", "with suppress(KeyError):"),
    "reading moves the state": ("breaker", "            return HALF_OPEN\n", "            circuit.state = HALF_OPEN\n            return HALF_OPEN\n"),
    # by hand
    "force_open only opens what is closed": ("circuit", "            self.open_until = math.inf\n            return None\n", "            return None\n"),
    "force_open ends": ("circuit", 'self._open(math.inf, now, "forced")', 'self._open(10.0, now, "forced")'),
    "reset leaves a cooldown": ("circuit", "        self.cooldown.clear()\n", ""),
    "reset leaves the row": ("circuit", "        self._reopens = 0\n        self.health.clear()\n", "        self._reopens = 0\n"),
    "reset leaves the pause doubled": ("circuit", "        self._reopens = 0\n        self.health.clear()\n", "        self.health.clear()\n"),
    "reset leaves it disabled": ("circuit", '        """Closed, with a clean slate; the totals stay."""\n        self.disabled = False\n', ""),
}  # fmt: skip


def survives(module: str, old: str, new: str) -> bool:
    """Whether the oracle sees no difference."""
    breaker_class = load({module: changed(module, old, new)})["breaker"].CircuitBreaker
    try:
        for seed in range(HISTORIES):
            play(seed, breaker_class)
    except (AssertionError, TimeoutError):
        return False
    return True


@pytest.fixture(autouse=True)
def _no_endless_loops() -> object:
    """A mutant that never returns is dead too."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_oracle_kills(name: str) -> None:
    """The oracle notices this bug."""
    assert not survives(*MUTANTS[name])


def test_the_oracle_lets_the_breaker_live() -> None:
    """A fresh copy without a change is no mutant: it is the copying that must not be noticed."""
    assert survives("circuit", "A permit belongs", "Each permit belongs")
