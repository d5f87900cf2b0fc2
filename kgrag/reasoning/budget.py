"""How much is spent on a question: how many statements a part, and which rounds are worth it."""

from __future__ import annotations

from typing import Final

from kgrag.reasoning.rounds import Draft, Strand
from kgrag.records.question import Wider

NEARLY: Final = 0.75
"""The share of the threshold from which on more passages may settle a question. On development
questions none that began below 0.9 of it was settled by them (``bench/loop.py``)."""


def shares(draft: Draft) -> list[int]:
    """How many statements each answering strand may make: as many each, the first ones one more.

    A question of more parts than statements gives one to each of its first parts.
    """
    count, total = len(draft.answering), draft.options.statements
    each, over = divmod(total, count)
    return [each + (1 if at < over else 0) for at in range(count)]


def worth_it(draft: Draft, strand: Strand, action: Wider) -> bool:
    """Whether that wider round may be spent on the strand: easy and hopeless ones get none.

    Over a bridge, and with a hypothesis, the question is asked in other words: how far the first
    round was from an answer says nothing then.
    """
    if draft.settled(strand) or draft.late or len(strand.tried) >= draft.options.rounds:
        return False
    if action in ("passages", "graph"):
        return strand.chance >= NEARLY * draft.threshold
    return True
