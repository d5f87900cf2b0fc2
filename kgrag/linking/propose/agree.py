"""When a proposal becomes a mention: never on its own.

A concept proposed by spelling for a span is accepted when its score reaches ``SPELLING`` and
something of another kind agrees:

- a proposer by meaning has the same concept among its first, at ``MEANING`` or above; or
- the document itself names the concept, exactly, somewhere else; or
- the span is the long form of a short form that is a name of the concept.

A concept proposed by meaning alone is never accepted, however near it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from kgrag.linking.propose.base import Proposal

SPELLING: Final = 0.6
MEANING: Final = 0.6


def agreed(
    proposals: Iterable[Proposal], *, named: Collection[str], short_form: Collection[str] = ()
) -> Proposal | None:
    """The accepted one of all the proposals for one span; None when nothing agrees.

    ``named`` are the concepts that the document names exactly; ``short_form`` those that the
    span's short form may mean, when the document defines one. Of several the best spelled.
    """
    every = list(proposals)
    meant = {p.concept for p in every if p.basis == "meaning" and p.score >= MEANING}
    spelled = [p for p in every if p.basis == "spelling" and p.score >= SPELLING]
    accepted = [
        p for p in spelled if p.concept in meant or p.concept in named or p.concept in short_form
    ]
    return min(accepted, key=lambda p: (-p.score, p.concept), default=None)
