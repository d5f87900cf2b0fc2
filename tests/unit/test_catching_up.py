"""A served kb goes on catching up whatever went wrong before."""

from __future__ import annotations

import errno
import time
from typing import Any

import pytest

from kgrag.errors import RetryableError
from kgrag_services import catching_up as module
from kgrag_services.catching_up import CatchingUp


class Failing:
    """An engine whose first catch-ups fail."""

    mode = "write"

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.done = False

    def generations(self) -> tuple[int, int]:
        return 2, 1

    def catch_up(self, progress: object, *, sharing: bool) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.done = True


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "no space"), RetryableError("away"), ValueError("odd")]
)
def test_it_is_tried_again_after_any_error(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    engine: Any = Failing(error, error, error)
    work = CatchingUp(engine)
    work.start()
    until = time.monotonic() + 10
    while not engine.done and time.monotonic() < until:
        time.sleep(0.01)
    work.stop()
    assert engine.done and work.failed is None
