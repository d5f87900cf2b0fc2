"""The hybrid index on the embedded engine, in a folder that many processes read while one writes.

It is made of parts (see ``part``): a commit adds one, and parts of about one size are joined when
there are several. The engine's own lock is that of its write-ahead log, which is off here: a part
is durable when it is published (see ``generations``), and what was not published is replayed from
the truth.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import numpy as np
import qdrant_edge as engine
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from kgrag.errors import BrokenInvariant, KnowledgeBaseBusy, KnowledgeBaseError
from kgrag.stores.base import Filters, IndexHit, Point
from kgrag.stores.qdrant import frequencies as fr
from kgrag.stores.qdrant import generations as gens
from kgrag.stores.qdrant.part import ENGINE, LISTED, NEAREST, Gone, Growing, Part
from kgrag.stores.qdrant.points import (
    BATCH,
    DENSE,
    SPARSE,
    groups,
    hit,
    nearest,
    point_uuid,
    require_shape,
)
from kgrag.stores.qdrant.shard import MANY_KB, count_points, engine_filter
from kgrag.stores.qdrant.tiers import MOST, together, worn

T = TypeVar("T")

# Seconds that an opening waits for others that open or close at the same moment.
_LOAD_TIMEOUT = 60.0
# Threads that search parts; with fewer points than this one thread is quicker.
_THREADS: Final = min(4, os.cpu_count() or 1)
_MANY: Final = 20_000


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
        """``mapped_above_kb``: kilobytes of dense vectors from which a part is quantised."""
        self._root, self._dimensions, self._shape, self._mode = root, dimensions, shape, mode
        self._mapped_above_kb = mapped_above_kb
        self._parts: tuple[Part, ...] = ()
        self._records: dict[str, gens.Published] = {}  # of ``_parts``, by folder
        self._growing: Growing | None = None
        self._changed = False  # ``_parts`` or what is gone of them is not as published
        self._next = 1
        self._pointer: gens.Pointer | None = None
        self._lock: FileLock | None = None
        self._pool: ThreadPoolExecutor | None = None
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

        Parts that were there before are not loaded again. Reading goes on against what was current
        before when this raises.
        """
        if self._mode == "write":
            return False
        # The writer may publish between the reading of the pointer and the loading.
        for attempt in range(20):
            pointer = self._checked_pointer()
            if pointer == self._pointer:
                return False
            if pointer is None:
                raise self._unusable("its pointer is gone")
            try:
                self._adopt(pointer)
            except (gens.DamagedError, FileNotFoundError) as error:
                if self._checked_pointer() != pointer:
                    continue
                # Another process that drops its engine writes some files anew with the same
                # bytes, and a file is short for a moment then: damage is what stays.
                if attempt < gens.LOOKS:
                    time.sleep(gens.pause(attempt))
                    continue
                raise self._unusable(str(error)) from error
            return True
        raise KnowledgeBaseBusy(str(self._root), pid=None)

    def upsert(self, points: Iterable[Point]) -> None:
        self._must_write()
        for group in groups(points, BATCH):
            for point in group:
                require_shape(point, self._dimensions)
            ids = [point_uuid(point.passage_id) for point in group]
            for part in self._parts:
                part.delete_points(ids)
            growing = self._grow()
            growing.add(group)
            if growing.points >= MOST:
                self._settle()

    def delete_documents(self, document_ids: Sequence[str]) -> None:
        wanted = tuple(document_ids)
        if not wanted or self.count() == 0:
            return
        self._must_write()
        for part in self._parts:
            self._changed |= part.delete_documents(wanted)
        if self._growing is not None:
            self._growing.delete_documents(wanted)

    def commit(self, stamp: int) -> None:
        self._must_write()
        self._settle()
        if self._changed or self._pointer is None or self._pointer.stamp != stamp:
            self._publish(stamp)
        self._tidy()

    def purge(self) -> None:
        self._must_write()
        self._settle()
        unclean = [p for p in self._parts if p.gone or self._records[p.name].dirty]
        for part in unclean:
            self._write_anew([part])
        if self._changed:
            self._publish(self.stamp)

    def dense(self, vector: NDArray[np.float32], *, limit: int, filters: Filters) -> list[IndexHit]:
        query = engine.Query.Nearest(vector.tolist(), using=DENSE)
        return self._query(self._readable(), query, limit, filters, NEAREST)

    def sparse(self, terms: Mapping[int, float], *, limit: int, filters: Filters) -> list[IndexHit]:
        if not terms:
            return []
        parts, params = self._readable(), LISTED
        if any(part.frequencies is None for part in parts):  # of the old format: see ``shard``
            corpus = engine_filter(Filters(collections=filters.collections))
            params = engine.SearchParams(exact=True, idf=engine.IdfParams(corpus=corpus))
        else:
            # One collection's frequencies must not shape the ranking of another.
            known = [(p.frequencies or {}, p.gone.less) for p in parts]
            terms = fr.weights(terms, filters.collections, known)
            if not terms:
                return []
        vector = engine.SparseVector(indices=list(terms), values=list(terms.values()))
        found = self._query(
            parts, engine.Query.Nearest(vector, using=SPARSE), limit, filters, params
        )
        return [h for h in found if h.score > 0.0]

    def count(self) -> int:
        growing = self._growing.points if self._growing is not None else 0
        return growing + sum(part.live for part in self._parts)

    def close(self) -> None:
        # Dropped, not closed: closing flushes, and a reader's folder may be gone by now.
        self._parts = ()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        if self._growing is not None:
            self._growing.discard()
            self._growing = None
        if self._lock is not None:
            gens.sweep(self._root, self._pointer)
            self._lock.release()
            self._lock = None

    # Searching -------------------------------------------------------------------------------

    def _readable(self) -> tuple[Part, ...]:
        if self._growing is None or not self._growing.points:
            return self._parts
        return (*self._parts, self._growing.view())

    def _query(
        self,
        parts: Sequence[Part],
        query: Any,
        limit: int,
        filters: Filters,
        params: engine.SearchParams,
    ) -> list[IndexHit]:
        if not parts or limit < 1:
            return []

        def ask(number: int) -> list[IndexHit]:
            lists = self._of_each(parts, lambda part: part.list(query, filters, number, params))
            found = [(score, at, point) for at, some in enumerate(lists) for score, point in some]
            found.sort(key=lambda one: -one[0])
            if len(found) > number:  # those that tie with the last one stay
                found = [one for one in found if one[0] >= found[number - 1][0]]
            wanted: dict[int, list[Any]] = {}
            for _, at, point in found:
                wanted.setdefault(at, []).append(point)
            told = {at: parts[at].payloads(points) for at, points in wanted.items()}
            return [hit(told[at][point], score) for score, at, point in found]

        return nearest(ask, limit)

    def _of_each(self, parts: Sequence[Part], work: Callable[[Part], T]) -> list[T]:
        """What ``work`` gives of each part, in their order."""
        if len(parts) < 2 or sum(part.points for part in parts) < _MANY or _THREADS < 2:
            return [work(part) for part in parts]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="kgrag-index")
        # The largest first, so that no thread ends long after the others.
        order = sorted(range(len(parts)), key=lambda at: -parts[at].points)
        made = list(self._pool.map(lambda at: work(parts[at]), order))
        return [one for _, one in sorted(zip(order, made, strict=True), key=lambda pair: pair[0])]

    # Opening ---------------------------------------------------------------------------------

    def _open_for_writing(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._root / "write.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise KnowledgeBaseBusy(str(self._root), pid=None) from error
        self._lock = lock
        try:
            self.discarded = self._take_over()
            gens.sweep(self._root, self._pointer)
            if self._pointer is not None and self._pointer.format == gens.OLD_FORMAT:
                self._write_anew(list(self._parts))
                self._publish(self.stamp)
        except BaseException:
            self.close()
            raise

    def _take_over(self) -> str | None:
        """Take over what was published, or say why not and take nothing."""
        try:
            pointer = gens.read_pointer(self._root)
            if pointer is None:
                return None
            if (pointer.shape, pointer.dimensions) != (self._shape, self._dimensions):
                (self._root / gens.POINTER).unlink()
                return "it was made with another encoder or other terms"
            self._adopt(pointer)
        except (gens.DamagedError, FileNotFoundError) as error:
            (self._root / gens.POINTER).unlink()
            return str(error)
        self._next = pointer.next
        return None

    def _checked_pointer(self) -> gens.Pointer | None:
        try:
            pointer = gens.read_pointer(self._root)
        except gens.DamagedError as error:
            raise self._unusable(str(error)) from error
        if pointer and (pointer.shape, pointer.dimensions) != (self._shape, self._dimensions):
            raise self._unusable("it was made with another encoder or other terms")
        return pointer

    def _adopt(self, pointer: gens.Pointer) -> None:
        """What ``pointer`` names is what is read from now on, verified."""
        gone: dict[str, Any] = {}
        if pointer.gone:
            name, digest = pointer.gone
            gone = json.loads(gens.read_checked(self._root / name, digest))
        here = {part.name: part for part in self._parts}
        parts = []
        for record in pointer.parts:
            left = Gone.load(gone[record.folder]) if record.folder in gone else None
            old = here.get(record.folder)
            if old is not None and self._records[old.name] == record:
                parts.append(
                    Part(old.folder, old.shard, old.frequencies, points=old.points, gone=left)
                )
            else:
                parts.append(self._part(record, left, pointer.format))
        self._parts = tuple(parts)
        self._records = {record.folder: record for record in pointer.parts}
        self._pointer = pointer

    def _part(self, record: gens.Published, gone: Gone | None, format: int) -> Part:
        """A published part, loaded and verified."""
        folder = self._root / record.folder
        old = format == gens.OLD_FORMAT
        with self._load_lock():
            gens.check(self._root, record, format=format)
            shard = _load(folder if old else folder / ENGINE)
        if old:
            return Part(folder, shard, None, points=count_points(shard))
        frequencies = fr.read(folder / fr.NAME)
        return Part(folder, shard, frequencies, points=record.points, gone=gone)

    def _load_lock(self) -> FileLock:
        # The engine rewrites some files with the same content when it loads and closes.
        return FileLock(self._root / "load.lock", timeout=_LOAD_TIMEOUT)

    def _unusable(self, reason: str) -> KnowledgeBaseError:
        return KnowledgeBaseError(
            f"the vector index cannot be read: {reason}",
            hint="the next ingest rebuilds it from the knowledge base; "
            "deleting the index folder is safe",
        )

    # Writing ---------------------------------------------------------------------------------

    def _must_write(self) -> None:
        if self._lock is None:
            raise BrokenInvariant("the index is not open for writing")

    def _grow(self) -> Growing:
        if self._growing is None:
            self._growing = self._new()
        return self._growing

    def _new(self) -> Growing:
        folder = self._root / f"part-{self._next:06d}"
        self._next += 1
        if folder.exists():
            gens.delete(folder)
        return Growing(folder, self._dimensions, self._mapped_above_kb)

    def _settle(self) -> None:
        """What grew is a part of its own, on the disk, not published yet."""
        growing, self._growing = self._growing, None
        if growing is None:
            return
        if growing.points:
            self._finish(growing)
        else:
            growing.discard()
        self._changed = True

    def _finish(self, growing: Growing) -> None:
        folder, frequencies = growing.folder, growing.frequencies()
        points, dirty = growing.points, growing.dirty
        with self._load_lock():
            growing.close()
            # The first loading of what was written folds journals away; after it the files are
            # the same whenever they are loaded and closed, which the digests rely on.
            shard = _load(folder / ENGINE)
            if shard.optimize():
                shard.flush()
                shard.close()
                shard = _load(folder / ENGINE)
            shard.flush()
            shard.close()
            fr.write(folder / fr.NAME, frequencies)
            gens.sync(folder)
            record = gens.Published(folder.name, points, dirty, gens.digests(folder))
            shard = _load(folder / ENGINE)
        self._records[folder.name] = record
        self._parts = (*self._parts, Part(folder, shard, frequencies, points=points))
        self._changed = True

    def _publish(self, stamp: int) -> None:
        """The parts as they are now, less those of which all is gone, are the current ones."""
        self._parts = tuple(part for part in self._parts if part.live)
        self._records = {part.name: self._records[part.name] for part in self._parts}
        left = {part.name: part.gone.dump() for part in self._parts if part.gone}
        gone = None
        if left:
            name = f"gone-{self._next:06d}.json"
            self._next += 1
            gone = (name, gens.write_durably(self._root / name, json.dumps(left).encode()))
        pointer = gens.Pointer(
            tuple(self._records.values()),
            stamp,
            self._shape,
            self._dimensions,
            gone,
            self._next,
        )
        gens.write_pointer(self._root, pointer)
        self._pointer, self._changed = pointer, False
        gens.sweep(self._root, pointer)

    def _tidy(self) -> None:
        """Parts of which much is gone are written anew, and many of one size as one; published."""
        for part in self._parts:
            named = len(part.gone.documents) + len(part.gone.points)
            if worn(part.points, part.gone.count, named):
                self._write_anew([part])
                self._publish(self.stamp)
        while chosen := together([part.live for part in self._parts]):
            self._write_anew([self._parts[at] for at in chosen])
            self._publish(self.stamp)

    def _write_anew(self, parts: Sequence[Part]) -> None:
        """What is there of ``parts`` is in new ones, and they are none of this index's."""
        growing = self._new()
        for part in parts:
            self._verify(part)
            for group in groups(part.remaining(), BATCH):
                growing.copy(group)
                if growing.points >= MOST:
                    self._finish(growing)
                    growing = self._new()
        names = {part.name for part in parts}
        self._parts = tuple(part for part in self._parts if part.name not in names)
        if growing.points:
            self._finish(growing)
        else:
            growing.discard()
        self._changed = True

    def _verify(self, part: Part) -> None:
        """The files are still what was written: damage is not copied."""
        format = self._pointer.format if self._pointer is not None else gens.FORMAT
        try:
            gens.check(self._root, self._records[part.name], format=format)
        except (gens.DamagedError, FileNotFoundError) as error:
            raise self._unusable(str(error)) from error


def _load(folder: Path) -> engine.EdgeShard:
    try:
        return engine.EdgeShard.load(str(folder))
    except Exception as error:  # the engine raises nothing narrower
        raise gens.DamagedError(f"{folder}: the engine cannot load it") from error
