"""How much is spent on a question: another round, and which, by what the rounds before found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kgrag.reasoning.parts import Parts
from kgrag.reasoning.rounds import Draft, Strand
from kgrag.records.answer import RoundAction

ORDER: Final[tuple[RoundAction, ...]] = ("passages", "graph", "bridge", "hypotheses")
"""What is looked at when the first round does not settle a question, in this order."""
HOPELESS: Final = 0.0
"""The share of the threshold below which a chance is too small for any further round to mend."""


def shares(draft: Draft) -> list[int]:
    """How many statements each answering strand may make: one each, what is left to the first.

    A question of more parts than statements gives one to each of its first parts.
    """
    count, total = len(draft.answering), draft.options.statements
    each, over = divmod(total, count)
    return [each + (1 if at < over else 0) for at in range(count)]


def worth_it(draft: Draft, strand: Strand) -> bool:
    """Whether another round may be spent on the strand."""
    if draft.settled(strand) or draft.late:
        return False
    return strand.chance >= HOPELESS * draft.threshold


def actions(draft: Draft, strand: Strand, parts: Parts) -> Iterator[RoundAction]:
    """The rounds after the first that the options and the parts allow, each at most once."""
    left = draft.options.rounds - 1
    possible: dict[RoundAction, bool] = {
        "passages": True,
        "graph": parts.near is not None and bool(draft.view.evidence),
        "bridge": parts.bridges is not None and bool(draft.view.seeds),
        "hypotheses": parts.suppose is not None,
    }
    for action in ORDER:
        if left > 0 and possible[action] and action not in strand.tried:
            left -= 1
            yield action
