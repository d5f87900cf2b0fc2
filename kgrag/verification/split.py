"""A statement as claims that are checked one by one, and the evidence each is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kgrag.reasoning.coverage import content_words, coverage, weights
from kgrag.sentences import sentences


@dataclass(frozen=True, slots=True)
class Aligned:
    """A claim and the piece of evidence nearest to it; ``covered`` is in [0, 1].

    ``text`` is one sentence of the evidence, or two neighbours when both are needed.
    """

    claim: str
    text: str
    covered: float


def claims(statement: str) -> list[str]:
    """The sentences of ``statement``, in order."""
    return [span.of(statement) for span in sentences(statement)]


def align(claim: str, evidence: Sequence[str]) -> Aligned | None:
    """The claim with the evidence sentence that covers most of its words; None without evidence.

    Rare words of the evidence weigh more. Two neighbours are taken when together they cover
    clearly more than either. Ties go to the first.
    """
    lines = [[span.of(text) for span in sentences(text)] for text in evidence]
    words = [[content_words(line) for line in group] for group in lines]
    if not any(lines):
        return None
    weight = weights(w for group in words for w in group)
    wanted = content_words(claim)
    best: Aligned | None = None
    for group, group_words in zip(lines, words, strict=True):
        singles = [coverage(wanted, having, weight) for having in group_words]
        for at, covered in enumerate(singles):
            if best is None or covered > best.covered + 1e-9:
                best = Aligned(claim, group[at], covered)
        for at in range(len(group) - 1):
            both = coverage(wanted, group_words[at] + group_words[at + 1], weight)
            if best is not None and both > best.covered + 0.15:
                best = Aligned(claim, f"{group[at]} {group[at + 1]}", both)
    return best
