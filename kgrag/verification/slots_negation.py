"""Negation: the statement denies what its evidence denies, and nothing else."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from kgrag.records.answer import Check
from kgrag.verification.numbers import Found
from kgrag.verification.slots_words import STOPS, TURNS, overlap, shared
from kgrag.verification.words import Reading


def _scope(text: Reading, at: int) -> list[frozenset[str]]:
    """The keys of what a negating word negates: its own word, the words behind it, or, where
    nothing stands behind it, those before."""
    own = text.tokens[at].own
    behind: list[frozenset[str]] = []
    for i in range(at + 1, min(len(text.tokens), at + 14)):
        token = text.tokens[i]
        if token.word in STOPS or token.word in TURNS or token.word == ".":
            break
        if token.content and "negation" not in token.labels:
            behind.append(text.keys[i])
            if len(behind) == 3:
                break
    found = [own, *behind] if own else behind
    if found and (behind or text.tokens[at].word in ("not", "no")):
        return found
    before = [i for i in range(max(0, at - 10), at) if text.tokens[i].content][-3:]
    return [*found, *(text.keys[i] for i in before)]


def check_negation(said: Reading, text: Reading) -> Found:
    """The statement negates what its evidence negates: neither drops nor adds a negation."""
    mine, its = said.labelled("negation"), text.labelled("negation")
    turned = _partly(said, text) or _twice(said, text) or _prefixed(said, text)
    if turned:
        return Check("negation", "fail", turned, "factual error"), "contradicts"
    if not mine and not its:
        return Check("negation", "not_applicable"), None
    pairs = sorted(
        ((_same_denial(said, at, text, there), at, there) for at in mine for there in its),
        key=lambda p: (-p[0], p[1], p[2]),
    )
    free_mine, free_its = set(mine), set(its)
    for score, at, there in pairs:
        if score >= _SAME_DENIAL and at in free_mine and there in free_its:
            free_mine.remove(at)
            free_its.remove(there)
            if _exchanged(said, at, text, there):
                return Check("negation", "fail", f"{said.tokens[at].word!r} denies another thing",
                             "factual error"), "contradicts"  # fmt: skip
    for at in sorted(free_mine):
        # "Neither A nor B" may be "not A or B": one denial over two words.
        chained = said.tokens[at].word in ("nor", "neither") and any(
            s >= _SAME_DENIAL for s, other, _ in pairs if other == at
        )
        if not chained:
            return Check("negation", "fail", f"the statement adds {said.tokens[at].word!r}",
                         "factual error"), "contradicts"  # fmt: skip
    for there in sorted(free_its):
        scope = _scope(text, there)
        chained = text.tokens[there].word in ("nor", "neither") and any(
            s >= _SAME_DENIAL for s, _, other in pairs if other == there
        )
        if scope and not chained and shared(scope, said.groups) >= 0.6:
            return Check("negation", "fail", f"the statement drops {text.tokens[there].word!r}",
                         "factual error"), "contradicts"  # fmt: skip
    return Check("negation", "pass"), None


_SAME_DENIAL: Final = 0.34


def _same_denial(said: Reading, at: int, text: Reading, there: int) -> float:
    """How far two negating words deny the same: by what they negate or by where they stand."""
    own, its = said.tokens[at].own, text.tokens[there].own
    if own and its and not own.isdisjoint(its):
        return 1.0 + overlap(said, at, text, there)
    denied = frozenset(key for keys in _scope(text, there) for key in keys)
    scope = shared(_scope(said, at), denied)
    return max(scope, overlap(said, at, text, there) if scope else 0.0)


# --- denials in part, denials of denials --------------------------------------------------------

_WHOLE: Final = frozenset(
    "all every everyone always necessarily both entirely completely invariably".split()
)
_PART: Final = re.compile(rf"\bnot (?:{'|'.join(sorted(_WHOLE))})\b")
_SOMETIMES: Final = re.compile(r"\b(?:some|sometimes|may|might|can|could|most|many|partly|only)\b")
_DENIED: Final = re.compile(r"\bnot (uncommon|infrequent|unusual|rare|unlikely)(?:ly)?\b")


def _partly(said: Reading, text: Reading) -> str:
    """ "Not all are" is neither "all are" nor "all are not"."""
    mine = said.plain
    if not _PART.search(text.plain) or _PART.search(mine) or _SOMETIMES.search(mine):
        return ""
    for at, (one, other) in enumerate(pairwise(text.tokens)):
        if one.word == "not" and other.word in _WHOLE:
            behind = [text.keys[i] for i in text.content if i > at + 1][:3]
            if behind and shared(behind, said.groups) >= 0.6:
                return f"'not {other.word}' is told otherwise"
    return ""


def _twice(said: Reading, text: Reading) -> str:
    """ "Not uncommon" is not "uncommon"."""
    mine, its = said.plain, text.plain
    for one, other in ((mine, its), (its, mine)):
        for match in _DENIED.finditer(one):
            bare = re.compile(rf"(?<!\bnot )\b{match[1]}")
            if bare.search(other) and not re.search(rf"\bnot {match[1]}", other):
                return f"{match[0]!r} against {match[1]!r}"
    return ""


def _prefixed(said: Reading, text: Reading) -> str:
    """What is "non-small" in the one is not "small" in the other."""
    mine, its = _behind_non(said), _behind_non(text)
    for other, denied in ((text, mine - its), (said, its - mine)):
        for word in sorted(denied):
            if any(token.word == word for token in other.tokens):
                return f"'non-{word}' against {word!r}"
    return ""


def _behind_non(text: Reading) -> set[str]:
    return {other.word for one, other in pairwise(text.tokens) if one.word == "non"}


_VERBS: Final = frozenset(
    "is are was were be can could may might must should will would do does did has have had".split()
)


def _clause(text: Reading, at: int) -> range:
    """The tokens of the clause of this place: up to a mark, a turn, or an "and" with a verb."""
    start, end = at, at + 1
    while start > 0 and not _parts(text, start - 1):
        start -= 1
    while end < len(text.tokens) and not _parts(text, end):
        end += 1
    return range(start, end)


def _parts(text: Reading, at: int) -> bool:
    word = text.tokens[at].word
    behind = text.tokens[at + 1 : at + 2]
    if word == ",":  # mostly of a list
        return bool(behind) and (
            behind[0].word in TURNS or behind[0].word in _VERBS or "negation" in behind[0].labels
        )
    if word in STOPS or word in TURNS or word == ".":
        return True
    return word in ("and", "or") and bool(behind) and behind[0].word in _VERBS


def _exchanged(said: Reading, at: int, text: Reading, there: int) -> bool:
    """Whether what the one denies stands outside of the denial in the other, both ways round."""
    mine, its = _clause(said, at), _clause(text, there)
    return _outside(said, mine, text, its) and _outside(text, its, said, mine)


def _outside(one: Reading, clause: range, other: Reading, its: range) -> bool:
    """Whether a word of the clause stands in the other text in a clause without a denial alone."""
    for at in clause:
        if not one.tokens[at].content or "negation" in one.tokens[at].labels:
            continue
        keys = one.tokens[at].keys
        places = [i for i in other.content if not other.tokens[i].keys.isdisjoint(keys)]
        if not places or any(i in its for i in places):
            continue
        if all(
            not any("negation" in other.tokens[i].labels for i in _clause(other, place))
            for place in places
        ):
            return True
    return False
