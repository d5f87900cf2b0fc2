"""Stored text from pieces, in the one form that ``kgrag.records.text`` describes.

Every reader makes its text with a ``TextBuilder``; so blocks, sections, tables and pages fit the
text by construction, whatever the source looked like.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kgrag.records.text import (
    Block,
    BlockKind,
    Doubt,
    DoubtKind,
    Metadata,
    Page,
    Section,
    Span,
    Table,
)
from kgrag_ingest.readers.base import Reading

# Control characters that are no white space, soft hyphens, zero-width spaces and marks, direction
# overrides and Unicode tags: none of them is seen by a reader, some hide text or reverse it.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]+"
)
_SURROGATES: Final = re.compile("[\ud800-\udfff]")

# A row of one cell over all columns that is short and no sentence names the group below it.
_GROUP_CHARS: Final = 100

Row = Sequence[str | None]


def clean(text: str) -> str:
    """``text`` as one line of stored text, without outer white space; may be empty.

    Every run of white space (newlines and no-break spaces too) is one space. Half a surrogate
    pair, which no file can store, becomes U+FFFD.
    """
    line = " ".join(_UNSEEN.sub("", text).split())
    return _SURROGATES.sub("\ufffd", line) if not line.isascii() else line


class TextBuilder:
    """Takes blocks in reading order and gives a ``Reading``. Empty pieces leave no trace."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._blocks: list[Block] = []
        self._tables: list[Table] = []
        self._doubts: list[Doubt] = []
        # (heading level as given, index in _sections) of the sections that are open
        self._open: list[tuple[int, int]] = []
        self._sections: list[Section] = []
        # pages that begin with the text that comes next, and those that have begun
        self._waiting: list[tuple[int, str | None]] = []
        self._pages: list[tuple[int, int, str | None]] = []
        self._row_break = False

    @property
    def size(self) -> int:
        """The number of characters so far."""
        return self._size

    @property
    def last_kind(self) -> BlockKind | None:
        """The kind of the last block, None before the first."""
        return self._blocks[-1].kind if self._blocks else None

    def add(self, kind: BlockKind, text: str) -> Span | None:
        """The span of ``text``, cleaned and added as a block; None when nothing was left of it."""
        line = clean(text)
        if not line:
            return None
        if self._blocks:
            tight = self._blocks[-1].kind == kind and (
                kind == "list_item" or (kind == "table_row" and not self._row_break)
            )
            self._write("\n" if tight else "\n\n")
        self._begin_pages()
        start = self._size
        self._write(line)
        self._blocks.append(Block(kind, start, self._size))
        self._row_break = False
        return Span(start, self._size)

    def heading(self, level: int, text: str) -> Span | None:
        """A heading that opens a section; ``level`` orders headings, 1 being the outermost.

        The section's own level is its depth in the tree, so that skipped levels leave no gap.
        """
        end = self._size
        span = self.add("heading", text)
        if span is None:
            return None
        self._close(level, end)
        depth = len(self._open) + 1
        self._open.append((level, len(self._sections)))
        title = self._parts[-1]
        self._sections.append(Section(title, depth, span.start, span.end))
        return span

    def paragraph(self, text: str) -> Span | None:
        """A paragraph; lines that the source wrapped are joined by a space."""
        return self.add("paragraph", text)

    def list_item(self, text: str) -> Span | None:
        """An item of a list, with the number that the source printed but without its bullet."""
        return self.add("list_item", text)

    def caption(self, text: str) -> Span | None:
        """The caption of a figure, or of a table that is given row by row."""
        return self.add("caption", text)

    def reference(self, text: str) -> Span | None:
        """An entry of a reference list."""
        return self.add("reference", text)

    def code(self, text: str) -> None:
        """Preformatted text: a block for each line of it."""
        for line in text.splitlines():
            self.add("code", line)

    def extend(self, text: str, glue: str = " ") -> Span | None:
        """More of the last block, after ``glue`` (``""`` or a space); the span of what was added.

        A call of ``page`` in between makes the new page begin inside the block: this is how a
        paragraph runs over a page break. Not for headings and table rows. ValueError before the
        first block.
        """
        if not self._blocks or self._blocks[-1].kind in ("heading", "table_row"):
            raise ValueError("there is no block that could go on")
        line = clean(text)
        if not line:
            return None
        self._write(" " if glue else "")
        self._begin_pages()
        start = self._size
        self._write(line)
        last = self._blocks[-1]
        self._blocks[-1] = Block(last.kind, last.start, self._size)
        return Span(start, self._size)

    def table(
        self, header: Sequence[str], rows: Sequence[Row], caption: str | None = None
    ) -> Table | None:
        """The table, its caption as a block and each row as a line ``Header: cell; Header: cell``.

        A cell None goes on from the cell to its left (a column span); a row span is given by
        repeating the cell. Empty cells and rows are left out; None when no row is left. A short
        row that is one cell over all columns ("Children") begins the lines of the rows below it,
        so that each line can stand alone.
        """
        names = tuple(clean(name) for name in header)
        lines = _row_lines(names, rows)
        title = clean(caption) if caption else ""
        if title:
            self.add("caption", title)
        self._row_break = True  # two tables in a row are parted by an empty line
        spans = tuple(span for line in lines if (span := self.add("table_row", line)))
        if not spans:
            return None
        table = Table(names if any(names) else (), spans, title or None)
        self._tables.append(table)
        return table

    def page(self, number: int, label: str | None = None) -> None:
        """Page ``number`` begins with what is added next; ``label`` is printed on it."""
        self._waiting.append((number, label))

    def doubt(self, kind: DoubtKind, level: float, message: str, page: int | None = None) -> None:
        """Note a reason to distrust what was read; levels are those of ``Doubt``."""
        self._doubts.append(Doubt(kind, level, message, page))

    def build(
        self,
        metadata: Metadata | None = None,
        *,
        record: str | None = None,
        original: bytes | None = None,
    ) -> Reading:
        """What was added, as a reading. The builder is used up."""
        self._close(0, self._size)
        self._begin_pages()
        starts = [start for start, _, _ in self._pages]
        ends = [*starts[1:], self._size] if starts else []
        return Reading(
            text="".join(self._parts),
            metadata=metadata or Metadata(),
            blocks=tuple(self._blocks),
            sections=tuple(self._sections),
            pages=tuple(
                Page(number, start, end, label)
                for (start, number, label), end in zip(self._pages, ends, strict=True)
            ),
            tables=tuple(self._tables),
            doubts=tuple(self._doubts),
            record=record,
            original=original,
        )

    def _write(self, piece: str) -> None:
        self._parts.append(piece)
        self._size += len(piece)

    def _begin_pages(self) -> None:
        for number, label in self._waiting:
            self._pages.append((self._size, number, label))
        self._waiting.clear()

    def _close(self, level: int, end: int) -> None:
        while self._open and self._open[-1][0] >= level:
            _, at = self._open.pop()
            section = self._sections[at]
            self._sections[at] = Section(section.title, section.level, section.start, end)


def _row_lines(names: Sequence[str], rows: Sequence[Row]) -> list[str]:
    lines: list[str] = []
    group, used = "", True
    for row in rows:
        cells = [None if cell is None else clean(cell) for cell in row]
        if _spans_all(cells):
            text = cells[0] or ""
            if not used:
                lines.append(group)  # a group without rows is said by itself
            if len(text) <= _GROUP_CHARS and not text.endswith((".", ";")):
                group, used = text, False
            else:
                lines.append(text)
                group, used = "", True
            continue
        line = row_line(names, cells)
        if line:
            lines.append(f"{group}; {line}" if group else line)
            used = True
    if not used:
        lines.append(group)
    return lines


def _spans_all(cells: Sequence[str | None]) -> bool:
    return len(cells) > 1 and bool(cells[0]) and all(cell is None for cell in cells[1:])


def row_line(names: Sequence[str], cells: Row) -> str:
    """``Header: cell; Header: cell`` of the cells that are not empty; see ``TextBuilder.table``.

    A cell over several columns has their names joined by `` / ``; a cell without a header, or
    equal to it, stands alone.
    """
    parts: list[str] = []
    at = 0
    while at < len(cells):
        end = at + 1
        while end < len(cells) and cells[end] is None:
            end += 1
        text = (cells[at] or "").rstrip(";").rstrip()
        over = dict.fromkeys(name for name in names[at:end] if name)
        name = " / ".join(over).rstrip(":").rstrip()
        if text:
            parts.append(f"{name}: {text}" if name and name != text else text)
        at = end
    return "; ".join(parts)
