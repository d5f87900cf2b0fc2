"""Who does what to whom: words of the evidence that stand in each other's place."""

from __future__ import annotations

from typing import Final

from kgrag.records.answer import Check
from kgrag.verification.numbers import Found
from kgrag.verification.slots_words import counts
from kgrag.verification.words import Reading


def check_places(said: Reading, text: Reading) -> Found:
    """No two words of the evidence stand in each other's place in the statement."""
    nothing = Check("entities", "not_applicable"), None
    mine = [at for at, token in enumerate(said.tokens) if counts(token)]
    its = [at for at, token in enumerate(text.tokens) if counts(token)]
    if _passives(said) != _passives(text) or max(len(mine), len(its)) > _LONGEST:
        return nothing
    order: list[tuple[int, int]] = []
    for at in mine:
        keys = said.tokens[at].keys
        there = [i for i in its if not text.tokens[i].keys.isdisjoint(keys)]
        if len(there) == 1 and sum(not said.tokens[i].keys.isdisjoint(keys) for i in mine) == 1:
            order.append((at, there[0]))
    in_order = sorted(there for _, there in order)
    moved = [n for n, (_, there) in enumerate(order) if there != in_order[n]]
    if len(moved) != 2:
        return nothing
    one, other = (order[n][0] for n in moved)
    if all(token.empty or token.mark for token in said.tokens[one + 1 : other]):
        return nothing  # "nausea and vomiting"
    detail = f"{said.tokens[one].word!r} and {said.tokens[other].word!r} have changed places"
    return Check("entities", "fail", detail, "factual error"), "unsupported"


_LONGEST: Final = 80


def _passives(text: Reading) -> int:
    return sum(token.word == "by" for token in text.tokens)
