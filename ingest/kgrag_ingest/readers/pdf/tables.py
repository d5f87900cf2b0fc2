"""Ruled tables: found cheaply by their lines, and only then read with the slow reader."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pypdfium2.raw as raw  # type: ignore[import-untyped]  # ships no types

from kgrag_ingest.readers.pdf.layout import Grid

_MAX_OBJECTS = 20_000
# Points within which two edges are taken for one line, and a line reaches another.
_NEAR = 3.0
_SHORTEST = 7.0

Spans = list[tuple[float, float]]


def ruled(page: Any) -> tuple[bool, float]:
    """Whether the page has rules that part it into cells, and the share of it in pictures.

    Rules are thin shapes and the edges of boxes, as the slow reader takes them.
    """
    across: dict[float, Spans] = {}
    down: dict[float, Spans] = {}
    pictures = 0.0
    width, height = page.get_width(), page.get_height()
    area = max(1.0, width * height)
    values = [ctypes.c_float() for _ in range(4)]
    refs = [ctypes.byref(v) for v in values]
    for kind, handle in _objects(page):
        if kind not in (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE):
            continue
        if not raw.FPDFPageObj_GetBounds(handle, *refs):
            continue
        x0, y0, x1, y1 = (value.value for value in values)
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            pictures += (x1 - x0) * (y1 - y0) / area
        elif y1 - y0 < 2.5:
            _add(across, (y0 + y1) / 2, x0, x1)
        elif x1 - x0 < 2.5:
            _add(down, (x0 + x1) / 2, y0, y1)
        # A letter or a mark drawn as a shape has more segments, a background fills the page.
        elif raw.FPDFPath_CountSegments(handle) <= 6 and (x1 - x0) * (y1 - y0) < 0.7 * area:
            _add(across, y0, x0, x1)
            _add(across, y1, x0, x1)
            _add(down, x0, y0, y1)
            _add(down, x1, y0, y1)
    return _has_cells(across, down), min(1.0, pictures)


def _add(lines: dict[float, Spans], at: float, start: float, end: float) -> None:
    if end - start >= _SHORTEST:
        lines.setdefault(round(at / _NEAR) * _NEAR, []).append((start - _NEAR, end + _NEAR))


def _has_cells(across: dict[float, Spans], down: dict[float, Spans]) -> bool:
    """Whether there are two cells side by side and one above or below them.

    That is: two lines across that meet the same three lines down, and a third line across that
    meets two of these. Shaded lines of text, underlines and frames around text never do.
    """
    if len(across) < 3 or len(down) < 3:
        return False
    met: list[frozenset[float]] = []
    for y, over in across.items():
        xs = (x for x, along in down.items() if _covers(over, x) and _covers(along, y))
        if len(found := frozenset(xs)) >= 2:
            met.append(found)
    wide = [found for found in met if len(found) >= 3]
    return any(
        len(both := first & second) >= 3
        and any(
            len(both & third) >= 2 for third in met if third is not first and third is not second
        )
        for first, second in combinations(wide, 2)
    )


def _covers(spans: Spans, at: float) -> bool:
    return any(start <= at <= end for start, end in spans)


def _objects(page: Any) -> Iterator[tuple[int, Any]]:
    for at in range(min(raw.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
        handle = raw.FPDFPage_GetObject(page, at)
        kind = raw.FPDFPageObj_GetType(handle)
        if kind == raw.FPDF_PAGEOBJ_FORM:
            for inner in range(min(raw.FPDFFormObj_CountObjects(handle), _MAX_OBJECTS)):
                child = raw.FPDFFormObj_GetObject(handle, inner)
                yield raw.FPDFPageObj_GetType(child), child
        else:
            yield kind, handle


def read_grids(page: Any) -> list[Grid]:
    """The ruled tables of a pdfplumber page: two columns and two rows at least."""
    grids: list[Grid] = []
    for table in page.find_tables():
        cells = [
            tuple(None if cell is None else " ".join(cell.split()) for cell in row)
            for row in table.extract()
        ]
        rows = tuple(row for row in cells if any(row))
        filled = sum(sum(bool(cell) for cell in row) >= 2 for row in rows)
        if len(rows) < 2 or filled < 2:
            continue
        x0, top, x1, bottom = table.bbox
        grids.append(Grid(rows, float(x0), float(x1), float(top), float(bottom)))
    return grids
