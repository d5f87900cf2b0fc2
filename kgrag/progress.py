"""Progress of long work: shown on a terminal, silent when output is piped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """What long work reports to: a stage with its total, then steps of it."""

    def stage(self, name: str, total: int | None, unit: str) -> None:
        """A new stage begins; ``total`` in ``unit``, None when unknown."""
        ...

    def advance(self, amount: int = 1) -> None:
        """``amount`` more units of the stage are done."""
        ...


class Silent:
    """Reports nothing."""

    def stage(self, name: str, total: int | None, unit: str) -> None:
        """Nothing."""

    def advance(self, amount: int = 1) -> None:
        """Nothing."""


SILENT: Progress = Silent()


class _Bars:
    def __init__(self, display: object) -> None:
        from rich.progress import Progress as Display

        assert isinstance(display, Display)
        self._display = display
        self._task: object = None

    def stage(self, name: str, total: int | None, unit: str) -> None:
        self._task = self._display.add_task(name, total=total, unit=unit)

    def advance(self, amount: int = 1) -> None:
        if self._task is not None:
            self._display.advance(self._task, amount)  # type: ignore[arg-type]


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """Bars with rate and time left on standard error; silent when that is no terminal."""
    if not sys.stderr.isatty():
        yield SILENT
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Display
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            unit = task.fields.get("unit", "")
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.1f} {unit}/s")

    with Display(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as display:
        yield _Bars(display)
