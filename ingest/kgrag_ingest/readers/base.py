"""What a reader gives: stored text with its structure, or a refusal with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from kgrag.records.text import Block, Doubt, Metadata, Page, Section, Table


@dataclass(frozen=True, slots=True)
class Reading:
    """One record as read; the form of ``text`` is that of ``kgrag.records.text``.

    ``record`` is None for a whole file, else the record's name inside it (a JSONL record's id or
    line number, a PMID of a MEDLINE set); ``original`` is then that record's own bytes, and
    None means the bytes of the file.
    """

    text: str
    metadata: Metadata = field(default_factory=Metadata)
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    pages: tuple[Page, ...] = ()
    tables: tuple[Table, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    record: str | None = None
    original: bytes | None = None


class Reader(Protocol):
    """Reads one format. ``version`` is raised whenever its output for some input changes."""

    name: str
    version: str
    media_types: tuple[str, ...]
    suffixes: tuple[str, ...]

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """Readings in source order; an exception stands for one record that was refused.

        Raises ``UnreadableFile`` with a reason a user understands when the whole is refused.
        ``data`` is untrusted: nothing of it is executed, expanded, fetched or obeyed.
        """
        ...
