"""One writer: named while it lives, forgotten when it dies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kgrag.errors import KnowledgeBaseBusy
from kgrag.stores.lock import WriterLock, read_writer

HOLD = """
import sys
from pathlib import Path
from kgrag.stores.lock import WriterLock
lock = WriterLock(Path(sys.argv[1]), url="http://127.0.0.1:1")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_writer_hears_who_the_first_is(tmp_path: Path) -> None:
    assert read_writer(tmp_path) is None
    lock = WriterLock(tmp_path)
    assert read_writer(tmp_path) == (os.getpid(), None)
    lock.set_url("http://127.0.0.1:8000")
    assert read_writer(tmp_path) == (os.getpid(), "http://127.0.0.1:8000")
    with pytest.raises(KnowledgeBaseBusy, match="serving at http") as caught:
        WriterLock(tmp_path)
    assert (caught.value.pid, caught.value.url) == (os.getpid(), "http://127.0.0.1:8000")
    lock.set_url(None)
    assert read_writer(tmp_path) == (os.getpid(), None)
    lock.release()
    lock.release()
    assert read_writer(tmp_path) is None
    with pytest.raises(ValueError, match="released"):
        lock.set_url(None)
    WriterLock(tmp_path).release()


def test_a_dead_writers_lock_is_free(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert read_writer(tmp_path) == (holder.pid, "http://127.0.0.1:1")
        with pytest.raises(KnowledgeBaseBusy) as caught:
            WriterLock(tmp_path)
        assert caught.value.pid == holder.pid
        holder.kill()
    # Its name is still written there, and means nothing.
    assert str(holder.pid) in (tmp_path / "writer.lock").read_text()
    assert read_writer(tmp_path) is None
    WriterLock(tmp_path).release()
