"""Which parts of an index are written anew as one: few parts to search, little written twice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

#: Points of one part at most. Writing a part anew, as purging does, takes seconds at this size.
MOST: Final = 131_072
#: Parts of about one size that become one.
_TOGETHER: Final = 4
_SMALLEST: Final = 128
# Beyond these it is quicker to write a part anew than to leave out what is gone in every search.
_GONE_SHARE: Final = 0.25
_GONE_NAMED: Final = 1000


def together(sizes: Sequence[int]) -> list[int] | None:
    """The numbers of the parts to join next, None when they are few enough.

    Each point is joined again only when its part has grown about fourfold, so that it is written
    a logarithmic number of times, and at most three parts of each size are left.
    """
    tiers: dict[int, list[int]] = {}
    for at in sorted(range(len(sizes)), key=lambda i: sizes[i]):
        tiers.setdefault(_tier(sizes[at]), []).append(at)
    for tier in sorted(tiers):
        fitting: list[int] = []
        total = 0
        for at in tiers[tier]:
            if total + sizes[at] <= MOST:
                fitting.append(at)
                total += sizes[at]
        if len(fitting) >= _TOGETHER:
            return fitting
    return None


def _tier(size: int) -> int:
    return 0 if size < _SMALLEST else 1 + int(math.log(size / _SMALLEST, _TOGETHER))


def worn(points: int, gone: int, named: int) -> bool:
    """Whether a part should be written anew without its ``gone`` points, told by ``named`` ids."""
    return gone > _GONE_SHARE * points or named > _GONE_NAMED
