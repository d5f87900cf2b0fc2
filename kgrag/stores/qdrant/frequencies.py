"""How many points of each collection hold each term: what BM25's inverse document frequency needs.

The index is made of parts, and a part's engine knows its own points only. So each part keeps this
table beside its engine's files, what is deleted from it is counted too, and a term's frequency is
the sum over the parts less what was deleted: the same as if all points lay in one engine.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NAME: Final = "frequencies.npz"
Terms = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Held:
    """One collection: its points, and its terms in ascending order, each with its points."""

    points: int
    terms: Terms
    counts: NDArray[np.uint32]


Frequencies = Mapping[str, Held]


class Counting:
    """Counts points as they come."""

    #: Terms that wait to be counted, of one collection: a few megabytes.
    _WAITING: Final = 1 << 20

    def __init__(self) -> None:
        self._points: dict[str, int] = {}
        self._lists: dict[str, list[Terms]] = {}
        self._sizes: dict[str, int] = {}
        self._held: dict[str, Held] = {}

    def add(self, collection: str, terms: Iterable[int]) -> None:
        """One point more, with its distinct terms."""
        made = np.fromiter(terms, dtype=np.uint32)
        self._points[collection] = self._points.get(collection, 0) + 1
        self._lists.setdefault(collection, []).append(made)
        self._sizes[collection] = self._sizes.get(collection, 0) + len(made)
        if self._sizes[collection] > self._WAITING:
            self._count(collection)

    def _count(self, collection: str) -> None:
        terms, counts = np.unique(np.concatenate(self._lists.pop(collection)), return_counts=True)
        held = Held(self._points.pop(collection), terms, counts.astype(np.uint32))
        before = self._held.get(collection)
        self._held[collection] = held if before is None else _together(before, held)
        self._sizes[collection] = 0

    def result(self) -> dict[str, Held]:
        """What was counted until now."""
        for collection in tuple(self._lists):
            self._count(collection)
        return dict(self._held)


def _together(one: Held, other: Held) -> Held:
    terms = np.union1d(one.terms, other.terms)
    counts = np.zeros(len(terms), dtype=np.uint32)
    for each in (one, other):
        counts[np.searchsorted(terms, each.terms)] += each.counts
    return Held(one.points + other.points, terms, counts)


def write(path: Path, frequencies: Frequencies) -> None:
    """``path`` holds them."""
    names = sorted(frequencies)
    about = json.dumps([[name, frequencies[name].points] for name in names]).encode()
    arrays: dict[str, Any] = {"about": np.frombuffer(about, dtype=np.uint8)}
    for at, name in enumerate(names):
        arrays[f"terms{at}"], arrays[f"counts{at}"] = (
            frequencies[name].terms,
            frequencies[name].counts,
        )
    with path.open("wb") as file:
        np.savez(file, **arrays)


def read(path: Path) -> dict[str, Held]:
    """What ``write`` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        return {
            name: Held(points, arrays[f"terms{at}"], arrays[f"counts{at}"])
            for at, (name, points) in enumerate(about)
        }


@dataclass(slots=True)
class Less:
    """What is to be taken off a part's frequencies: points deleted from it, by collection."""

    points: dict[str, int] = field(default_factory=dict)
    terms: dict[str, dict[int, int]] = field(default_factory=dict)

    def add(self, collection: str, terms: Iterable[int]) -> None:
        """One point less."""
        self.points[collection] = self.points.get(collection, 0) + 1
        counts = self.terms.setdefault(collection, {})
        for term in terms:
            counts[term] = counts.get(term, 0) + 1


def weights(
    terms: Mapping[int, float],
    collections: Sequence[str],
    parts: Iterable[tuple[Frequencies, Less]],
) -> dict[int, float]:
    """Each term's weight times its inverse document frequency in ``collections`` (all if empty)."""
    wanted = np.fromiter(terms, dtype=np.uint32, count=len(terms))
    total, holding = 0, np.zeros(len(wanted), dtype=np.int64)
    for frequencies, less in parts:
        for name in collections or frequencies:
            held = frequencies.get(name)
            if held is None:
                continue
            total += held.points - less.points.get(name, 0)
            if len(held.terms):
                at = np.minimum(np.searchsorted(held.terms, wanted), len(held.terms) - 1)
                holding += np.where(held.terms[at] == wanted, held.counts[at], 0)
            gone = less.terms.get(name)
            if gone:
                holding -= np.fromiter((gone.get(int(t), 0) for t in wanted), np.int64)
    return {
        term: weight * math.log((total - n + 0.5) / (n + 0.5) + 1.0)
        for (term, weight), n in zip(terms.items(), holding.tolist(), strict=True)
        if n > 0
    }
