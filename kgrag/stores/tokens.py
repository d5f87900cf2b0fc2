"""Packed token states of passages, in a folder that many processes read while one writes.

    tokens/
      current.json          which files are current, how much of each is valid, the stamp, the shape
      states-000003.bin     packed states, one passage's after the other's
      rows-000003.bin       what was done, in order: a passage's states put, a document's let go
      write.lock            held by the writer as long as it is open

Both files only grow. What lies behind the lengths in the pointer was not committed: readers do not
look there and the next writer cuts it off, so a kill loses nothing that was committed. Every
passage has its own checksum. Derived from the truth, like the vector index: it holds hashes of ids
and states, never text, and is rebuilt when it is missing or damaged. A purge copies what is still
valid to new files, so that nothing of a removed document stays.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Final, Literal

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from kgrag.errors import BrokenInvariant, KnowledgeBaseBusy, KnowledgeBaseError
from kgrag.ids import canonical, sha256

POINTER: Final = "current.json"
_FORMAT: Final = 1
_ROW: Final = np.dtype(
    [("passage", "<u8"), ("document", "<u8"), ("at", "<u8"), ("tokens", "<u4"), ("check", "<u4")]
)
# A row of this passage is not one: the states of its document put before it are let go.
_LET_GO: Final = 0
Codes = NDArray[np.uint8]
Rows = NDArray[np.void]


class DamagedError(Exception):
    """The files are not what was published; ``args[0]`` says what."""


@dataclass(frozen=True, slots=True)
class TokenPointer:
    """The published state: ``rows`` and ``states`` are valid bytes of the files of ``number``."""

    number: int
    stamp: int
    shape: str
    width: int
    rows: int
    states: int
    rows_sha256: str
    dirty: bool
    format: int = _FORMAT


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """What was committed, as it is read; replaced as a whole, so that threads may share it.

    ``alive`` are the rows that hold, by ``passages``, their first column.
    """

    pointer: TokenPointer
    rows: Rows
    states: Codes
    alive: Rows
    passages: NDArray[np.uint64]

    @classmethod
    def of(cls, pointer: TokenPointer, rows: Rows, states: Codes) -> _View:
        alive = _alive(rows)
        return cls(pointer, rows, states, alive, np.ascontiguousarray(alive["passage"]))

    def codes(self, row: tuple[int, int, int, int, int]) -> Codes | None:
        """The states that the row names, None when their checksum is another."""
        width = self.pointer.width
        _, _, at, tokens, check = row
        size = tokens * width
        codes = self.states[at : at + size]
        if len(codes) != size or zlib.crc32(codes.data) != check:
            return None
        return codes.reshape(-1, width)


class TokenStates:
    """Packed token states by passage id. ``stamp`` is the truth's generation that they reflect.

    ``shape`` names all that shaped them. Opened for writing, states of another shape or damaged
    ones are discarded (``discarded`` says why), to be filled anew; opened for reading, those of
    another shape are as if there were none, and damaged ones raise KnowledgeBaseError.
    """

    def __init__(
        self, root: Path, *, width: int, shape: str, mode: Literal["read", "write"]
    ) -> None:
        """``width``: bytes of one packed token."""
        self._root, self._width, self._shape = root, width, shape
        self._view = self._empty()
        self._work: _Appending | None = None
        self._lock: FileLock | None = None
        self.discarded: str | None = None
        if mode == "write":
            self._open_for_writing()
        else:
            self.refresh()

    @property
    def stamp(self) -> int:
        return self._view.pointer.stamp

    def count(self) -> int:
        """Passages with committed states."""
        return len(self._view.alive)

    def refresh(self) -> bool:
        """See what was published since; True when there was something."""
        if self._lock is not None:
            return False
        for _ in range(20):
            pointer = None
            try:
                pointer = self._read_pointer()
                if pointer is None or pointer == self._view.pointer:
                    return False
                self._adopt(pointer)
            except (DamagedError, FileNotFoundError) as error:
                # A writer may have put other files in their place between the two looks.
                if pointer is None or pointer == self._read_again():
                    raise self._unusable(str(error)) from error
                continue
            return True
        raise KnowledgeBaseBusy(str(self._root), pid=None)

    def get(self, passage_ids: Sequence[str]) -> list[Codes | None]:
        """Packed states of each passage, shape (tokens, width); None where there are none.

        KnowledgeBaseError when they are not what was written.
        """
        view = self._view
        keys = np.array([_key(i) for i in passage_ids], dtype=np.uint64)
        places = np.searchsorted(view.passages, keys)
        found: list[Codes | None] = []
        for key, place in zip(keys, places, strict=True):
            if place == len(view.passages) or view.passages[place] != key:
                found.append(None)
                continue
            codes = view.codes(view.alive[place].item())
            if codes is None:
                raise self._unusable("states of a passage changed since they were written")
            found.append(codes)
        return found

    def put(self, states: Iterable[tuple[str, str, Codes]]) -> None:
        """Add or replace (passage id, document id, packed states); seen after ``commit``."""
        work = self._working()
        for passage_id, document_id, codes in states:
            if codes.dtype != np.uint8 or codes.ndim != 2 or codes.shape[1] != self._width:
                raise BrokenInvariant(f"packed states have {self._width} bytes a token")
            work.put(_key(passage_id), _key(document_id), codes)

    def delete_documents(self, document_ids: Sequence[str]) -> None:
        """States of these documents are let go, those put before this call."""
        keys = np.array([_key(i) for i in document_ids], dtype=np.uint64)
        held = np.isin(keys, self._view.alive["document"])
        if self._work is not None:
            held |= np.isin(keys, np.array(sorted(self._work.documents), dtype=np.uint64))
        if held.any():
            self._working().let_go(keys[held].tolist())

    def commit(self, stamp: int) -> None:
        """All before is durable and published under ``stamp``."""
        self._must_write()
        pointer = self._view.pointer
        work = self._work if pointer.number else self._working()
        if work is not None:
            dirty = pointer.dirty or work.let_go_some
            pointer = replace(_valid(pointer, work), dirty=dirty)
        elif stamp == pointer.stamp:
            return
        self._publish(replace(pointer, stamp=stamp))
        if self._view.pointer.dirty and len(self._view.alive) * 2 < len(self._view.rows):
            self.purge()

    def purge(self) -> None:
        """No states that were let go or replaced are in any file."""
        self._must_write()
        if self._work is not None:
            self.commit(self.stamp)
        if not self._view.pointer.dirty:
            return
        view = self._view
        old = view.pointer
        self._close_files()
        self._work = _Appending(self._root, old.number + 1)
        self._work.copy(view.alive, view.states, self._width)
        self._publish(replace(_valid(old, self._work), dirty=False))
        self._sweep()

    def verify(self) -> Iterator[str]:
        """Problems of what is committed, reading all of it; none when sound."""
        view = self._view
        wrong = sum(view.codes(row) is None for row in view.alive.tolist())
        if wrong:
            yield f"token states of {wrong} passages changed since they were written"

    def close(self) -> None:
        self._close_files()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _open_for_writing(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._root / "write.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise KnowledgeBaseBusy(str(self._root), pid=None) from error
        self._lock = lock
        try:
            pointer = self._read_pointer(any_shape=True)
            if pointer is not None:
                if (pointer.shape, pointer.width) != (self._shape, self._width):
                    raise DamagedError("they were made with another encoder or form")
                self._adopt(pointer)
                for problem in self.verify():
                    raise DamagedError(problem)
        except (DamagedError, FileNotFoundError) as error:
            self.discarded = str(error)
            (self._root / POINTER).unlink()
            self._view = self._empty()
        self._sweep()

    def _read_pointer(self, *, any_shape: bool = False) -> TokenPointer | None:
        try:
            raw = (self._root / POINTER).read_bytes()
        except FileNotFoundError:
            return None
        try:
            value: dict[str, Any] = json.loads(raw)
            sealed = value.pop("seal")
            pointer = TokenPointer(**value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DamagedError(f"{POINTER} does not parse") from error
        if sealed != _seal(pointer):
            raise DamagedError(f"{POINTER} is not what was written")
        if pointer.format != _FORMAT:
            raise DamagedError("they are of another format")
        fits = (pointer.shape, pointer.width) == (self._shape, self._width)
        return pointer if fits or any_shape else None

    def _read_again(self) -> TokenPointer | None:
        try:
            return self._read_pointer()
        except DamagedError as error:
            raise self._unusable(str(error)) from error

    def _adopt(self, pointer: TokenPointer) -> None:
        """Read the files of ``pointer``; DamagedError, or FileNotFoundError when they are gone."""
        with _path(self._root, "rows", pointer.number).open("rb") as file:
            raw = file.read(pointer.rows)
        if len(raw) != pointer.rows or hashlib.sha256(raw).hexdigest() != pointer.rows_sha256:
            raise DamagedError("the list of passages changed since it was written")
        states = _mapped(_path(self._root, "states", pointer.number), pointer.states)
        self._view = _View.of(pointer, np.frombuffer(raw, dtype=_ROW), states)

    def _empty(self) -> _View:
        nothing = hashlib.sha256().hexdigest()
        pointer = TokenPointer(0, 0, self._shape, self._width, 0, 0, nothing, dirty=False)
        return _View.of(pointer, np.empty(0, dtype=_ROW), np.empty(0, dtype=np.uint8))

    def _working(self) -> _Appending:
        self._must_write()
        if self._work is None:
            view = self._view
            self._work = _Appending(
                self._root,
                view.pointer.number or 1,
                rows=view.rows.tobytes(),
                states=view.pointer.states,
                known=view.passages,
            )
        return self._work

    def _publish(self, pointer: TokenPointer) -> None:
        temporary = self._root / f"{POINTER}.new"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump({**asdict(pointer), "seal": _seal(pointer)}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._root / POINTER)
        descriptor = os.open(self._root, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._close_files()
        self._adopt(pointer)

    def _close_files(self) -> None:
        if self._work is not None:
            self._work.close()
            self._work = None

    def _sweep(self) -> None:
        """Files that the pointer does not name are deleted, and what lies behind its lengths."""
        pointer = self._view.pointer
        keep = {_path(self._root, kind, pointer.number) for kind in ("rows", "states")}
        for path in [*self._root.glob("rows-*.bin"), *self._root.glob("states-*.bin")]:
            if path not in keep or not pointer.number:
                path.unlink()
        (self._root / f"{POINTER}.new").unlink(missing_ok=True)
        if pointer.number:
            os.truncate(_path(self._root, "rows", pointer.number), pointer.rows)
            os.truncate(_path(self._root, "states", pointer.number), pointer.states)

    def _must_write(self) -> None:
        if self._lock is None:
            raise BrokenInvariant("the token states are not open for writing")

    def _unusable(self, reason: str) -> KnowledgeBaseError:
        return KnowledgeBaseError(
            f"the token states cannot be read: {reason}",
            hint="the next ingest rebuilds them from the knowledge base; "
            f"deleting the folder {self._root.name} is safe",
        )


class _Appending:
    """The two files of one number, open behind what is valid in them."""

    def __init__(
        self,
        root: Path,
        number: int,
        *,
        rows: bytes = b"",
        states: int = 0,
        known: NDArray[np.uint64] | None = None,
    ) -> None:
        """``rows`` and ``states``: what is valid in the files; ``known``: passages therein."""
        self.number, self.documents, self.let_go_some = number, set[int](), False
        self._known = known
        self._new: set[int] = set()
        self._seen = hashlib.sha256(rows)
        self._rows = _behind(_path(root, "rows", number), len(rows))
        self._states = _behind(_path(root, "states", number), states)

    @property
    def digest(self) -> str:
        """SHA-256 of all rows."""
        return self._seen.hexdigest()

    def put(self, passage: int, document: int, codes: Codes) -> None:
        raw = codes.tobytes()
        row = np.array((passage, document, self._states.tell(), len(codes), zlib.crc32(raw)), _ROW)
        self._states.write(raw)
        self._write(row.tobytes())
        self.documents.add(document)
        self.let_go_some |= passage in self._new or self._holds(passage)
        self._new.add(passage)

    def copy(self, rows: Rows, states: Codes, width: int) -> None:
        """``rows`` with what they name of ``states``, in the order in which it lies there.

        Checksums go along, so that damage stays as visible as it was.
        """
        rows = rows[np.argsort(rows["at"])]
        sizes = rows["tokens"].astype(np.int64) * width
        ends = rows["at"].astype(np.int64) + sizes
        # Neighbours that all stay are written as one run.
        apart = 1 + np.flatnonzero(rows["at"][1:] != ends[:-1])
        for first, behind in pairwise([0, *apart.tolist(), len(rows)] if len(rows) else []):
            self._states.write(states[int(rows["at"][first]) : int(ends[behind - 1])].data)
        moved = rows.copy()
        moved["at"] = np.cumsum(sizes) - sizes
        self._write(moved.tobytes())

    def let_go(self, documents: Sequence[int]) -> None:
        for document in documents:
            self._write(np.array((_LET_GO, document, 0, 0, 0), _ROW).tobytes())
        self.let_go_some = True

    def flush(self) -> tuple[int, int]:
        """Everything is on the disk; the lengths of both files in bytes."""
        for file in (self._rows, self._states):
            file.flush()
            os.fsync(file.fileno())
        return self._rows.tell(), self._states.tell()

    def close(self) -> None:
        self._rows.close()
        self._states.close()

    def _write(self, row: bytes) -> None:
        self._rows.write(row)
        self._seen.update(row)

    def _holds(self, passage: int) -> bool:
        if self._known is None or not len(self._known):
            return False
        place = int(np.searchsorted(self._known, np.uint64(passage)))
        return place < len(self._known) and int(self._known[place]) == passage


def _alive(rows: Rows) -> Rows:
    """The rows that hold: of each passage the last, unless its document was let go after it."""
    order = np.arange(len(rows))
    gone = rows["passage"] == _LET_GO
    puts = order[~gone]
    # Rows are read from the end, so that the first of equal ones is the last that was written.
    backwards = puts[::-1]
    _, first = np.unique(rows["passage"][backwards], return_index=True)
    kept = backwards[first]
    if gone.any():
        last = order[gone][::-1]
        documents, first = np.unique(rows["document"][last], return_index=True)
        places = np.minimum(np.searchsorted(documents, rows["document"][kept]), len(documents) - 1)
        same = documents[places] == rows["document"][kept]
        kept = kept[~(same & (last[first][places] > kept))]
    alive: Rows = rows[kept]
    return alive


def _key(identifier: str) -> int:
    """A passage's or document's number in the files, never ``_LET_GO``."""
    digest = hashlib.blake2b(identifier.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _path(root: Path, kind: str, number: int) -> Path:
    return root / f"{kind}-{number:06d}.bin"


def _behind(path: Path, length: int) -> IO[bytes]:
    """The file open for writing behind its first ``length`` bytes; what lay there is cut off."""
    file = path.open("r+b" if path.exists() else "w+b")
    file.truncate(length)
    file.seek(length)
    return file


def _mapped(path: Path, length: int) -> Codes:
    """The first ``length`` bytes of a file; they stay readable when the file is deleted."""
    if not length:
        return np.empty(0, dtype=np.uint8)
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < length:
            raise DamagedError(f"{path.name} is cut off")
        return np.frombuffer(mmap.mmap(file.fileno(), length, access=mmap.ACCESS_READ), np.uint8)


def _valid(pointer: TokenPointer, work: _Appending) -> TokenPointer:
    """``pointer`` over all that was written by ``work``, which is on the disk then."""
    rows, states = work.flush()
    return replace(pointer, number=work.number, rows=rows, states=states, rows_sha256=work.digest)


def _seal(pointer: TokenPointer) -> str:
    return sha256(canonical(asdict(pointer)))
