"""The best passages say what the question is about: the others are compared with them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder
from kgrag.ids import sha256
from kgrag.records.answer import Hit
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.index import cache_name, titled
from kgrag.stores.base import TruthStore

if TYPE_CHECKING:
    from kgrag.engine import Engine
    from kgrag.reasoning.supersession import Past

BEST: Final = 8
"""Of how many passages the middle is taken, each by the softmax of its score."""
KEPT: Final = 20_000
"""Vectors kept in memory, 1.5 KB each."""


class Feedback:
    """Cosine with the weighted middle of the best passages (Rocchio 1971), in [-1, 1].

    It reads the order that the hits come in and their scores: so it is asked after the other
    scorers. NaN where the kb has no vector for a passage, and for all when the best have none.
    """

    name: Final = "feedback"

    def __init__(self, truth: TruthStore, encoder: Encoder) -> None:
        self._truth, self._cache = truth, cache_name(encoder)
        self._kept: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    def score(self, asked: Asked, hits: Sequence[Hit]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        scores = np.full(len(hits), np.nan)
        vectors = self._vectors(hits)
        known = np.array([at for at, h in enumerate(hits) if h.passage_id in vectors], dtype=int)
        best = known[:BEST]
        if not len(best):
            return scores
        matrix = np.stack([vectors[hits[at].passage_id] for at in known])
        values = np.array([hits[at].score for at in best])
        weights = np.exp(values - values.max())
        middle = weights / weights.sum() @ matrix[: len(best)]
        length = float(np.linalg.norm(middle))
        if length > 1e-9:
            scores[known] = matrix @ (middle / length)
        return scores

    def _vectors(self, hits: Sequence[Hit]) -> dict[str, NDArray[np.float32]]:
        """By passage id, of those that the kb has a vector for."""
        found = {h.passage_id: self._kept[h.passage_id] for h in hits if h.passage_id in self._kept}
        # A document without a title of its own is shown under another name, not indexed by it.
        for own_title in (True, False):
            wanted: dict[str, list[str]] = {}
            for hit in hits:
                if hit.passage_id not in found:
                    title = hit.document.title if own_title else None
                    digest = sha256(titled(title, hit.section, hit.text).encode())
                    wanted.setdefault(digest, []).append(hit.passage_id)
            cached = self._truth.embeddings(self._cache, list(wanted)) if wanted else {}
            for digest, vector in cached.items():
                for passage in wanted[digest]:
                    found[passage] = self._kept[passage] = vector
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found


def feedback_of(engine: Engine | Past) -> Feedback:
    """The scorer over the engine's kb."""
    return Feedback(engine.truth, engine.encoder)
