"""What the embedded engine and the server have in common: names, ids, payload."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

from kgrag.stores.base import IndexHit, Point
from kgrag.stores.memory_index import best

T = TypeVar("T")

DENSE: Final = "dense"
SPARSE: Final = "bm25"
BATCH: Final = 500
# Asked for beyond the limit, so that ties at the cut are resolved by passage id and not by the
# engine's own order, which is another one after every building of the index.
SLACK: Final = 16
# The most that is asked for to get all the ties at the cut. Where still more passages tie (one line
# that thousands of documents share), which of them are listed is left to the engine.
WIDEST: Final = 4096


def point_uuid(passage_id: str) -> UUID:
    """The engine's id of a passage's point, the same on every machine."""
    return UUID(bytes=hashlib.sha256(passage_id.encode()).digest()[:16])


def payload(point: Point) -> dict[str, str]:
    """Ids and filter fields, no text."""
    return {
        "passage_id": point.passage_id,
        "document_id": point.document_id,
        "collection": point.collection,
    }


def hit(found: dict[str, str] | None, score: float) -> IndexHit:
    """The hit of a scored point with that payload."""
    if found is None:
        raise ValueError("a point without its payload")
    return IndexHit(found["passage_id"], found["document_id"], float(score))


def nearest(ask: Callable[[int], list[IndexHit]], limit: int) -> list[IndexHit]:
    """The ``limit`` best of what ``ask(number)`` gives, ties by passage id.

    ``ask`` gives the ``number`` best in the engine's order. It is asked again for more while the
    cut may fall among ties, up to ``WIDEST``.
    """
    wanted = limit + SLACK
    while True:
        found = best(ask(wanted), wanted)
        all_ties = len(found) < wanted or found[-1].score < found[limit - 1].score
        if all_ties or wanted >= WIDEST:
            return found[:limit]
        wanted = min(wanted * 4, WIDEST)


def require_shape(point: Point, dimensions: int) -> None:
    """ValueError unless the vector is one of this index."""
    if point.vector.shape != (dimensions,):
        raise ValueError(f"a vector of {dimensions} dimensions is needed")


def groups(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """``items`` in order, ``size`` at a time."""
    iterator = iter(items)
    while group := tuple(islice(iterator, size)):
        yield group
