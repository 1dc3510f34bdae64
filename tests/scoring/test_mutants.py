"""The suites are worth what they catch: classic mistakes, put into the text of the room, must be noticed."""

from __future__ import annotations

import pytest

from tests.scoring.mutation import Mutant, kills

MUTANTS = {
    "tests.scoring.test_prompt": [
        Mutant("scoring.prompt", "for item in reversed(items):\n        role", "for item in items:\n        role"),
        Mutant("scoring.prompt", 'if role != "user":', 'if role == "tool":'),
        Mutant("scoring.prompt", "if not text or is_approval(text):", "if not text:"),
        Mutant("scoring.prompt", "if not leans_on_context(text):", "if True:"),
        Mutant("scoring.prompt", "*reversed(follow_ups)]", "*follow_ups[1:]]"),
        Mutant("scoring.prompt", "if end < 0:\n            break", "if end < 0:\n            end = len(text)"),
        Mutant("scoring.prompt", "start = end + len(closing)", "start = end"),
        Mutant("scoring.prompt", 'frozenset({"text", "input_text"})', 'frozenset({"text"})'),
        Mutant("scoring.prompt", "return text if isinstance(text, str) else", "return text if text else"),
        Mutant("scoring.prompt", '("messages", "input")', '("messages",)'),
        Mutant("scoring.prompt", "    except Exception:", "    except KeyError:"),
        Mutant("scoring.prompt", "text[-_CAP // 2 :]", "text[:0]"),
        Mutant("scoring.replies", "and all(word in", "and any(word in"),
        Mutant("scoring.replies", "words[place - 1] not in _IMPERSONAL", "True"),
        Mutant("scoring.replies", "if len(words) <= _FEW_WORDS and", "if"),
        Mutant("scoring.replies", "if len(words) <= _MOST_WORDS else []", "if len(words) <= 40 else words"),
        Mutant("scoring.size", '"utf-8", "replace"', '"utf-8"'),
    ],
    "tests.scoring.test_size": [
        Mutant("scoring.size", "if isinstance(value, Mapping) and (flat := _flat(value)):", "if flat := 0:"),
        Mutant("scoring.size", '"system", "instructions", "messages"', '"messages"'),
        Mutant("scoring.size", 'and (calls := message.get("tool_calls"))', "and (calls := None)"),
        Mutant("scoring.size", "return len(text) * len(sample.encode", "return len(text) or len(sample.encode"),
        Mutant("scoring.size", "        else:\n            nested.append(message)", ""),
    ],
    "tests.scoring.test_heuristic": [
        Mutant("scoring.heuristic", "not self.words.isdisjoint(seen)", 'any(w in " ".join(words) for w in self.words)'),
        Mutant("scoring.heuristic", "* len(text) / len(sample)", ""),
        Mutant("scoring.heuristic", "length > _LONG", "length < _LONG"),
        Mutant("scoring.heuristic", '> 2),', '> 3),'),
        Mutant("scoring.heuristic", "max(0.0, min(1.0, sum(fired.values())))", "sum(fired.values())"),
        Mutant("scoring.heuristic", "{text[-_TAIL:]}", ""),
        Mutant("scoring.heuristic", "return _WORD.findall(text.lower())", "return text.lower().split()"),
        Mutant("scoring.heuristic", r"|class \w{1,80}[:({]|", r"|class \w{1,80}|"),
        Mutant("scoring.thresholds", "if score >= self.premium:", "if score > self.premium:"),
        Mutant("scoring.thresholds", "not 0 <= value <= 1", "value < 0"),
        Mutant("scoring.thresholds", "if self.mid > self.premium:", "if False:"),
    ],
    "tests.scoring.test_controller": [
        Mutant("scoring.controller", "if as_hard <= target and harder < target:", "if as_hard <= target:"),
        Mutant("scoring.controller", "return served < target * len(self._latest)", "return True"),
        Mutant("scoring.controller", "if harder >= target:", "if as_hard >= target:"),
        Mutant("scoring.controller", "mid + premium, Tier", "mid, Tier"),
        Mutant("scoring.controller", "self._served[served] -= 1", "pass"),
        Mutant("scoring.controller", "del self._ranked[bisect_left(self._ranked, oldest)]", "del self._ranked[0]"),
        Mutant("scoring.controller", "if len(self._latest) > self._window:", "if False:"),
        Mutant("scoring.controller", "score.tier if len(self._ranked) < self._warm_up else", ""),
        Mutant("scoring.controller", 'any(signal.startswith("unsure=") for signal in score.signals)', "False"),
        Mutant("scoring.controller", "if isnan(score.score):", "if False:"),
        Mutant("scoring.controller", "> 0.001", "> 1"),
    ],
    "tests.scoring.test_cache": [
        Mutant("scoring.cache", "self._scores.move_to_end(key)\n                return", "return"),
        Mutant("scoring.cache", "(hash(text), len(text))", "(text, len(text))"),
        Mutant("scoring.cache", "(hash(text), len(text))", "len(text)"),
        Mutant("scoring.cache", "> self._size:", "> 10 * self._size:"),
    ],
    "tests.scoring.test_describe": [
        Mutant("scoring.describe", 'if "unsure" not in named:', "if True:"),
        Mutant("scoring.describe", "if gain > 0:", "if True:"),
    ],
}  # fmt: skip
CASES = [(suite, mutant) for suite, mutants in MUTANTS.items() for mutant in mutants]


@pytest.mark.parametrize(("suite", "mutant"), CASES, ids=[str(mutant) for _, mutant in CASES])
def test_the_suite_kills(suite: str, mutant: Mutant) -> None:
    """The suite notices this mistake."""
    assert kills(suite, mutant)


@pytest.mark.parametrize("suite", MUTANTS)
def test_the_suite_lets_the_room_live(suite: str) -> None:
    """Without a change nothing fails: it is not the running without pytest that is noticed."""
    assert not kills(suite, None)
