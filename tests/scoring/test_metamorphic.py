"""Laws of the learned scorer that need no labels: what must not change a score, and what must.

None of these prompts is in the training data or in a benchmark.
"""

from __future__ import annotations

import pytest

from llm_router_middleware.models.spec import Tier
from llm_router_middleware.scoring import ComplexityScore, LearnedScorer

SHORT_HARD = [
    "Prove that pi is irrational.",
    "Prove that every subgroup of a cyclic group is cyclic.",
    "Which primes are sums of two cubes? Prove it.",
    "Show that the alternating group on five letters is simple.",
    "Derive the Schrodinger equation for the hydrogen atom.",
    "First-line antibiotic for meningitis in a patient with penicillin anaphylaxis?",
    "Differential diagnosis of painless jaundice with weight loss in a smoker",
    "Can metformin be continued in a patient with acute kidney injury and sepsis?",
    "Is a liability waiver enforceable against a minor's negligence claim?",
    "Does the statute of limitations bar this breach of contract claim?",
    "Write a lock-free queue in C.",
    "Find the deadlock in this Java service.",
    "Implement a red-black tree in Go with deletion.",
    "Design a sharded key-value store with strong consistency.",
]

TRIVIAL = [
    "Translate 'good morning' to Dutch.",
    "What is the capital of Chile?",
    "Fix the typo: teh cat",
    "Write a short poem about the rain.",
    "thanks!",
    "What's 3+5?",
    "Summarize in one sentence: it rained all day and we stayed at home.",
    "Say hello to Bob.",
    "Convert this list to bullet points: milk, eggs, bread",
    "Is this review positive? I loved the soup.",
    "Suggest a name for my goldfish.",
    "How many days are in April?",
]

PARAGRAPHS = {
    "legal": "The indemnifying party shall hold harmless the other party from claims arising out of a breach of "
    "warranty, subject to the limitation of liability and the exclusions set out in the schedule to this agreement. ",
    "clinical": "The patient presented with dyspnoea and pleuritic chest pain; troponin was raised, the chest "
    "radiograph showed bilateral effusions, and anticoagulation was started pending angiography. ",
    "physics": "The Hamiltonian commutes with the angular momentum operator, hence the eigenstates are degenerate, "
    "and the perturbation lifts the degeneracy to first order in the coupling constant. ",
    "meeting": "The committee discussed the parking situation and agreed that new signs should be ordered before the "
    "summer, and the treasurer will ask two companies for an offer. ",
}

QUESTION = "Which enzyme unwinds the double helix during replication?"
CHOICES = ["helicase", "ligase", "primase", "amylase"]
OPTIONS = {
    "A.": "\n".join(f"{letter}. {choice}" for letter, choice in zip("ABCD", CHOICES, strict=True)),
    "(A)": "\n".join(f"({letter}) {choice}" for letter, choice in zip("ABCD", CHOICES, strict=True)),
    "a)": "\n".join(f"{letter}) {choice}" for letter, choice in zip("abcd", CHOICES, strict=True)),
    "A:": "\n".join(f"{letter}: {choice}" for letter, choice in zip("ABCD", CHOICES, strict=True)),
    "in one line": " ".join(f"{letter}. {choice}" for letter, choice in zip("ABCD", CHOICES, strict=True)),
    "JSON": '{"A": "helicase", "B": "ligase", "C": "primase", "D": "amylase"}',
}

# fmt: off
CODE = {
    "rust": "Why doesn't this compile?\nfn longest(x: &str, y: &str) -> &str { if x.len() > y.len() { x } else { y } }",
    "go": "Fix the goroutine leak:\nfunc fetch(urls []string) chan string { "
    "ch := make(chan string); go func() { ch <- get(urls[0]) }(); return ch }",
    "typescript": "Type this properly: "
    "export const pick = (obj, keys) => keys.reduce((a, k) => ({ ...a, [k]: obj[k] }), {});",
    "java": "Make this thread-safe: public class Counter { private int n; public void inc() { n++; } }",
    "c++": "std::vector<int> v; for (auto it = v.begin(); it != v.end(); ++it) if (*it == 0) v.erase(it); "
    "// why does this crash",
    "sql": "Speed this up: SELECT * FROM orders o JOIN users u ON u.id = o.user_id "
    "WHERE lower(u.email) = 'x' ORDER BY o.created_at",
    "bash": "Debug this script: for f in $(ls *.txt); do mv $f ${f%.txt}.md; done",
    "php": "Refactor: function total($items) { $t = 0; "
    "foreach ($items as $i) { $t += $i['price'] * $i['qty']; } return $t; }",
    "haskell": "Explain the space leak: mean xs = sum xs / fromIntegral (length xs)",
    "c#": "Why does this deadlock? public string Get() { return client.GetStringAsync(url).Result; }",
}
# fmt: on

FOREIGN = {
    "spanish": "Explícame la diferencia entre un contrato de obra y uno de servicios según el código civil",
    "french": "Démontre que la racine carrée de deux est irrationnelle, puis généralise à tout nombre premier",
    "german": "Schreibe einen Parser für arithmetische Ausdrücke und erkläre die Laufzeit jeder Funktion darin",
    "italian": "Scrivi una funzione che inverte una lista concatenata e spiega perché è corretta",
    "portuguese": "Qual o tratamento inicial de um paciente idoso com pneumonia grave e insuficiência renal",
    "polish": "Udowodnij, że istnieje nieskończenie wiele liczb pierwszych, i podaj dwa różne dowody",
    "turkish": "Bu sözleşmedeki cezai şart maddesi geçerli midir, gerekçesiyle birlikte açıklayınız",
    "russian": "Докажите, что любое ограниченное монотонное множество имеет предел, и приведите пример",
    "chinese": "请证明素数有无穷多个，并给出两种不同的证明方法",
    "japanese": "この契約書の違約金条項が有効かどうか、理由とともに説明してください",
    "arabic": "اشرح الفرق بين عقد العمل وعقد تقديم الخدمات مع ذكر أمثلة عملية",
    "hindi": "अभाज्य संख्याएँ अनंत हैं इसे सिद्ध कीजिए और दूसरा प्रमाण भी दीजिए",
    "korean": "소수가 무한히 많다는 것을 증명하고 다른 증명도 하나 더 제시하세요",
}


@pytest.fixture(scope="module")
def score() -> LearnedScorer:
    """The shipped scorer."""
    return LearnedScorer()


def kind(score: ComplexityScore) -> str:
    return next((signal.removeprefix("kind=") for signal in score.signals if signal.startswith("kind=")), "")


@pytest.mark.parametrize("prompt", SHORT_HARD)
def test_short_hard_prompts_are_never_budget(prompt: str, score: LearnedScorer) -> None:
    """A proof, a diagnosis, a legal question in a dozen words is not a budget task."""
    assert score(prompt).tier is not Tier.BUDGET, score(prompt)


@pytest.mark.parametrize("prompt", TRIVIAL)
def test_trivial_prompts_are_budget(prompt: str, score: LearnedScorer) -> None:
    """Nor is a greeting, a fact or a small change to a text anything but budget."""
    assert score(prompt).tier is Tier.BUDGET, score(prompt)


def test_every_short_hard_prompt_scores_above_every_trivial_one(score: LearnedScorer) -> None:
    """The order is right whatever the thresholds are."""
    assert min(score(prompt).score for prompt in SHORT_HARD) > max(score(prompt).score for prompt in TRIVIAL)


@pytest.mark.parametrize("ask", ["Translate this into French:", "Summarize the text below.", "Proofread this:"])
@pytest.mark.parametrize("place", ["above", "below"])
@pytest.mark.parametrize("topic", PARAGRAPHS)
def test_a_long_paste_with_a_trivial_ask_stays_trivial(ask: str, place: str, topic: str, score: LearnedScorer) -> None:
    """3,000 words of anything don't make a translation harder."""
    paste = PARAGRAPHS[topic] * 120
    prompt = f"{ask}\n\n{paste}" if place == "above" else f"{paste}\n\n{ask}"
    assert len(prompt.split()) > 2_500
    assert score(prompt).tier is Tier.BUDGET, score(prompt)


def test_the_way_options_are_written_hardly_matters(score: LearnedScorer) -> None:
    """(A), a), A: or JSON: an exam question all the same, within a tenth of the scale."""
    scores = {name: score(f"{QUESTION}\n{options}") for name, options in OPTIONS.items()}
    assert {kind(one) for one in scores.values()} == {"exam"}
    values = [one.score for one in scores.values()]
    assert max(values) - min(values) < 0.1, scores


@pytest.mark.parametrize("prompt", [*SHORT_HARD, *TRIVIAL, *CODE.values()])
def test_case_changes_nothing(prompt: str, score: LearnedScorer) -> None:
    """Shouted, whispered or written: exactly the same score."""
    assert score(prompt.upper()).score == score(prompt.lower()).score == score(prompt).score


@pytest.mark.parametrize("prompt", [*SHORT_HARD, *TRIVIAL])
def test_blank_space_changes_next_to_nothing(prompt: str, score: LearnedScorer) -> None:
    """Indentation, double spaces and line ends around it don't change the score; line breaks inside hardly do."""
    exact = score(prompt).score
    for changed in (
        f"  \n{prompt}\n\n",
        prompt.replace(" ", "  "),
        prompt.replace(" ", "\t"),
        prompt.replace(" ", "\u00a0"),
    ):
        assert score(changed).score == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("wish", ["Please. {}", "{} Thank you!", "{} Thanks in advance.", "Hello! {}"])
@pytest.mark.parametrize("prompts", [SHORT_HARD, TRIVIAL], ids=["hard", "trivial"])
def test_politeness_moves_no_tier_on_average(wish: str, prompts: list[str], score: LearnedScorer) -> None:
    """A please or a thank-you moves the mean score by less than 0.15."""
    before = sum(score(prompt).score for prompt in prompts) / len(prompts)
    after = sum(score(wish.format(prompt)).score for prompt in prompts) / len(prompts)
    assert abs(after - before) < 0.15


@pytest.mark.parametrize("language", CODE)
def test_code_is_code_in_every_language(language: str, score: LearnedScorer) -> None:
    """The data are all Python; the scorer isn't: at least mid for a bug in any language."""
    found = score(CODE[language])
    assert found.tier is not Tier.BUDGET, found


def test_most_code_is_recognised_as_such(score: LearnedScorer) -> None:
    """Of ten languages at least eight are called code."""
    assert sum(kind(score(text)) == "code" for text in CODE.values()) >= 8


@pytest.mark.parametrize("language", FOREIGN)
def test_another_language_is_admitted_and_steps_up(language: str, score: LearnedScorer) -> None:
    """What it can't read it doesn't judge: at least mid, and the signal says why."""
    found = score(FOREIGN[language])
    assert "unsure=language" in found.signals, found
    assert found.tier is not Tier.BUDGET


@pytest.mark.parametrize("language", FOREIGN)
def test_another_language_is_scored_by_length(language: str, score: LearnedScorer) -> None:
    """No worse than length: the longer of two texts scores higher."""
    text = FOREIGN[language]
    assert score(text * 6).score > score(text * 2).score > score(text[: len(text) // 2]).score


@pytest.mark.parametrize("text", ["", " \n\t", "😀", "🎉🎉🎉 ✨", "?!?", "...", "\u200b", "\ud800"])
def test_what_holds_no_word_is_neutral(text: str, score: LearnedScorer) -> None:
    """Nothing to go by: the middle, one step up, and the signal says so."""
    found = score(text)
    assert (found.tier, found.score, found.signals) == (Tier.MID, 0.5, ("unsure=no_text",))


def test_noise_is_admitted(score: LearnedScorer) -> None:
    """Letters that form no words are no English."""
    assert "unsure=language" in score("xqzt vrrk plomf dwee zzgh trunkel brax").signals


def test_unknown_jargon_is_admitted(score: LearnedScorer) -> None:
    """English around words that it never saw: a step up, and said so."""
    found = score("frobnicate the quuxes with zorbified plimbolts and snarfle kwyjibos")
    assert "unsure=vocabulary" in found.signals, found
    assert found.tier is not Tier.BUDGET
