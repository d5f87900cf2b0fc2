"""What a confidence is worth: bounds of precision, reliability, risk against coverage, thresholds.

Pure functions of scores and of what turned out right. A threshold is given only when the lower
bound of the precision above it holds what was asked; else there is none, and what would rest on
it stays off.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LEVEL: Final = 0.95
"""Of one-sided lower bounds."""
FIRST: Final = 100
"""The fewest scored things that a threshold rests on: 99 right of 100 bound a share at 0.953."""
TAIL: Final = 20
"""The lowest scores above a threshold must be right as often as is asked by themselves."""
_GROWTH: Final = 1.01


def lower_bound(right: int, total: int, level: float = LEVEL) -> float:
    """The one-sided exact (Clopper-Pearson) lower bound of a share, in [0, 1]; 0 of nothing.

    The largest share that would give ``right`` or more of ``total`` with chance 1 - ``level``.
    """
    if not 0 <= right <= total:
        raise ValueError(f"{right} of {total} is no share")
    if right == 0:
        return 0.0
    low, high = 0.0, right / total
    for _ in range(60):
        middle = (low + high) / 2
        if _at_least(right, total, middle) < 1 - level:
            low = middle
        else:
            high = middle
    return low


def _at_least(right: int, total: int, share: float) -> float:
    """The chance of ``right`` or more hits in ``total`` draws of chance ``share``."""
    if share <= 0.0:
        return 0.0
    if share >= 1.0:
        return 1.0
    logs = (math.log(share), math.log1p(-share))
    terms = (
        math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
        + k * logs[0] + (total - k) * logs[1]
        for k in range(right, total + 1)
    )  # fmt: skip
    return min(1.0, math.fsum(math.exp(t) for t in terms))


@dataclass(frozen=True, slots=True)
class Curve:
    """A rising map of a raw score to a probability: straight between knots, flat beyond them."""

    scores: tuple[float, ...]
    chances: tuple[float, ...]

    def __post_init__(self) -> None:
        pairs = zip(self.scores, self.scores[1:], strict=False)
        rising = zip(self.chances, self.chances[1:], strict=False)
        if (
            not self.scores
            or len(self.scores) != len(self.chances)
            or not all(map(math.isfinite, self.scores))
            or not all(0.0 <= c <= 1.0 for c in self.chances)
            or any(a >= b for a, b in pairs)
            or any(a > b for a, b in rising)
        ):
            raise ValueError("a curve has rising scores and chances in [0, 1] that do not fall")

    def __call__(self, score: float) -> float:
        """The probability at ``score``; ValueError for what is no number."""
        if not math.isfinite(score):
            raise ValueError("the score is no number")
        at = bisect_right(self.scores, score)
        if at == 0:
            return self.chances[0]
        if at == len(self.scores):
            return self.chances[-1]
        left, right = self.scores[at - 1], self.scores[at]
        share = (score - left) / (right - left)
        return self.chances[at - 1] + share * (self.chances[at] - self.chances[at - 1])


def isotonic(scores: Sequence[float], right: Sequence[bool], *, least: int = 20) -> Curve:
    """The rising curve nearest to what turned out right (pool-adjacent-violators).

    Pools of fewer than ``least`` are joined with a neighbour, and each pool's share is pulled half
    a count to either side, so that no few lucky ones become certainty. ValueError of nothing.
    """
    if not scores or len(scores) != len(right):
        raise ValueError("a curve needs one outcome a score")
    order = sorted(range(len(scores)), key=lambda at: scores[at])
    # Each pool: sum of scores, hits, count. Equal scores are one.
    pools: list[list[float]] = []
    last: float | None = None
    for at in order:
        if scores[at] == last:
            pools[-1][0] += scores[at]
            pools[-1][1] += right[at]
            pools[-1][2] += 1
        else:
            pools.append([scores[at], float(right[at]), 1.0])
        last = scores[at]
    pools = _joined(pools, least)
    rising: list[list[float]] = []
    for pool in pools:
        rising.append(pool)
        while len(rising) > 1 and _share(rising[-2]) >= _share(rising[-1]):
            above = rising.pop()
            rising[-1] = [a + b for a, b in zip(rising[-1], above, strict=True)]
    return Curve(
        tuple(total / count for total, _, count in rising), tuple(_share(p) for p in rising)
    )


def _joined(pools: list[list[float]], least: int) -> list[list[float]]:
    found: list[list[float]] = []
    for pool in pools:
        if found and found[-1][2] < least:
            found[-1] = [a + b for a, b in zip(found[-1], pool, strict=True)]
        else:
            found.append(list(pool))
    if len(found) > 1 and found[-1][2] < least:
        rest = found.pop()
        found[-1] = [a + b for a, b in zip(found[-1], rest, strict=True)]
    return found


def _share(pool: Sequence[float]) -> float:
    return (pool[1] + 0.5) / (pool[2] + 1.0)


@dataclass(frozen=True, slots=True)
class Bin:
    """Some of the things judged, of like probability: mean probability, share right, how many."""

    chance: float
    right: float
    count: int


def reliability(chances: Sequence[float], right: Sequence[bool], bins: int = 10) -> tuple[Bin, ...]:
    """Bins of equal count by rising probability; things of one probability are never parted."""
    if len(chances) != len(right):
        raise ValueError("reliability needs one outcome a probability")
    order = sorted(range(len(chances)), key=lambda at: chances[at])
    size = max(1, math.ceil(len(order) / bins))
    found: list[Bin] = []
    at = 0
    while at < len(order):
        end = min(at + size, len(order))
        while end < len(order) and chances[order[end]] == chances[order[end - 1]]:
            end += 1
        inside = order[at:end]
        mean = sum(chances[i] for i in inside) / len(inside)
        hits = sum(right[i] for i in inside) / len(inside)
        found.append(Bin(mean, hits, len(inside)))
        at = end
    return tuple(found)


def expected_error(bins: Sequence[Bin]) -> float | None:
    """The expected calibration error of ``bins``; None without any."""
    total = sum(b.count for b in bins)
    return sum(b.count * abs(b.chance - b.right) for b in bins) / total if total else None


def risk_coverage(confidence: Sequence[float], right: Sequence[bool]) -> tuple[float, ...]:
    """The share wrong among the n surest, for n of 1 to all; things equally sure count evenly."""
    order = sorted(range(len(confidence)), key=lambda at: -confidence[at])
    risks: list[float] = []
    wrong = 0.0
    at = 0
    while at < len(order):
        end = at
        while end < len(order) and confidence[order[end]] == confidence[order[at]]:
            end += 1
        each = sum(not right[i] for i in order[at:end]) / (end - at)
        for n in range(at + 1, end + 1):
            wrong += each
            risks.append(wrong / n)
        at = end
    return tuple(risks)


def area(risks: Sequence[float]) -> float | None:
    """The area under risk against coverage (AURC), the mean risk; None of nothing."""
    return sum(risks) / len(risks) if risks else None


@dataclass(frozen=True, slots=True)
class Threshold:
    """Scores of ``at`` and above were right ``right`` times of ``total``, at least ``bound``."""

    at: float
    precision: float
    bound: float
    right: int
    total: int


def threshold_for(
    scores: Sequence[float],
    right: Sequence[bool],
    precision: float,
    *,
    level: float = LEVEL,
    first: int = FIRST,
) -> Threshold | None:
    """The lowest threshold above which ``precision`` holds by its lower bound; None when none.

    Tried in one fixed order, from the ``first`` best scores on to ever more of them and at last to
    all, and stopped where the bound first falls short, so that trying many costs nothing of the
    bound's level. It is stopped too where the last ``TAIL`` taken in were right less often than
    ``precision``: many sure ones of one kind do not vouch for unsure ones of another.
    """
    order = sorted(range(len(scores)), key=lambda at: -scores[at])
    best: Threshold | None = None
    size, end = float(first), 0
    while first <= len(order) and end < len(order):
        end = min(round(size), len(order))
        while end < len(order) and scores[order[end]] == scores[order[end - 1]]:
            end += 1
        hits = sum(right[i] for i in order[:end])
        bound = lower_bound(hits, end, level)
        tail = order[max(0, end - TAIL) : end]
        if bound < precision or sum(right[i] for i in tail) < precision * len(tail):
            break
        best = Threshold(scores[order[end - 1]], precision, bound, hits, end)
        size = max(end + 1.0, size * _GROWTH)
    return best
