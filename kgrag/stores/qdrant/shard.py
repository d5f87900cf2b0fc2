"""What the embedded engine is told and what it tells, in its own types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import qdrant_edge as engine

from kgrag.errors import BrokenInvariant
from kgrag.stores.base import Filters, Point
from kgrag.stores.qdrant.points import BATCH, DENSE, SPARSE, payload, point_uuid

# 13,000 vectors of 384 dimensions.
MANY_KB = 20_000
# All vectors of a part are looked at, in eight bits where the part is large, and the best of them
# again in full: a graph costs minutes to build at the size where this costs milliseconds.
_NO_GRAPH = engine.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10**9)
_COLD = engine.Memory.Cold  # mapped: the other placements read every file when it is opened
_EIGHT_BITS = engine.ScalarQuantizationConfig(engine.ScalarType.Int8, memory=_COLD)


def config(dimensions: int, mapped_above_kb: int) -> engine.EdgeConfig:
    return engine.EdgeConfig(
        vectors={
            DENSE: engine.EdgeVectorParams(
                size=dimensions,
                distance=engine.Distance.Cosine,
                hnsw_config=_NO_GRAPH,
                quantization_config=_EIGHT_BITS,
                memory=_COLD,
            )
        },
        # Inverse document frequencies are ours (``frequencies``): an engine knows its part alone.
        sparse_vectors={SPARSE: engine.EdgeSparseVectorParams(memory=_COLD)},
        # Many points are moved into a segment that is mapped, not built, when it is opened. Few
        # stay where they were written.
        optimizers=engine.EdgeOptimizersConfig(
            default_segment_number=1, indexing_threshold=mapped_above_kb, max_segment_size=10**9
        ),
        payload_memory=_COLD,
        id_tracker_memory=_COLD,
        max_search_threads=1,  # parts are searched side by side, not segments
        wal_enabled=False,
    )


def engine_point(point: Point) -> engine.Point:
    sparse = engine.SparseVector(
        indices=list(point.terms), values=[float(w) for w in point.terms.values()]
    )
    return engine.Point(
        id=point_uuid(point.passage_id),
        vector={DENSE: point.vector.tolist(), SPARSE: sparse},
        payload=payload(point),
    )


def engine_filter(filters: Filters) -> engine.Filter:
    def any_of(field: str, values: tuple[str, ...]) -> engine.FieldCondition:
        return engine.FieldCondition(key=field, match=engine.MatchAny(list(values)))

    must: list[Any] = []
    if filters.collections:
        must.append(any_of("collection", filters.collections))
    if filters.documents:
        must.append(any_of("document_id", filters.documents))
    without: list[Any] = []
    if filters.without_documents:
        without.append(any_of("document_id", filters.without_documents))
    return engine.Filter(must=must or None, must_not=without or None)


def count_points(shard: engine.EdgeShard, condition: engine.Filter | None = None) -> int:
    return shard.count(engine.CountRequest(exact=True, filter=condition))


def points_of(
    shard: engine.EdgeShard, condition: engine.Filter | None = None
) -> Iterator[engine.Point]:
    offset = None
    while True:
        records, offset = shard.scroll(
            engine.ScrollRequest(
                filter=condition, offset=offset, limit=BATCH, with_payload=True, with_vector=True
            )
        )
        for record in records:
            if record.vector is None:
                raise BrokenInvariant("a point of the index has no vector")
            yield engine.Point(id=record.id, vector=record.vector, payload=record.payload)
        if offset is None:
            return
