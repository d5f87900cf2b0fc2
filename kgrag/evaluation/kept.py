"""A report as it is kept, for programs and for people, and what it was measured with."""

from __future__ import annotations

import os
import platform
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kgrag import __version__
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


def environment(packages: Iterable[str]) -> dict[str, Any]:
    """The day, kgrag, and what it ran on: the installed of ``packages``, Python, the machine."""
    installed = {}
    for name in packages:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "date": date.today().isoformat(),
        "kgrag": __version__,
        "packages": installed,
        "python": platform.python_version(),
        "machine": f"{processor()}, {os.cpu_count()} cores",
    }


def short(identity: str) -> str:
    """NAME@DIGEST with the first twelve characters of the digest."""
    name, at, digest = identity.rpartition("@")
    return f"{name}{at}{digest[:12]}"


def processor() -> str:
    """The name of the processor, as the machine tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
