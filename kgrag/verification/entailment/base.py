"""What judges whether a text entails a sentence. The user brings it; kgrag ships none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Pair = tuple[str, str]
"""A premise, which a source says, and a hypothesis, which is to follow from it."""


@dataclass(frozen=True, slots=True)
class Entailed:
    """What a checker says of one pair; all numbers are probabilities in [0, 1].

    ``supported``: that the hypothesis follows from the premise. ``contradicted``: that the premise
    is against it, None from a checker that cannot tell this from mere silence. ``spans``: the
    characters ``[start, end)`` of the hypothesis that the checker marks as unsupported, each with
    the probability of it, in order; empty from a checker that marks none.
    """

    supported: float
    contradicted: float | None = None
    spans: tuple[tuple[int, int, float], ...] = ()

    def __post_init__(self) -> None:
        told = [self.supported, *(s[2] for s in self.spans)]
        told += [] if self.contradicted is None else [self.contradicted]
        if not all(math.isfinite(p) and 0.0 <= p <= 1.0 for p in told):
            raise ValueError("what a checker says is a probability in [0, 1]")
        if not all(0 <= start < end for start, end, _ in self.spans):
            raise ValueError("a span of the hypothesis is empty or begins before it")


class Entailment(Protocol):
    """A checker of entailment: an NLI model, a token-level detector, a fact-checking model."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    def judge(self, pairs: Sequence[Pair]) -> list[Entailed]:
        """One judgement a pair, in their order; the same for a pair in any company.

        A premise that is too long to be read at once is read in windows of whole sentences, of
        which the best one counts; nothing is left out in silence. DataError when a hypothesis or
        one sentence of a premise does not fit, or a hypothesis is empty; BrokenInvariant when the
        model gives what is no number. A premise without words supports nothing.
        """
        ...
