"""The cells of a table row line: "Population: adults; Recommendation: screen; Grade: B"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kgrag.records.text import Span

_CELL: Final = re.compile(r"(?:^|; )([A-Z][^:;.]{0,60}): ")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its header as written and the span of its text."""

    header: str
    start: int
    end: int


def cells(text: str, row: Span, header: Sequence[str]) -> tuple[Cell, ...]:
    """The named cells of the row, in order; by the table's own header where it has one."""
    line = row.of(text)
    marks = _by_header(line, header) or [(m[1], m.start(), m.end()) for m in _CELL.finditer(line)]
    if not marks:
        return ()
    ends = [start for _, start, _ in marks[1:]] + [len(line)]
    return tuple(
        Cell(name, row.start + begin, row.start + end)
        for (name, _, begin), end in zip(marks, ends, strict=True)
        if begin < end
    )


def _by_header(line: str, header: Sequence[str]) -> list[tuple[str, int, int]]:
    """(header, start of its label, start of the cell); cells left empty are absent."""
    marks: list[tuple[str, int, int]] = []
    at = 0
    for name in header:
        label = f"{name}: "
        if not name:
            continue
        if at == 0 and line.startswith(label):
            marks.append((name, 0, len(label)))
        else:
            found = line.find(f"; {label}", at)
            if found < 0:
                continue
            marks.append((name, found, found + len(label) + 2))
        at = marks[-1][2]
    return marks
