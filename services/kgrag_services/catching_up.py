"""The index of a served kb brought up to the truth, beside the questions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from kgrag import Engine
from kgrag.errors import RetryableError
from kgrag.progress import Silent

# Seconds before what failed is tried again: soon when the error says that this may help, else later
# and later, since a full disk or a wrong right on a folder is mended by a person.
PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 300.0


class _StoppedError(Exception):
    """The service ends."""


class CatchingUp(Silent):
    """A catch-up in a thread of its own, tried again until it is done or the service ends.

    ``failed`` is the name of the last error, None without one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._stop = engine, threading.Event()
        self.failed: str | None = None
        self._thread = threading.Thread(target=self._run, name="catching-up", daemon=True)

    def start(self) -> None:
        """Begin, when the index lags behind."""
        generation, stamp = self._engine.generations()
        if self._engine.mode == "write" and generation != stamp:
            self._thread.start()

    def stop(self) -> None:
        """End at the next document; what was committed stays."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def advance(self, amount: int = 1) -> None:
        """A document was done; the end of the service is looked for."""
        if self._stop.is_set():
            raise _StoppedError

    def _run(self) -> None:
        pause = PAUSE_S
        while not self._stop.is_set():
            try:
                self._engine.catch_up(self, sharing=True)
            except _StoppedError:
                return
            except RetryableError as error:
                self.failed = type(error).__name__
                self._stop.wait(PAUSE_S)
            except Exception as error:  # noqa: BLE001 - /readyz tells it; its words may be a text's
                self.failed = type(error).__name__
                self._stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                self.failed = None
                return


@contextmanager
def catching_up(engine: Engine) -> Iterator[CatchingUp]:
    """The index of ``engine`` is brought up to its truth from now on, until the block ends."""
    work = CatchingUp(engine)
    try:
        work.start()
    except RetryableError as error:
        work.failed = type(error).__name__  # /readyz says so; questions get the same error
    try:
        yield work
    finally:
        work.stop()
