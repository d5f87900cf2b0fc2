"""Tables of marked-up sources to header and rows: spans laid out, header rows found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kgrag.errors import UnreadableFile
from kgrag_ingest.readers.limits import MAX_COLUMNS


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as the source has it; ``columns`` and ``rows`` are what it spans, at least 1."""

    text: str
    head: bool = False
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Grid:
    """Names of the columns and rows of cells, as ``TextBuilder.table`` takes them."""

    header: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


# What cells of rows above hold of the next row: column to (rows left, text, is a header).
_Spans = dict[int, tuple[int, str | None, bool]]


def span_of(value: str | None) -> int:
    """A ``colspan`` or ``rowspan`` attribute as a number from 1 to 1000."""
    digits = (value or "").strip()
    return max(1, min(int(digits), 1000)) if digits.isascii() and digits.isdigit() else 1


def lay_out(rows: Sequence[Sequence[Cell]], head_rows: int | None, uri: str) -> Grid:
    """The grid of ``rows``; ``head_rows`` of them are its header.

    None means that the source does not say: then the rows at the top whose cells are all header
    cells are the header. Names of stacked header rows are joined, outermost first. UnreadableFile
    beyond ``MAX_COLUMNS``.
    """
    laid: list[list[tuple[str | None, bool]]] = []
    above: _Spans = {}
    for row in rows:
        line, above = _lay_row(row, above)
        if len(line) > MAX_COLUMNS:
            raise UnreadableFile(uri, f"a table has more than {MAX_COLUMNS} columns")
        laid.append(line)
    count = _head_count(laid) if head_rows is None else min(head_rows, len(laid))
    if count == len(laid) and count > 0:
        count = 0 if head_rows is None else count
    return Grid(
        _names([[text for text, _ in line] for line in laid[:count]]),
        tuple(tuple(text for text, _ in line) for line in laid[count:]),
    )


def _lay_row(row: Sequence[Cell], above: _Spans) -> tuple[list[tuple[str | None, bool]], _Spans]:
    """The cells of a row by column, those that reach in from above included; what goes on below."""
    line: list[tuple[str | None, bool]] = []
    below: _Spans = {}

    def carry() -> None:
        while (at := len(line)) in above:
            left, text, head = above[at]
            if left > 1:
                below[at] = (left - 1, text, head)
            line.append((text, head))

    for cell in row:
        carry()
        for k in range(min(cell.columns, MAX_COLUMNS + 1)):
            text = cell.text if k == 0 else None
            if cell.rows > 1:
                below[len(line)] = (cell.rows - 1, text, cell.head)
            line.append((text, cell.head))
    for at in sorted(above):
        if at >= len(line):
            line.extend([("", False)] * (at - len(line)))  # a hole in the table
            carry()
    return line, below


def _head_count(laid: Sequence[Sequence[tuple[str | None, bool]]]) -> int:
    count = 0
    for line in laid:
        if not line or not all(head for _, head in line):
            break
        count += 1
    return count


def _names(lines: Sequence[Sequence[str | None]]) -> tuple[str, ...]:
    width = max((len(line) for line in lines), default=0)
    parts: list[list[str]] = [[] for _ in range(width)]
    for line in lines:
        text = ""
        spread = width > 1 and bool(line) and line[0] and all(c is None for c in line[1:])
        if spread and len(line) == width and len(lines) > 1:
            continue  # a title over the whole table names no column
        for at, cell in enumerate(line):
            text = text if cell is None else " ".join(cell.split())
            if text and text not in parts[at]:
                parts[at].append(text)
    return tuple(" – ".join(part) for part in parts)
