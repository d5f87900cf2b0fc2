"""Folders of an index that are never changed once published, and the pointer to the current ones.

    index/
      current.json     the parts that are current, the stamp, the shape, digests of all files
      part-000007/     see ``part``
      gone-000009.json what was deleted from parts that are not written anew yet
      write.lock       held by the writer as long as it is open
      load.lock        held for the moment in which an engine loads or closes a folder

The engine changes its files in place, and readers of other processes map the same files. So the
writer fills a new part beside the published ones, names in a file of its own what of them is gone,
and publishes by replacing the pointer, which is atomic: a commit costs what it adds and not what
the index holds. A kill at any instant leaves the pointer on whole parts, and folders that it does
not name, which the next writer deletes. Readers that hold a deleted folder keep its content until
they let go.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

POINTER: Final = "current.json"
FORMAT: Final = 2
#: One engine without parts, in a folder ``gen-...``: it is read, and written anew as parts.
OLD_FORMAT: Final = 1
_BLOCK: Final = 1 << 20
_ZEROS: Final = bytes(_BLOCK)
#: How often files that differ are looked at again before they count as damaged: 0.75 s in all.
LOOKS: Final = 5
_HASHING: Final = 2  # threads: hashing runs beside the interpreter, and disks are shared


@dataclass(frozen=True, slots=True)
class Published:
    """A part as it was published.

    ``dirty`` says that its files may hold vectors that were deleted before it was published.
    """

    folder: str
    points: int
    dirty: bool
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pointer:
    """The published state; ``gone`` is the name and digest of the file of what is gone.

    ``next`` is a number that no folder or file has yet.
    """

    parts: tuple[Published, ...]
    stamp: int
    shape: str
    dimensions: int
    gone: tuple[str, str] | None
    next: int
    format: int = FORMAT


class DamagedError(Exception):
    """The pointer or a file that it names is not what was published; ``args[0]`` says what."""


def read_pointer(root: Path) -> Pointer | None:
    """The current pointer, None where nothing was published; DamagedError if it does not parse."""
    try:
        raw = (root / POINTER).read_bytes()
    except FileNotFoundError:
        return None
    try:
        value: dict[str, Any] = json.loads(raw)
        sealed = value.pop("seal")
        if sealed != _seal(value):
            raise DamagedError(f"{POINTER} is not what was written")
        if value["format"] == OLD_FORMAT:
            return _old(value)
        if value["format"] != FORMAT:
            raise DamagedError(f"{POINTER} has a format that this version does not read")
        value["parts"] = tuple(Published(**part) for part in value["parts"])
        value["gone"] = tuple(value["gone"]) if value["gone"] else None
        return Pointer(**value)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(f"{POINTER} does not parse") from error


def _old(value: Mapping[str, Any]) -> Pointer:
    part = Published(value["folder"], 0, value["dirty"], value["files"])
    return Pointer(
        (part,), value["stamp"], value["shape"], value["dimensions"], None, 1, OLD_FORMAT
    )


def write_pointer(root: Path, pointer: Pointer) -> None:
    """Replace the pointer atomically and durably."""
    value = asdict(pointer)
    write_durably(root / f"{POINTER}.new", json.dumps({**value, "seal": _seal(value)}).encode())
    (root / f"{POINTER}.new").replace(root / POINTER)
    _sync_folder(root)


def write_durably(path: Path, content: bytes) -> str:
    """``path`` holds ``content``, on the disk; gives its SHA-256."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(content).hexdigest()


def read_checked(path: Path, digest: str) -> bytes:
    """What ``write_durably`` wrote; DamagedError when it is something else."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise DamagedError(f"{path.name} changed since it was written")
    return content


def digests(folder: Path, *, format: int = FORMAT) -> dict[str, str]:
    """Relative path to digest of every file below ``folder``.

    All bytes are read: a torn file that has its size and its times is found out too, before the
    engine maps it. Two threads hash at a time, the largest files first.
    """
    digest = _digest if format == FORMAT else _plain_digest
    paths = [path for path in folder.rglob("*") if path.is_file()]
    paths.sort(key=lambda path: path.stat().st_size, reverse=True)
    with ThreadPoolExecutor(_HASHING) as pool:
        hashed = dict(zip(paths, pool.map(digest, paths), strict=True))
    return {path.relative_to(folder).as_posix(): hashed[path] for path in sorted(paths)}


def _digest(path: Path) -> str:
    """SHA-256 over the length and the blocks that are not zero, each with its number.

    The engine's files are mostly room for more: their zeros are neither read nor hashed.
    """
    seen = hashlib.sha256()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        seen.update(b"%d:" % size)
        for number in _blocks(file, size):
            file.seek(number * _BLOCK)
            block = file.read(_BLOCK)
            if block != _ZEROS[: len(block)]:
                seen.update(b"%d:" % number)
                seen.update(block)
    return seen.hexdigest()


def _blocks(file: BinaryIO, size: int) -> Iterator[int]:
    """Numbers of the blocks that may hold something else than zeros, ascending."""
    at, seek = 0, getattr(os, "SEEK_DATA", None)
    while at < size:
        if seek is not None:
            try:
                at = max(at, os.lseek(file.fileno(), at, seek) // _BLOCK * _BLOCK)
            except OSError as error:
                if error.errno == errno.ENXIO:  # only a hole is left
                    return
                seek = None  # a file system that does not know
        yield at // _BLOCK
        at += _BLOCK


def _plain_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(root: Path, part: Published, *, format: int = FORMAT) -> None:
    """DamagedError when the folder's files are not exactly those that were published."""
    folder = root / part.folder
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder.name} is gone")
    found = digests(folder, format=format)
    if found != dict(part.files):
        names = sorted({n for n, _ in set(found.items()) ^ set(part.files.items())})
        raise DamagedError(f"{part.folder}: {', '.join(names[:3])} changed since it was written")


def sync(folder: Path) -> None:
    """Every file and folder below ``folder`` is on the disk."""
    for path in folder.rglob("*"):
        if path.is_dir():
            _sync_folder(path)
        else:
            # Opened for writing, because some systems refuse to sync a read-only descriptor.
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    _sync_folder(folder)


def pause(attempt: int) -> float:
    """Seconds to wait before files that differ are looked at again."""
    return 0.05 * (attempt + 1)


def sweep(root: Path, pointer: Pointer | None) -> None:
    """Delete what ``pointer`` does not name. Only the writer calls this."""
    keep = {part.folder for part in pointer.parts} if pointer else set()
    if pointer and pointer.gone:
        keep.add(pointer.gone[0])
    for pattern in ("part-*", "gen-*"):
        for path in root.glob(pattern):
            if path.name not in keep:
                delete(path)
    for path in (*root.glob("gone-*"), root / f"{POINTER}.new"):
        if path.name not in keep:
            path.unlink(missing_ok=True)


def delete(path: Path) -> None:
    """The folder is gone; a reader that drops it may add a file while it is being emptied."""
    for attempt in range(LOOKS):
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            if not path.exists():
                return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
        else:
            return
        time.sleep(pause(attempt))
    shutil.rmtree(path)


def _seal(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
