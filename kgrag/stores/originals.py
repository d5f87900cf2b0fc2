"""The original files, kept by the hash of their bytes: ``originals/ab/<sha256>``.

A file is whole or absent: it is written beside its place, synced, renamed, and its folder synced,
before the transaction that refers to it. What no transaction refers to is swept by the next writer.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Final

from kgrag.errors import BrokenInvariant
from kgrag.ids import sha256

_UNFINISHED: Final = ".part"


class Originals:
    """The originals below ``directory``, which is made when something is first added."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, digest: str) -> Path:
        """Where the bytes with that SHA-256 are, or would be."""
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError("not a SHA-256 in hexadecimal digits")
        return self.directory / digest[:2] / digest

    def add(self, data: bytes, digest: str) -> None:
        """The bytes are durably kept under their hash ``digest``."""
        path = self.path(digest)
        if path.exists():
            return
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
            sync_directory(self.directory)
        unfinished = path.with_suffix(_UNFINISHED)
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        sync_directory(path.parent)

    def read(self, digest: str) -> bytes:
        """The bytes, checked against their hash; BrokenInvariant when missing or altered."""
        try:
            data = self.path(digest).read_bytes()
        except FileNotFoundError as error:
            raise BrokenInvariant("an original file is missing", hint="ingest it again") from error
        if sha256(data) != digest:
            raise BrokenInvariant("an original file was altered", hint="ingest it again")
        return data

    def delete(self, digest: str) -> None:
        """The file is gone; one that is not there is no error."""
        self.path(digest).unlink(missing_ok=True)

    def files(self) -> Iterator[Path]:
        """Every file below the directory, finished or not."""
        if self.directory.is_dir():
            for folder in sorted(self.directory.iterdir()):
                if folder.is_dir():
                    yield from sorted(folder.iterdir())

    def sweep(self, keep: Container[str]) -> int:
        """Delete every file whose name is not in ``keep``; the number deleted."""
        swept = 0
        for path in list(self.files()):
            if path.name not in keep:
                path.unlink()
                swept += 1
        return swept


def sync_directory(directory: Path) -> None:
    """Names made or removed in ``directory`` survive a loss of power."""
    if os.name == "nt":  # pragma: no cover - folders cannot be opened there
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
