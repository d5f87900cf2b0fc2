"""The hybrid index on a Qdrant server, or on the client's local mode.

The points lie in a physical collection behind an alias; ``purge`` copies the live points into a
fresh one, moves the alias and drops the old one, so that no deleted vector stays in a segment.
Stamp and shape are the collection's metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

from kgrag.errors import BrokenInvariant, KnowledgeBaseError
from kgrag.stores.base import Filters, IndexHit, Point
from kgrag.stores.qdrant.cluster import Layout, parse
from kgrag.stores.qdrant.points import (
    BATCH,
    DENSE,
    SPARSE,
    groups,
    hit,
    nearest,
    payload,
    point_uuid,
    require_shape,
)
from kgrag.stores.qdrant.reach import reaching

FORMAT = 1


def connect(
    url: str, *, dimensions: int, shape: str, mode: Literal["read", "write"]
) -> ServerIndex:
    """The index in the collection that the path of ``url`` names, laid out as its query says.

    RetryableError, here and from every method, while the server does not answer.
    """
    address, name, layout = parse(url)
    # Its check of versions asks the server in a thread of its own, and only warns.
    client = QdrantClient(url=address, timeout=60, check_compatibility=False)
    client = reaching(client, address.rpartition("@")[2].rpartition("/")[2])
    return ServerIndex(client, name, dimensions=dimensions, shape=shape, mode=mode, layout=layout)


class ServerIndex:
    """A ``VectorIndex`` behind a client. See ``open_index``."""

    def __init__(
        self,
        client: QdrantClient,
        name: str,
        *,
        dimensions: int,
        shape: str,
        mode: Literal["read", "write"],
        layout: Layout | None = None,
    ) -> None:
        """``layout`` is what a new collection is made with."""
        self._layout = layout or Layout()
        self._client, self._name, self._dimensions = client, name, dimensions
        self._shape, self._mode = shape, mode
        # Local mode is always exact, and warns when it is asked to be.
        self._exact: bool | None = True if _is_remote(client) else None
        #: Why an earlier index was discarded at opening for writing, None when it was not.
        self.discarded: str | None = None
        physical = self._physical()
        if physical is not None and not self._fits(physical):
            if mode == "read":
                raise KnowledgeBaseError(
                    f"the vector index {name!r} was made with another encoder or other terms",
                    hint="the next ingest rebuilds it from the knowledge base",
                )
            self.discarded = "it was made with another encoder or other terms"
            self._drop(physical)
            physical = None
        if mode == "write":
            if physical is None:
                physical = self._create()
                self._point_alias(physical, None)
            self._sweep(physical)

    @property
    def stamp(self) -> int:
        physical = self._physical()
        return int(self._metadata(physical).get("stamp", 0)) if physical else 0

    def upsert(self, points: Iterable[Point]) -> None:
        self._must_write()
        for group in groups(points, BATCH):
            for point in group:
                require_shape(point, self._dimensions)
            self._client.upsert(self._name, points=[_struct(p) for p in group], wait=True)

    def delete_documents(self, document_ids: Sequence[str]) -> None:
        self._must_write()
        if not document_ids:
            return
        condition = _filter(Filters(documents=tuple(document_ids)))
        if self._client.count(self._name, count_filter=condition, exact=True).count:
            self._describe(self._required(), dirty=True)
            self._client.delete(
                self._name, points_selector=models.FilterSelector(filter=condition), wait=True
            )

    def commit(self, stamp: int) -> None:
        """The server has every acknowledged change in its log; the stamp follows them."""
        self._must_write()
        self._describe(self._required(), stamp=stamp)

    def purge(self) -> None:
        self._must_write()
        old = self._required()
        if not self._metadata(old).get("dirty"):
            return
        fresh = self._create()
        for group in groups(self._points(old), BATCH):
            self._client.upsert(fresh, points=list(group), wait=True)
        self._describe(fresh, stamp=self.stamp)
        self._point_alias(fresh, old)
        self._client.delete_collection(old)

    def dense(self, vector: NDArray[np.float32], *, limit: int, filters: Filters) -> list[IndexHit]:
        params = models.SearchParams(exact=self._exact)
        if self._exact and self._layout.quantization:  # exact search would not use it
            again = models.QuantizationSearchParams(rescore=True, oversampling=3.0)
            params = models.SearchParams(quantization=again)
        return self._query(vector.tolist(), DENSE, limit, filters, params)

    def sparse(self, terms: Mapping[int, float], *, limit: int, filters: Filters) -> list[IndexHit]:
        if not terms:
            return []
        vector = models.SparseVector(indices=list(terms), values=list(terms.values()))
        # Always scoped: see the embedded engine.
        corpus = _filter(Filters(collections=filters.collections))
        params = models.SearchParams(exact=self._exact, idf=models.IdfCorpusParams(corpus=corpus))
        hits = self._query(vector, SPARSE, limit, filters, params)
        return [h for h in hits if h.score > 0.0]

    def count(self) -> int:
        if self._physical() is None:
            return 0
        return int(self._client.count(self._name, exact=True).count)

    def refresh(self) -> bool:
        """Nothing to do: every search asks the server."""
        return False

    def close(self) -> None:
        self._client.close()

    def _query(
        self,
        query: Any,
        using: str,
        limit: int,
        filters: Filters,
        params: models.SearchParams,
    ) -> list[IndexHit]:
        if limit < 1 or self._physical() is None:
            return []

        def ask(number: int) -> list[IndexHit]:
            found = self._client.query_points(
                self._name,
                query=query,
                using=using,
                query_filter=_filter(filters),
                limit=number,
                with_payload=True,
                search_params=params,
            )
            return [hit(p.payload, p.score) for p in found.points]

        return nearest(ask, limit)

    def _physical(self) -> str | None:
        """The collection behind the alias."""
        for alias in self._client.get_aliases().aliases:
            if alias.alias_name == self._name:
                return str(alias.collection_name)
        return None

    def _required(self) -> str:
        physical = self._physical()
        if physical is None:
            raise KnowledgeBaseError(
                f"the vector index {self._name!r} has gone from the server",
                hint="run the ingest again: it rebuilds the index",
            )
        return physical

    def _must_write(self) -> None:
        if self._mode != "write":
            raise BrokenInvariant("the index is not open for writing")

    def _metadata(self, physical: str) -> Mapping[str, Any]:
        return self._client.get_collection(physical).config.metadata or {}

    def _fits(self, physical: str) -> bool:
        found = self._metadata(physical)
        return (found.get("shape"), found.get("dimensions"), found.get("format")) == (
            self._shape,
            self._dimensions,
            FORMAT,
        )

    def _create(self) -> str:
        physical = f"{self._name}-{uuid4().hex[:12]}"
        self._client.create_collection(
            physical,
            vectors_config={
                DENSE: models.VectorParams(
                    size=self._dimensions,
                    distance=models.Distance.COSINE,
                    on_disk=self._layout.on_disk or None,
                )
            },
            sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            # All are looked at; a user of a large cluster may build the graph on the server.
            hnsw_config=models.HnswConfigDiff(m=0),
            **self._layout.creation(),
            metadata={
                "stamp": 0,
                "shape": self._shape,
                "dimensions": self._dimensions,
                "format": FORMAT,
            },
        )
        if _is_remote(self._client):
            for field in ("collection", "document_id"):
                self._client.create_payload_index(
                    physical, field, models.PayloadSchemaType.KEYWORD, wait=True
                )
        return physical

    def _describe(self, physical: str, **values: object) -> None:
        self._client.update_collection(physical, metadata=values)

    def _point_alias(self, new: str, old: str | None) -> None:
        operations: list[Any] = []
        if old is not None:
            operations.append(
                models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self._name))
            )
        operations.append(
            models.CreateAliasOperation(
                create_alias=models.CreateAlias(collection_name=new, alias_name=self._name)
            )
        )
        self._client.update_collection_aliases(change_aliases_operations=operations)

    def _drop(self, physical: str) -> None:
        self._client.update_collection_aliases(
            change_aliases_operations=[
                models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self._name))
            ]
        )
        self._client.delete_collection(physical)

    def _sweep(self, keep: str) -> None:
        """Drop what a kill left between two steps of ``purge`` or of the first creation."""
        suffix = len(uuid4().hex[:12])
        for found in self._client.get_collections().collections:
            stem, dash, digits = found.name.rpartition("-")
            ours = dash and stem == self._name and len(digits) == suffix
            if ours and found.name != keep:
                self._client.delete_collection(found.name)

    def _points(self, physical: str) -> Iterator[models.PointStruct]:
        offset = None
        while True:
            records, offset = self._client.scroll(
                physical, limit=BATCH, offset=offset, with_payload=True, with_vectors=True
            )
            for record in records:
                if record.vector is None:
                    raise BrokenInvariant("a point of the index has no vector")
                # What is read back is of the kinds that may be written; the types do not say so.
                vector = cast("models.VectorStruct", record.vector)
                yield models.PointStruct(id=record.id, vector=vector, payload=record.payload)
            if offset is None:
                return


def _is_remote(client: QdrantClient) -> bool:
    # Local mode warns that payload indexes do nothing there.
    from qdrant_client.qdrant_remote import QdrantRemote

    return isinstance(client._client, QdrantRemote)


def _struct(point: Point) -> models.PointStruct:
    sparse = models.SparseVector(
        indices=list(point.terms), values=[float(w) for w in point.terms.values()]
    )
    return models.PointStruct(
        id=str(point_uuid(point.passage_id)),
        vector={DENSE: point.vector.tolist(), SPARSE: sparse},
        payload=payload(point),
    )


def _filter(filters: Filters) -> models.Filter:
    def any_of(field: str, values: tuple[str, ...]) -> models.FieldCondition:
        return models.FieldCondition(key=field, match=models.MatchAny(any=list(values)))

    must: list[Any] = []
    if filters.collections:
        must.append(any_of("collection", filters.collections))
    if filters.documents:
        must.append(any_of("document_id", filters.documents))
    without: list[Any] = []
    if filters.without_documents:
        without.append(any_of("document_id", filters.without_documents))
    return models.Filter(must=must or None, must_not=without or None)
