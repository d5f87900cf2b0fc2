"""Lists of passages joined into one order: a weighted sum of standard scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.records.answer import Hit
from kgrag.stores.base import IndexHit

EVEN: Final[Mapping[str, float]] = {"bm25": 0.5, "dense": 0.5}


@dataclass(frozen=True, slots=True)
class Fusion:
    """How lists are joined.

    ``depth`` hits are taken of each source's list; ``weights`` are by source. The best ``rescored``
    hits are looked at again by the scorers: their order is by the joined score, of weight 1, and
    ``second``, by scorer. A part without a weight counts 0.
    """

    depth: int = 100
    weights: Mapping[str, float] = field(default_factory=lambda: EVEN)
    rescored: int = 40
    second: Mapping[str, float] = field(default_factory=dict)


def fuse(
    lists: Mapping[str, Sequence[IndexHit]], weights: Mapping[str, float]
) -> list[tuple[str, float]]:
    """Passage ids of all lists with their joined scores, best first, ties by passage id.

    A passage that a list lacks has that list's lowest score there: it is no better.
    """
    counted = {name: found for name, found in lists.items() if weights.get(name)}
    ids = sorted({h.passage_id for found in counted.values() for h in found})
    joined = np.zeros(len(ids))
    for name, found in counted.items():
        scores = {h.passage_id: h.score for h in found}
        lowest = min(scores.values(), default=0.0)
        joined += weights[name] * standard([scores.get(i, lowest) for i in ids])
    pairs = zip(ids, (float(score) for score in joined), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def rescore(
    hits: Sequence[Hit], found: Mapping[str, NDArray[np.float64]], fusion: Fusion
) -> list[Hit]:
    """``hits`` with those that the scorers saw in their new order; the others keep their place.

    ``found`` has, by scorer, a value for each of the first hits, NaN where it cannot tell: such a
    one has the least that the scorer gave.
    """
    seen = min((len(values) for values in found.values()), default=0)
    if not seen:
        return list(hits)
    joined = standard([h.score for h in hits[:seen]])
    for name, values in found.items():
        known = values[:seen][~np.isnan(values[:seen])]
        if len(known):
            filled = np.where(np.isnan(values[:seen]), known.min(), values[:seen])
            joined = joined + fusion.second.get(name, 0.0) * standard(filled)
    order = np.argsort(-joined, kind="stable")
    first = [replace(hits[i], score=float(joined[i])) for i in order]
    # What was not looked at again stays below what was, in its own order.
    floor = first[-1].score - hits[seen].score - 1e-6 if len(hits) > seen else 0.0
    return first + [replace(h, score=h.score + min(0.0, floor)) for h in hits[seen:]]


def standard(values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard scores; zeros when the values say nothing of an order."""
    array = np.asarray(values, dtype=np.float64)
    if not len(array):
        return array
    spread = array.std()
    if spread < 1e-9:
        return np.zeros(len(array))
    scaled: NDArray[np.float64] = (array - array.mean()) / spread
    return scaled
