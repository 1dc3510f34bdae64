"""Short replies that mean nothing alone: approvals, and follow-ups that lean on what was said before."""

from __future__ import annotations

import re

__all__ = ["is_approval", "leans_on_context"]

_LONGEST = 80
"""Characters: a longer reply speaks for itself."""

_MOST_WORDS = 8

_FEW_WORDS = 4

_WORD = re.compile(r"[^\W_]+|[👍👌✅🚀]")


def _lexicon(words: str) -> frozenset[str]:
    return frozenset(words.split())


_AGREES = _lexicon(
    """yes y yeah yep yup ok okay k sure go proceed continue lgtm approved approve confirm confirmed agreed absolutely
    definitely exactly correct right perfect great good fine do carry keep accept accepted affirmative resume ship
    ja jawohl genau weiter oui continuez si sí claro dale adelante sim да конечно давай はい お願いします 好 好的 可以
    是的 继续 네 예 tak evet 👍 👌 ✅ 🚀"""
)

_FILLERS = _lexicon(
    """it that this so please now then on ahead going with the plan all both them for me just and let lets s us sounds
    looks is as you proposed suggested described planned said i we agree want thanks thank by means of course
    bitte mach das por favor hazlo fais le d accord vas faz isso"""
)

_CONJUNCTIONS = _lexicon("and but also now no nope then still except actually wait und aber et mais y pero")
"""Opening any short reply, they carry on from what was said."""

_OPENERS = _lexicon(
    """why not more less shorter longer simpler faster slower try retry redo undo fix so or better worse without
    elaborate expand shorten simplify rewrite rephrase option number nochmal warum pourquoi hmm"""
)
"""They do so only where next to nothing follows: "simplify", "try without recursion"."""

_POINTERS = _lexicon(
    """that this these those them they again instead same previous above earlier former latter too either neither"""
)

_ORDINALS = _lexicon("first second third last one ones")

_IMPERSONAL = _lexicon("is was does did will would isn has")
"""Before "it", these make a question that stands alone: "what time is it in Madrid?"."""


def is_approval(text: str) -> bool:
    """Whether a reply only says yes to something ("yes, do it", "ok go ahead", "continue", "好的", a thumb)."""
    words = _words(text)
    return any(word in _AGREES for word in words) and all(word in _AGREES or word in _FILLERS for word in words)


def leans_on_context(text: str) -> bool:
    """Whether a reply needs the ask before it to make sense ("make it faster", "why?", "the second one", "2")."""
    words = _words(text)
    if not words:
        return False
    if words[0] in _CONJUNCTIONS or (len(words) == 1 and len(words[0]) <= 2):
        return True
    if len(words) <= _FEW_WORDS and (words[0] in _OPENERS or not _ORDINALS.isdisjoint(words)):
        return True
    return any(word in _POINTERS or _is_personal_it(words, place) for place, word in enumerate(words))


def _is_personal_it(words: list[str], place: int) -> bool:
    return words[place] == "it" and place > 0 and words[place - 1] not in _IMPERSONAL


def _words(text: str) -> list[str]:
    """The words of a short reply, lower case; none for a text that is too long to be one."""
    if len(text) > _LONGEST:
        return []
    words = _WORD.findall(text.lower())
    return words if len(words) <= _MOST_WORDS else []
