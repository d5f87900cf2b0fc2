"""One writer at a time: an operating-system lock on a file that says who holds it.

The lock dies with its process, so a dead writer never blocks the next one. The file's content is
JSON with the writer's ``pid`` and, while it serves, its ``url``; the content alone means nothing
without the lock.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Final

from kgrag.errors import KnowledgeBaseBusy

FILE_NAME: Final = "writer.lock"
# A reader that looks who writes holds the lock for microseconds: a writer tries for this long.
_PATIENCE_S: Final = 0.3

if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    # Locked bytes cannot be read there, so the lock lies far behind the content.
    _FAR: Final = 1 << 30

    def _take(descriptor: int, *, shared: bool) -> bool:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(descriptor: int, *, shared: bool) -> bool:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class WriterLock:
    """Held from construction to ``release``; KnowledgeBaseBusy names the holder otherwise."""

    def __init__(self, directory: Path, *, url: str | None = None) -> None:
        self.path = directory / FILE_NAME
        # The descriptor is not inherited by programs that this process starts.
        self._descriptor: int | None = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + _PATIENCE_S
        while not _take(self._descriptor, shared=False):
            if time.monotonic() > deadline:
                os.close(self._descriptor)
                self._descriptor = None
                pid, busy_url = _holder(self.path)
                raise KnowledgeBaseBusy(str(directory), pid=pid, url=busy_url)
            time.sleep(0.01)
        self.set_url(url)

    def set_url(self, url: str | None) -> None:
        """Record where this writer serves; None when it does not."""
        if self._descriptor is None:
            raise ValueError("the lock was released")
        content = json.dumps({"pid": os.getpid(), "url": url}).encode()
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, content)
        os.ftruncate(self._descriptor, len(content))

    def release(self) -> None:
        """Let the next writer in; a second call does nothing."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def read_writer(directory: Path) -> tuple[int, str | None] | None:
    """The (pid, url) of the living writer of the kb in ``directory``; None when nobody writes."""
    path = directory / FILE_NAME
    try:
        descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        if _take(descriptor, shared=True):
            return None  # closing gives it back
    finally:
        os.close(descriptor)
    # A writer that has just begun has taken the lock and not yet written its name.
    deadline = time.monotonic() + _PATIENCE_S
    while (pid := (found := _holder(path))[0]) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return None if pid is None else (pid, found[1])


def _holder(path: Path) -> tuple[int | None, str | None]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        return None, None  # being written just now
    return content["pid"], content["url"]
