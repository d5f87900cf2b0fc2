"""One part of the index: an engine whose files do not change once published, and what went since.

    part-000007/
      engine/            the engine's files
      frequencies.npz    how many of its points hold each term

A point that is deleted or replaced stays in the part's files and is left out of what the part
finds, until the part is written anew without it (see ``EdgeIndex``).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import qdrant_edge as engine

from kgrag.stores.base import Filters, Point
from kgrag.stores.qdrant import frequencies as fr
from kgrag.stores.qdrant.points import SPARSE
from kgrag.stores.qdrant.shard import (
    config,
    count_points,
    engine_filter,
    engine_point,
    points_of,
)

ENGINE: Final = "engine"
# Found by their eight-bit forms, this many times what is asked for are looked at again in full.
_AGAIN: Final = 3.0
NEAREST: Final = engine.SearchParams(
    quantization=engine.QuantizationSearchParams(rescore=True, oversampling=_AGAIN)
)
LISTED: Final = engine.SearchParams(exact=True)


@dataclass(slots=True)
class Gone:
    """What of a part is no longer there: whole documents, single points, and their terms."""

    documents: set[str] = field(default_factory=set)
    points: set[UUID] = field(default_factory=set)
    less: fr.Less = field(default_factory=fr.Less)

    def __bool__(self) -> bool:
        return bool(self.less.points)

    @property
    def count(self) -> int:
        """Points that are gone."""
        return sum(self.less.points.values())

    def dump(self) -> Any:
        """As JSON holds it."""
        return [
            sorted(self.documents),
            sorted(str(p) for p in self.points),
            self.less.points,
            {name: list(counts.items()) for name, counts in self.less.terms.items()},
        ]

    @classmethod
    def load(cls, value: Any) -> Gone:
        """What ``dump`` gave."""
        documents, points, number, terms = value
        less = fr.Less(dict(number), {name: dict(counts) for name, counts in terms.items()})
        return cls(set(documents), {UUID(p) for p in points}, less)


class Part:
    """An engine with what is gone of it. Reads are safe from several threads.

    ``frequencies`` is None for an engine of the old format, which keeps its own.
    """

    def __init__(
        self,
        folder: Path,
        shard: engine.EdgeShard,
        frequencies: fr.Frequencies | None,
        *,
        points: int,
        gone: Gone | None = None,
    ) -> None:
        self.folder, self.shard, self.frequencies = folder, shard, frequencies
        self.points = points
        self.gone = gone or Gone()

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def live(self) -> int:
        """Points that are there."""
        return self.points - self.gone.count

    def list(
        self, query: Any, filters: Filters, number: int, params: engine.SearchParams
    ) -> list[tuple[float, Any]]:
        """Score and engine's id of the best ``number`` points, best first."""
        found = self.shard.query(
            engine.QueryRequest(
                query=query,
                filter=self._condition(filters),
                limit=number,
                with_payload=False,
                params=params,
            )
        )
        return [(p.score, p.id) for p in found]

    def payloads(self, ids: Sequence[Any]) -> dict[Any, dict[str, str]]:
        """Ids and filter fields of the points."""
        found = self.shard.retrieve(list(ids), with_payload=True, with_vector=False)
        return {record.id: record.payload or {} for record in found}

    def delete_documents(self, documents: Sequence[str]) -> bool:
        """They are gone; False when none of their points was there."""
        wanted = [d for d in documents if d not in self.gone.documents]
        if not wanted:
            return False
        seen = 0
        condition = self._condition(Filters(documents=tuple(wanted)))
        for record in _records(self.shard, condition):
            self._forget(record)
            seen += 1
        if seen:
            self.gone.documents.update(wanted)
        return seen > 0

    def delete_points(self, ids: Sequence[UUID]) -> None:
        """Those of ``ids`` that are there are gone."""
        found = self.shard.retrieve(list(ids), with_payload=True, with_vector=[SPARSE])
        for record in found:
            identifier = UUID(str(record.id))
            document = (record.payload or {})["document_id"]
            if identifier not in self.gone.points and document not in self.gone.documents:
                self._forget(record)
                self.gone.points.add(identifier)

    def remaining(self) -> Iterator[engine.Point]:
        """Its points that are there, as the engine takes them."""
        return points_of(self.shard, self._condition(Filters()))

    def _forget(self, record: engine.Record) -> None:
        self.gone.less.add((record.payload or {})["collection"], terms_of(record))

    def _condition(self, filters: Filters) -> engine.Filter | None:
        wanted = None if filters == Filters() else engine_filter(filters)
        if not self.gone:
            return wanted
        without: list[Any] = []
        if self.gone.documents:
            match = engine.MatchAny(sorted(self.gone.documents))
            without.append(engine.FieldCondition(key="document_id", match=match))
        if self.gone.points:
            without.append(engine.HasIdCondition(set(self.gone.points)))
        return engine.Filter(must=[wanted] if wanted else None, must_not=without)


class Growing:
    """The part that is being filled: its points may still be replaced and deleted in place."""

    def __init__(self, folder: Path, dimensions: int, mapped_above_kb: int) -> None:
        self.folder = folder
        target = folder / ENGINE
        target.mkdir(parents=True)
        self.shard = engine.EdgeShard.create(str(target), config(dimensions, mapped_above_kb))
        for name in ("collection", "document_id"):
            self.shard.update(
                engine.UpdateOperation.create_field_index(name, engine.PayloadSchemaType.Keyword)
            )
        self._counting: fr.Counting | None = fr.Counting()  # None: to be counted anew
        #: Whether its files may hold deleted points.
        self.dirty = False
        self.points = 0

    def add(self, points: Sequence[Point]) -> None:
        """Added, or replaced by passage id."""
        self.put([engine_point(p) for p in points])
        if self._counting is not None:
            for p in points:
                self._counting.add(p.collection, p.terms)

    def put(self, points: Sequence[engine.Point]) -> None:
        """As ``add``, in the engine's own form, without counting terms."""
        self.shard.update(engine.UpdateOperation.upsert_points(list(points)))
        before, self.points = self.points, count_points(self.shard)
        if self.points - before < len(points):
            self._changed()

    def copy(self, points: Sequence[engine.Point]) -> None:
        """As ``put``, and terms are counted."""
        self.put(points)
        if self._counting is not None:
            for p in points:
                self._counting.add((p.payload or {})["collection"], terms_of(p))

    def delete_documents(self, documents: Sequence[str]) -> None:
        condition = engine_filter(Filters(documents=tuple(documents)))
        self.shard.update(engine.UpdateOperation.delete_points_by_filter(condition))
        before, self.points = self.points, count_points(self.shard)
        if self.points < before:
            self._changed()

    def _changed(self) -> None:
        # What was counted of a point that went is not known any more: counted anew when asked for.
        self.dirty, self._counting = True, None

    def frequencies(self) -> dict[str, fr.Held]:
        """Of its points as they are now."""
        if self._counting is None:
            self._counting = fr.Counting()
            for record in _records(self.shard, None):
                self._counting.add((record.payload or {})["collection"], terms_of(record))
        return self._counting.result()

    def view(self) -> Part:
        """It as a part to read, as long as nothing more is changed."""
        return Part(self.folder, self.shard, self.frequencies(), points=self.points)

    def close(self) -> None:
        """All is in its files, and it cannot be changed any more."""
        self.shard.flush()
        self.shard.close()

    def discard(self) -> None:
        """Its folder is gone."""
        shutil.rmtree(self.folder)


def terms_of(point: engine.Record | engine.Point) -> list[int]:
    """Numbers of the terms of a point that was read with its sparse vector."""
    vector = point.vector
    sparse = vector.get(SPARSE) if isinstance(vector, Mapping) else None
    return list(sparse.indices) if isinstance(sparse, engine.SparseVector) else []


def _records(shard: engine.EdgeShard, condition: engine.Filter | None) -> Iterator[engine.Record]:
    offset = None
    while True:
        records, offset = shard.scroll(
            engine.ScrollRequest(
                filter=condition,
                offset=offset,
                limit=500,
                with_payload=True,
                with_vector=[SPARSE],
            )
        )
        yield from records
        if offset is None:
            return
