"""The hybrid index in memory: exact, plain numpy, the measure for every other implementation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kgrag.stores.base import Filters, IndexHit, Point


class MemoryIndex:
    """A ``VectorIndex`` that lives as long as the process."""

    def __init__(self, *, dimensions: int) -> None:
        self._dimensions = dimensions
        self._points: dict[str, Point] = {}
        self._matrix: NDArray[np.float32] | None = None
        self._order: list[Point] = []
        self._stamp = 0

    @property
    def stamp(self) -> int:
        return self._stamp

    def upsert(self, points: Iterable[Point]) -> None:
        for point in points:
            if point.vector.shape != (self._dimensions,):
                raise ValueError(f"a vector of {self._dimensions} dimensions is needed")
            self._points[point.passage_id] = point
        self._matrix = None

    def delete_documents(self, document_ids: Sequence[str]) -> None:
        gone = set(document_ids)
        self._points = {k: p for k, p in self._points.items() if p.document_id not in gone}
        self._matrix = None

    def commit(self, stamp: int) -> None:
        self._stamp = stamp

    def purge(self) -> None:
        """Nothing to do: a deleted point is not kept."""

    def dense(self, vector: NDArray[np.float32], *, limit: int, filters: Filters) -> list[IndexHit]:
        if not self._points:
            return []
        if self._matrix is None:
            self._order = list(self._points.values())
            self._matrix = np.stack([p.vector for p in self._order])
        scores = self._matrix @ vector
        hits = [
            IndexHit(p.passage_id, p.document_id, float(score))
            for p, score in zip(self._order, scores, strict=True)
            if admits(filters, p)
        ]
        return best(hits, limit)

    def sparse(self, terms: Mapping[int, float], *, limit: int, filters: Filters) -> list[IndexHit]:
        # The frequencies are those of the collections searched, so that a collection's ranking
        # tells nothing of the others.
        corpus = [
            p
            for p in self._points.values()
            if not filters.collections or p.collection in filters.collections
        ]
        idf = {term: _idf(len(corpus), sum(term in p.terms for p in corpus)) for term in terms}
        hits = []
        for p in corpus:
            shared = [t for t in terms if t in p.terms]
            if shared and admits(filters, p):
                score = sum(terms[t] * p.terms[t] * idf[t] for t in shared)
                hits.append(IndexHit(p.passage_id, p.document_id, score))
        return best(hits, limit)

    def refresh(self) -> bool:
        return False  # nobody else writes to memory

    def count(self) -> int:
        return len(self._points)

    def close(self) -> None:
        """Nothing to release."""


def admits(filters: Filters, point: Point) -> bool:
    """Whether the filters let ``point`` through."""
    return (
        (not filters.collections or point.collection in filters.collections)
        and (not filters.documents or point.document_id in filters.documents)
        and point.document_id not in filters.without_documents
    )


def best(hits: list[IndexHit], limit: int) -> list[IndexHit]:
    """The ``limit`` best, ties by passage id."""
    return sorted(hits, key=lambda h: (-h.score, h.passage_id))[:limit]


def _idf(count: int, containing: int) -> float:
    return math.log((count - containing + 0.5) / (containing + 0.5) + 1.0)
