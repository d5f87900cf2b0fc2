"""Negation: the statement denies what its evidence denies, and nothing else."""

from __future__ import annotations

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
