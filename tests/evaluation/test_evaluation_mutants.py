"""The evaluation's suites are worth what they catch: a wrong figure must be noticed."""

from __future__ import annotations

import pytest

from tests.scoring.mutation import Mutant, kills

MUTANTS = {
    "tests.evaluation.test_metrics": [
        Mutant("evaluation.metrics", "    everything = np", "    group = group[::-1]\n    everything = np"),
        Mutant("evaluation.metrics", "minlength=groups)\n    gains", "minlength=groups) ** 0\n    gains"),
        Mutant("evaluation.metrics", "weights=weights * questions.gaps[drawn]", "weights=questions.gaps[drawn]"),
        Mutant("evaluation.metrics", "np.append(0.0, np.cumsum(steps))", "np.cumsum(steps)"),
        Mutant("evaluation.metrics", "100 * _first_at(share, pgr, 0.8)", "100 * _first_at(share, pgr, 0.5)"),
        Mutant("evaluation.metrics", "return float(share[place - 1] + step", "return float(share[place] + step"),
        Mutant("evaluation.metrics", "_LEVEL = (0.025, 0.975)", "_LEVEL = (0.25, 0.75)"),
        Mutant("evaluation.metrics", "questions, draws, seed)[:, 0]", "questions, draws, int(one[0] * 1e9))[:, 0]"),
        Mutant("evaluation.metrics", "questions.strata == part)", "questions.strata >= 0)"),
        Mutant("evaluation.metrics", "part[rng.integers(0, len(part), len(part))]", "part"),
    ],
    "tests.evaluation.test_calibrate": [
        Mutant("evaluation.calibrate", "round(len(ranked) * (1 - share))", "round(len(ranked) * share)"),
        Mutant("evaluation.calibrate", "+ targets[Tier.MID]), premium_cut)", "), 1)"),
        Mutant("evaluation.calibrate", "costs[Tier.MID][middle] - costs[Tier.MID][top]", "costs[Tier.MID][middle]"),
        Mutant("evaluation.calibrate", "key=lambda request: -request.score", "key=lambda request: request.score"),
        Mutant("evaluation.calibrate", "<= spend else top - 1", "<= spend else top"),
        Mutant("evaluation.calibrate", "if not 0 <= premium <= 1:", "if premium < 0:"),
        Mutant("evaluation.calibrate", "len(held) - above[Tier.MID]", "len(held) - above[Tier.PREMIUM]"),
        Mutant("evaluation.calibrate", "max(_tie(fit, premium_cut), _tie(fit, mid_cut))", "0.0"),
    ],
    "tests.evaluation.test_toml_edit": [
        Mutant("evaluation.toml_edit", 'if line.lstrip().startswith("[")), len(lines))', "if False), len(lines))"),
        Mutant("evaluation.toml_edit", "if lines and not lines[-1].endswith", "if False and not lines[-1].endswith"),
        Mutant("evaluation.toml_edit", "        raise ConfigurationError(_by_hand(values))", "        pass"),
        Mutant("evaluation.toml_edit", 'if letter in \'"\\\\\':', "if False:"),
        Mutant("evaluation.toml_edit", "place is None:", "True:"),
    ],
}  # fmt: skip
CASES = [(suite, mutant) for suite, mutants in MUTANTS.items() for mutant in mutants]


@pytest.mark.parametrize(("suite", "mutant"), CASES, ids=[str(mutant) for _, mutant in CASES])
def test_the_suite_kills(suite: str, mutant: Mutant) -> None:
    """The suite notices this mistake, without RouteLLM's data."""
    assert kills(suite, mutant)


@pytest.mark.parametrize("suite", MUTANTS)
def test_the_suite_lets_the_room_live(suite: str) -> None:
    """Without a change nothing fails."""
    assert not kills(suite, None)
