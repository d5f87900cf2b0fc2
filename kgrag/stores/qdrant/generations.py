"""Folders of an index that are never changed once published, and the pointer to the current one.

    index/
      current.json     which folder is current, its stamp, its shape, the digests of its files
      gen-000007/      the engine's files
      write.lock       held by the writer as long as it is open
      load.lock        held for the moment in which an engine loads or closes a folder

The engine changes its files in place, and readers of other processes map the same files. So the
writer works on a copy and publishes it by replacing the pointer, which is atomic. A kill at any
instant leaves the pointer on a whole folder, and folders without a pointer to them, which the
next writer deletes. Readers that hold a deleted folder keep its content until they let go.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

POINTER: Final = "current.json"
FORMAT: Final = 1
_BLOCK: Final = 1 << 20
#: How often files that differ are looked at again before they count as damaged: 0.75 s in all.
LOOKS: Final = 5
_HASHING: Final = 2  # threads: hashing runs beside the interpreter, and disks are shared


@dataclass(frozen=True, slots=True)
class Pointer:
    """The published state. ``dirty`` says that the files may still hold deleted vectors."""

    folder: str
    stamp: int
    shape: str
    dimensions: int
    dirty: bool
    files: Mapping[str, str]
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
        pointer = Pointer(**value)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(f"{POINTER} does not parse") from error
    if sealed != _seal(pointer) or pointer.format != FORMAT:
        raise DamagedError(f"{POINTER} is not what was written")
    return pointer


def write_pointer(root: Path, pointer: Pointer) -> None:
    """Replace the pointer atomically and durably."""
    temporary = root / f"{POINTER}.new"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump({**asdict(pointer), "seal": _seal(pointer)}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(root / POINTER)
    _sync_folder(root)


def digests(folder: Path) -> dict[str, str]:
    """Relative path to SHA-256 of every file below ``folder``.

    All bytes are read: a torn file that has its size and its times is found out too, before the
    engine maps it. Two threads hash at a time, the largest files first.
    """
    paths = [path for path in folder.rglob("*") if path.is_file()]
    paths.sort(key=lambda path: path.stat().st_size, reverse=True)
    with ThreadPoolExecutor(_HASHING) as pool:
        hashed = dict(zip(paths, pool.map(_digest, paths), strict=True))
    return {path.relative_to(folder).as_posix(): hashed[path] for path in sorted(paths)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(root: Path, pointer: Pointer) -> None:
    """DamagedError when the folder's files are not exactly those that were published."""
    folder = root / pointer.folder
    found = digests(folder)
    if found != dict(pointer.files):
        names = sorted({n for n, _ in set(found.items()) ^ set(pointer.files.items())})
        raise DamagedError(f"{pointer.folder}: {', '.join(names[:3])} changed since it was written")


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


def copy_published(root: Path, pointer: Pointer, target: Path) -> None:
    """``target`` holds what was published, byte by byte; DamagedError when it cannot be had.

    Runs of zeros stay holes, as the engine made them. Readers that load or drop the folder rewrite
    some of its files meanwhile, with the same bytes: only files that were published are copied,
    and one that was caught short is copied again.
    """
    for name, digest in pointer.files.items():
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(LOOKS + 1):
            try:
                if _copy(root / pointer.folder / name, copy) == digest:
                    break
            except FileNotFoundError:
                pass  # looked for again, like one that differs
            time.sleep(pause(attempt))
        else:
            raise DamagedError(f"{pointer.folder}: {name} changed since it was written")


def _copy(source: Path, target: Path) -> str:
    """The SHA-256 of what was copied."""
    seen = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while block := reader.read(_BLOCK):
            seen.update(block)
            if block.count(0) == len(block):
                writer.seek(len(block), os.SEEK_CUR)
            else:
                writer.write(block)
        writer.truncate()
    return seen.hexdigest()


def pause(attempt: int) -> float:
    """Seconds to wait before files that differ are looked at again."""
    return 0.05 * (attempt + 1)


def next_folder(root: Path, pointer: Pointer | None) -> Path:
    """The path of the folder after the current one; what lay there is deleted."""
    number = int(pointer.folder.rpartition("-")[2]) + 1 if pointer else 1
    path = root / f"gen-{number:06d}"
    if path.exists():
        shutil.rmtree(path)
    return path


def sweep(root: Path, keep: str | None) -> None:
    """Delete every generation but ``keep``, and temporary files. Only the writer calls this."""
    for path in root.glob("gen-*"):
        if path.name != keep:
            _delete(path)
    (root / f"{POINTER}.new").unlink(missing_ok=True)


def _delete(path: Path) -> None:
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


def _seal(pointer: Pointer) -> str:
    return hashlib.sha256(json.dumps(asdict(pointer), sort_keys=True).encode()).hexdigest()


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
