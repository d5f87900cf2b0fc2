"""Lists of passages joined into one order: a weighted sum of what each part says.

The weights lie in ``fusion.json`` beside this file, with what they were fitted on;
``bench/fit_fusion.py`` writes them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kgrag.errors import BrokenInvariant
from kgrag.records.answer import Hit
from kgrag.retrieval.rewrite import Kind
from kgrag.stores.base import IndexHit

FITTED: Final = Path(__file__).with_name("fusion.json")
EVEN: Final[Mapping[str, float]] = {"bm25": 0.5, "dense": 0.5}

Scale = Literal["standard", "share", "plain"]
"""How a part's scores are made comparable.

``standard``: mean 0 and spread 1 over the passages of the question, whatever the part. ``share``:
of the part's largest score. ``plain``: as they are. The last two keep how far apart a question's
passages are: a part for which all are alike then says little, as BM25 of a long message does.
"""


@dataclass(frozen=True, slots=True)
class Fusion:
    """How lists are joined.

    ``depth`` hits are taken of each source's list; ``weights`` are by source. The best ``rescored``
    hits are looked at again by the scorers: their order is by the joined score and ``second``, by
    scorer. A part without a weight counts 0, one that ``scales`` does not name is ``standard``.
    ``kinds`` has, by kind of question, the weights of parts that differ there. Scorers of ``last``
    are asked after the others: they read the order so far.
    """

    depth: int = 100
    weights: Mapping[str, float] = field(default_factory=lambda: EVEN)
    rescored: int = 40
    second: Mapping[str, float] = field(default_factory=dict)
    scales: Mapping[str, Scale] = field(default_factory=dict)
    kinds: Mapping[Kind, Mapping[str, float]] = field(default_factory=dict)
    last: frozenset[str] = frozenset()

    def of(self, kind: Kind) -> Fusion:
        """How lists are joined for questions of that kind."""
        other = self.kinds.get(kind)
        if not other:
            return self
        weights = {name: other.get(name, weight) for name, weight in self.weights.items()}
        second = {name: other.get(name, weight) for name, weight in self.second.items()}
        return replace(self, weights=weights, second=second, kinds={})


def fitted(encoder: str, path: Path = FITTED) -> Fusion:
    """What was fitted for an encoder, by its name; for others, what needs no knowledge of it.

    BrokenInvariant when the file is not one that ``bench/fit_fusion.py`` wrote.
    """
    values: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    made = values["fitted"].get(encoder, values["any"])
    fusion = Fusion(
        depth=values["depth"],
        weights=made["sources"],
        rescored=values["rescored"],
        second=made["scorers"],
        scales=made["scales"],
        kinds=made["kinds"],
        last=frozenset(values["last"]),
    )
    numbers = [*fusion.weights.values(), *fusion.second.values()]
    numbers.extend(weight for other in fusion.kinds.values() for weight in other.values())
    if not all(math.isfinite(n) for n in numbers) or set(fusion.scales.values()) - set(
        get_args(Scale)
    ):
        raise BrokenInvariant(f"{path} has weights or scales that nothing can be joined by")
    return fusion


def fuse(
    lists: Mapping[str, Sequence[IndexHit]],
    weights: Mapping[str, float],
    scales: Mapping[str, Scale] | None = None,
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
        values = np.array([scores.get(i, lowest) for i in ids])
        joined += weights[name] * scaled(values, (scales or {}).get(name, "standard"))
    pairs = zip(ids, (float(score) for score in joined), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def rescore(
    hits: Sequence[Hit], found: Mapping[str, NDArray[np.float64]], fusion: Fusion
) -> list[Hit]:
    """``hits`` with those that the scorers saw in their new order; the others keep their place.

    ``found`` has, by scorer, a value for each of the first hits, NaN where it cannot tell: such a
    one has the least that the scorer gave. Scales are over those of which it could tell.
    """
    seen = min((len(values) for values in found.values()), default=0)
    if not seen:
        return list(hits)
    joined = np.array([h.score for h in hits[:seen]])
    if not fusion.scales:
        joined = standard(joined)
    for name, values in found.items():
        weight, told = fusion.second.get(name, 0.0), ~np.isnan(values[:seen])
        if weight and told.any():
            comparable = scaled(values[:seen][told], fusion.scales.get(name, "standard"))
            told_of = np.full(seen, comparable.min())
            told_of[told] = comparable
            joined = joined + weight * told_of
    order = np.argsort(-joined, kind="stable")
    first = [replace(hits[i], score=float(joined[i])) for i in order]
    # What was not looked at again stays below what was, in its own order.
    floor = first[-1].score - hits[seen].score - 1e-6 if len(hits) > seen else 0.0
    return first + [replace(h, score=h.score + min(0.0, floor)) for h in hits[seen:]]


def scaled(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Scores of one part, comparable as ``scale`` says."""
    if scale == "standard":
        return standard(values)
    if scale == "plain":
        return values
    largest = float(np.abs(values).max(initial=0.0))
    shares: NDArray[np.float64] = values / largest if largest > 1e-9 else np.zeros(len(values))
    return shares


def standard(values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard scores; zeros when the values say nothing of an order."""
    array = np.asarray(values, dtype=np.float64)
    if not len(array):
        return array
    spread = array.std()
    if spread < 1e-9:
        return np.zeros(len(array))
    centred: NDArray[np.float64] = (array - array.mean()) / spread
    return centred
