"""Proposals by spelling: names that share runs of three and four letters with a surface.

The runs are weighed by how rare they are in the vocabulary, and a name is as near as the cosine
of the two sets of weights: a misspelled name finds the right one, whatever letter is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kgrag.linking.normalise import key
from kgrag.linking.propose.base import Basis, Entry, Proposal, best, entries
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import Lexicon

_RUNS: Final = (3, 4)
_BUCKETS: Final = 1 << 20
_TYPES: Final[frozenset[ConceptType]] = frozenset(("disease", "phenotype", "drug", "chemical"))
_SHORTLIST: Final = 20


class NgramProposer:
    """Ready after one pass over the names: some 12 s and 300 MB for half a million.

    A surface takes some 10 ms.
    """

    basis: Basis = "spelling"

    def __init__(self, names: Iterable[Entry]) -> None:
        self._entries = list(names)
        rows = [_buckets(entry.name) for entry in self._entries]
        pointers = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=pointers[1:])
        columns = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)
        counts = np.bincount(columns, minlength=_BUCKETS)
        self._idf = np.log((1 + len(rows)) / (1 + counts)).astype(np.float32)
        values = self._idf[columns]
        matrix = csr_array((values, columns, pointers), shape=(len(rows), _BUCKETS))
        squares = np.add.reduceat(np.append(values**2, 0), pointers[:-1]) if rows else values
        norms = np.sqrt(np.maximum(squares, 1e-6))
        self._by_run = csr_array(
            csr_array((values / np.repeat(norms, np.diff(pointers)), columns, pointers),
                      shape=matrix.shape).T
        )  # fmt: skip

    @property
    def name(self) -> str:
        return "ngrams"

    def propose(self, surfaces: Sequence[str], *, limit: int = 5) -> list[tuple[Proposal, ...]]:
        """For each surface at most ``limit`` concepts, the likeliest first, each once."""
        return [best(self._nearest(surface), limit, self.basis) for surface in surfaces]

    def _nearest(self, surface: str) -> list[tuple[float, Entry]]:
        buckets = _buckets(key(surface))
        if not len(buckets) or not self._entries:
            return []
        weights = self._idf[buckets]
        norm = float(np.sqrt((weights**2).sum()))
        if norm == 0:
            return []
        scores: NDArray[np.float32] = np.zeros(len(self._entries), dtype=np.float32)
        pointers, rows, values = self._by_run.indptr, self._by_run.indices, self._by_run.data
        for bucket, weight in zip(buckets.tolist(), weights.tolist(), strict=True):
            begin, end = pointers[bucket], pointers[bucket + 1]
            scores[rows[begin:end]] += values[begin:end] * (weight / norm)
        wanted = min(_SHORTLIST * 4, len(scores))
        nearest = np.argpartition(-scores, wanted - 1)[:wanted]
        return [(float(scores[at]), self._entries[at]) for at in nearest.tolist() if scores[at] > 0]


def _buckets(name: str) -> NDArray[np.int32]:
    """The buckets of the runs of a folded name, each once; a run is hashed by its letters."""
    letters = np.frombuffer(f" {name} ".encode("ascii"), dtype=np.uint8).astype(np.uint64)
    found = []
    for run in _RUNS:
        if len(letters) >= run:
            value = np.zeros(len(letters) - run + 1, dtype=np.uint64)
            for at in range(run):
                value = value * np.uint64(131) + letters[at : at + len(value)]
            found.append((value * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(44))
    return np.unique(np.concatenate(found)).astype(np.int32) if found else np.zeros(0, np.int32)


def load(lexicon: Lexicon) -> NgramProposer:
    """Over the names of conditions and substances."""
    return NgramProposer(entries(lexicon, _TYPES))
