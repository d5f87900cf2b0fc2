"""Suites of ``kgrag eval`` that measure something else than the finding of passages.

Each is a function that takes a ``Request`` and gives what can tell itself as JSON and Markdown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from kgrag.progress import SILENT, Progress
from kgrag.resolve import Resolver


class Held(Protocol):
    """A suite whose corpus a kb can be made of; ``corpus`` is empty where one must be given."""

    @property
    def name(self) -> str: ...
    @property
    def base(self) -> str: ...
    @property
    def corpus(self) -> bytes: ...
    @property
    def recipe(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What ``kgrag eval`` was asked for.

    ``file`` is a file of one's own in the place of the suite's data; ``calibrate`` asks that what
    was measured is kept in ``kb`` as its calibration. ``build`` makes a kb of a suite's corpus by
    the real pipeline; None where nothing can.
    """

    suite: str
    data: Path | None = None
    split: Literal["dev", "test", "all"] = "all"
    limit: int | None = None
    kb: Path | None = None
    file: Path | None = None
    calibrate: bool = False
    progress: Progress = SILENT
    build: Callable[[Held], Path] | None = None


class Told(Protocol):
    """A report of figures with their intervals."""

    def to_json(self) -> dict[str, Any]:
        """Plain values; no text of questions or documents is among them."""
        ...

    def to_markdown(self) -> str:
        """What a person reads; ends with a line break."""
        ...

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the JSON and the Markdown into ``folder``, made when missing."""
        ...


Runner = Callable[[Request], Told]

_VERDICTS: Final = "kgrag.evaluation.verdicts.run:run"
_ANSWERS: Final = "kgrag.evaluation.answers_run:run"

# A name to its runner and the extra that it needs; packages add others by entry points of the
# group ``kgrag.suite``.
RUNNERS: Final = Resolver(
    "suite",
    {
        "scifact-verdicts": (_VERDICTS, "models"),
        "healthver": (_VERDICTS, "models"),
        "nli4ct": (_VERDICTS, "models"),
        "medhallu": (_VERDICTS, "models"),
        "verdicts": (_VERDICTS, "models"),
        "medec": ("kgrag.evaluation.medec:run", "models"),
        "cpgqa-answers": (_ANSWERS, "models"),
        "bioasq-factoid": (_ANSWERS, "models"),
        "pubmedqa-evidence": (_ANSWERS, "models"),
        "evidence-inference": (_ANSWERS, "models"),
    },
)


def runner(name: str) -> Runner | None:
    """The runner of the suite ``name``; None when no such suite is registered."""
    if name not in RUNNERS.names():
        return None
    found: Runner = RUNNERS.get(name)
    return found
