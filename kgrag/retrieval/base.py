"""What retrieval is made of: sources find passages, scorers look again at those that were found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kgrag.records.answer import Hit
from kgrag.retrieval.asked import Asked
from kgrag.stores.base import Filters, IndexHit


class Source(Protocol):
    """One way to find passages. ``name`` is what settings, weights and ablations call it."""

    @property
    def name(self) -> str: ...

    def find(self, asked: Asked, *, limit: int, filters: Filters) -> Sequence[IndexHit]:
        """At most ``limit`` passages, best first, ties by passage id; scores have no unit.

        Empty when this way has nothing to say of the question.
        """
        ...


class Scorer(Protocol):
    """A second look at the passages that the sources brought up."""

    @property
    def name(self) -> str: ...

    def score(self, asked: Asked, hits: Sequence[Hit]) -> NDArray[np.float64]:
        """Shape (len(hits),), higher is better; NaN where it cannot tell."""
        ...
