"""A report as it is kept: one JSON file for programs, one Markdown file for people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kgrag.ids import canonical
from kgrag.records.answer import to_plain


class Kept(ABC):
    """A record of figures that can be told and written."""

    __slots__ = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """Of its files, without their endings: "SUITE-SPLIT"."""

    @abstractmethod
    def lines(self) -> Iterable[str]:
        """Of the Markdown."""

    def to_json(self) -> dict[str, Any]:
        """Plain values; no text of questions, statements or documents is among them."""
        plain: dict[str, Any] = to_plain(self)
        return plain

    def to_markdown(self) -> str:
        """The tables that a person reads; ends with a line break."""
        return "\n".join(self.lines()) + "\n"

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write the JSON and the Markdown into ``folder``, made when missing."""
        folder.mkdir(parents=True, exist_ok=True)
        found = folder / f"{self.name}.json", folder / f"{self.name}.md"
        found[0].write_bytes(canonical(self.to_json()) + b"\n")
        found[1].write_text(self.to_markdown(), encoding="utf-8")
        return found
