"""Intervals of measured shares and of figures over documents."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95% interval of a share by Wilson's score; (0, 1) of nothing."""
    if total == 0:
        return 0.0, 1.0
    share = right / total
    centre = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    below = 1 + z * z / total
    return max(0.0, (centre - half) / below), min(1.0, (centre + half) / below)


def share(right: int, total: int) -> str:
    """A share with its interval, as the results show it."""
    low, high = wilson(right, total)
    return f"{right / total if total else 0:.3f} [{low:.3f}, {high:.3f}]"


def bootstrap(
    units: Sequence[T], figure: Callable[[Sequence[T]], float], rounds: int = 1000, seed: int = 1
) -> tuple[float, float]:
    """The 95% interval of ``figure`` when the units (documents) are drawn again."""
    random_ = random.Random(seed)
    found = sorted(figure(random_.choices(units, k=len(units))) for _ in range(rounds))
    return found[int(0.025 * rounds)], found[int(0.975 * rounds)]
