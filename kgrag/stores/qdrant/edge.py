"""The hybrid index on the embedded engine, in a folder that many processes read while one writes.

The engine's own lock is that of its write-ahead log, which is off here: a generation is durable
when it is published (see ``generations``), and what was not published is replayed from the truth.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import qdrant_edge as engine
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from kgrag.errors import BrokenInvariant, KnowledgeBaseBusy, KnowledgeBaseError
from kgrag.stores.base import Filters, IndexHit, Point
from kgrag.stores.qdrant import generations as gens
from kgrag.stores.qdrant.points import (
    BATCH,
    DENSE,
    SPARSE,
    groups,
    hit,
    nearest,
    require_shape,
)
from kgrag.stores.qdrant.shard import (
    MANY_KB,
    config,
    count_points,
    engine_filter,
    engine_point,
    points_of,
)

# Seconds that an opening waits for others that open or close at the same moment.
_LOAD_TIMEOUT = 60.0


class EdgeIndex:
    """A ``VectorIndex`` in a folder. See ``open_index``."""

    def __init__(
        self,
        root: Path,
        *,
        dimensions: int,
        shape: str,
        mode: Literal["read", "write"],
        mapped_above_kb: int = MANY_KB,
    ) -> None:
        """``mapped_above_kb``: kilobytes of new dense vectors that a commit makes quick to open."""
        self._root, self._dimensions, self._shape, self._mode = root, dimensions, shape, mode
        self._mapped_above_kb = mapped_above_kb
        self._shard: engine.EdgeShard | None = None
        self._work: Path | None = None  # the folder being changed; ``_shard`` is then its engine
        self._dirty = False
        self._pointer: gens.Pointer | None = None
        self._lock: FileLock | None = None
        #: Why an earlier index was discarded at opening for writing, None when it was not.
        self.discarded: str | None = None
        if mode == "write":
            self._open_for_writing()
        else:
            self.refresh()

    @property
    def stamp(self) -> int:
        return self._pointer.stamp if self._pointer else 0

    def refresh(self) -> bool:
        """See what was published since; True when there was something. Cheap when there was not.

        Reading goes on against the folder that was current before when this raises.
        """
        if self._work is not None:
            return False
        # The writer may replace the folder between the reading of the pointer and the loading.
        for attempt in range(20):
            pointer = self._checked_pointer()
            if pointer == self._pointer:
                return False
            if pointer is None:
                raise self._unusable("its pointer is gone")
            if self._pointer is not None and pointer.folder == self._pointer.folder:
                self._pointer = pointer
                return True
            try:
                shard = self._load(self._root / pointer.folder, verify=pointer)
            except (gens.DamagedError, FileNotFoundError) as error:
                if self._checked_pointer() != pointer:
                    continue
                # Another process that drops its engine writes some files anew with the same
                # bytes, and a file is short for a moment then: damage is what stays.
                if attempt < gens.LOOKS:
                    time.sleep(gens.pause(attempt))
                    continue
                raise self._unusable(str(error)) from error
            self._replace(shard)
            self._pointer = pointer
            return True
        raise KnowledgeBaseBusy(str(self._root), pid=None)

    def upsert(self, points: Iterable[Point]) -> None:
        for group in groups(points, BATCH):
            for point in group:
                require_shape(point, self._dimensions)
            shard = self._writable()
            before = count_points(shard)
            shard.update(engine.UpdateOperation.upsert_points([engine_point(p) for p in group]))
            if count_points(shard) - before < len(group):
                self._dirty = True  # a point was replaced: its old vector may still be there

    def delete_documents(self, document_ids: Sequence[str]) -> None:
        wanted = tuple(document_ids)
        if not wanted or self.count() == 0:
            return
        condition = engine_filter(Filters(documents=wanted))
        current = self._readable()
        if current is None or not count_points(current, condition):
            return
        shard = self._writable()
        shard.update(engine.UpdateOperation.delete_points_by_filter(condition))
        self._dirty = True

    def commit(self, stamp: int) -> None:
        self._must_write()
        if self._work is None and self._pointer is not None:
            if stamp != self._pointer.stamp:
                self._publish(
                    gens.Pointer(
                        self._pointer.folder,
                        stamp,
                        self._shape,
                        self._dimensions,
                        self._pointer.dirty,
                        self._pointer.files,
                    )
                )
            return
        self._writable()
        assert self._work is not None
        self._seal(self._work, stamp, dirty=self._dirty)

    def purge(self) -> None:
        self._must_write()
        if self._work is None and not self._dirty:
            return
        source = self._writable() if self._work is not None else self._readable()
        if source is None:
            return
        if self._work is not None:
            target = self._work.with_name(self._work.name.replace("gen-", "gen-purged-"))
        else:
            target = gens.next_folder(self._root, self._pointer)
        if target.exists():
            shutil.rmtree(target)
        fresh = self._create(target)
        for group in groups(points_of(source), BATCH):
            fresh.update(engine.UpdateOperation.upsert_points(list(group)))
        self._replace(fresh)
        if self._work is not None:
            shutil.rmtree(self._work)
        self._work = target
        self._seal(target, self.stamp, dirty=False)

    def dense(self, vector: NDArray[np.float32], *, limit: int, filters: Filters) -> list[IndexHit]:
        query = engine.Query.Nearest(vector.tolist(), using=DENSE)
        return self._query(query, limit, filters, engine.SearchParams(exact=True))

    def sparse(self, terms: Mapping[int, float], *, limit: int, filters: Filters) -> list[IndexHit]:
        if not terms:
            return []
        vector = engine.SparseVector(indices=list(terms), values=list(terms.values()))
        # Always scoped: the engine's own count of the whole is not lowered by deletions, and one
        # collection's frequencies must not shape the ranking of another.
        corpus = engine_filter(Filters(collections=filters.collections))
        params = engine.SearchParams(exact=True, idf=engine.IdfParams(corpus=corpus))
        hits = self._query(engine.Query.Nearest(vector, using=SPARSE), limit, filters, params)
        return [h for h in hits if h.score > 0.0]

    def count(self) -> int:
        shard = self._readable()
        return count_points(shard) if shard is not None else 0

    def close(self) -> None:
        self._replace(None)
        if self._work is not None:
            shutil.rmtree(self._work)
            self._work = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _query(
        self, query: Any, limit: int, filters: Filters, params: engine.SearchParams
    ) -> list[IndexHit]:
        shard = self._readable()
        if shard is None or limit < 1:
            return []

        def ask(number: int) -> list[IndexHit]:
            found = shard.query(
                engine.QueryRequest(
                    query=query,
                    filter=engine_filter(filters),
                    limit=number,
                    with_payload=True,
                    params=params,
                )
            )
            return [hit(p.payload, p.score) for p in found]

        return nearest(ask, limit)

    def _open_for_writing(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._root / "write.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise KnowledgeBaseBusy(str(self._root), pid=None) from error
        self._lock = lock
        try:
            self.discarded = self._adopt()
            gens.sweep(self._root, self._pointer.folder if self._pointer else None)
        except BaseException:
            self.close()
            raise

    def _adopt(self) -> str | None:
        """Take over what was published, or say why not and take nothing."""
        try:
            pointer = gens.read_pointer(self._root)
            if pointer is None:
                return None
            if (pointer.shape, pointer.dimensions) != (self._shape, self._dimensions):
                (self._root / gens.POINTER).unlink()
                return "it was made with another encoder or other terms"
            self._shard = self._load(self._root / pointer.folder, verify=pointer)
        except (gens.DamagedError, FileNotFoundError) as error:
            (self._root / gens.POINTER).unlink()
            return str(error)
        self._pointer, self._dirty = pointer, pointer.dirty
        return None

    def _checked_pointer(self) -> gens.Pointer | None:
        try:
            pointer = gens.read_pointer(self._root)
        except gens.DamagedError as error:
            raise self._unusable(str(error)) from error
        if pointer and (pointer.shape, pointer.dimensions) != (self._shape, self._dimensions):
            raise self._unusable("it was made with another encoder or other terms")
        return pointer

    def _unusable(self, reason: str) -> KnowledgeBaseError:
        return KnowledgeBaseError(
            f"the vector index cannot be read: {reason}",
            hint="the next ingest rebuilds it from the knowledge base; "
            "deleting the index folder is safe",
        )

    def _readable(self) -> engine.EdgeShard | None:
        return self._shard

    def _must_write(self) -> None:
        if self._lock is None:
            raise BrokenInvariant("the index is not open for writing")

    def _writable(self) -> engine.EdgeShard:
        """The engine on the working copy, made when this is the first change after a commit."""
        self._must_write()
        if self._work is None:
            work = gens.next_folder(self._root, self._pointer)
            if self._pointer is None:
                shard = self._create(work)
            else:
                try:
                    gens.copy_published(self._root, self._pointer, work)
                except gens.DamagedError as error:
                    shutil.rmtree(work)
                    raise self._unusable(str(error)) from error
                shard = self._load(work)
            self._work = work
            self._replace(shard)
        assert self._shard is not None
        return self._shard

    def _seal(self, work: Path, stamp: int, *, dirty: bool) -> None:
        """Flush ``work`` to the disk and make it the current generation."""
        self._flush()
        # The first loading of what was written folds journals away; after it the files are the
        # same whenever they are loaded and closed, which the digests rely on.
        shard = self._load(work)
        self._replace(shard)
        if shard.optimize():
            self._flush()
            self._replace(self._load(work))
        self._flush()
        folder = self._root / work.name.replace("gen-purged-", "gen-")
        if folder != work:
            work.rename(folder)
        gens.sync(folder)
        self._work = None
        self._dirty = dirty
        self._publish(
            gens.Pointer(
                folder.name, stamp, self._shape, self._dimensions, dirty, gens.digests(folder)
            )
        )
        self._replace(self._load(folder))
        gens.sweep(self._root, folder.name)

    def _flush(self) -> None:
        if self._shard is not None:
            self._shard.flush()
            self._shard.close()
            self._shard = None

    def _publish(self, pointer: gens.Pointer) -> None:
        gens.write_pointer(self._root, pointer)
        self._pointer = pointer

    def _replace(self, shard: engine.EdgeShard | None) -> None:
        # Dropped, not closed: closing flushes, and a reader's folder may be gone by now.
        self._shard = shard

    def _create(self, folder: Path) -> engine.EdgeShard:
        folder.mkdir(parents=True)
        shard = engine.EdgeShard.create(
            str(folder), config(self._dimensions, self._mapped_above_kb)
        )
        for field in ("collection", "document_id"):
            shard.update(
                engine.UpdateOperation.create_field_index(field, engine.PayloadSchemaType.Keyword)
            )
        return shard

    def _load(self, folder: Path, *, verify: gens.Pointer | None = None) -> engine.EdgeShard:
        with self._load_lock():
            if not folder.is_dir():
                raise FileNotFoundError(f"{folder.name} is gone")
            if verify is not None:
                gens.check(self._root, verify)
            try:
                return engine.EdgeShard.load(str(folder))
            except Exception as error:  # the engine raises nothing narrower
                raise gens.DamagedError(f"{folder.name}: the engine cannot load it") from error

    def _load_lock(self) -> FileLock:
        # The engine rewrites some files with the same content when it loads and closes.
        return FileLock(self._root / "load.lock", timeout=_LOAD_TIMEOUT)
