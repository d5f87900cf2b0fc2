"""Ruled tables: found cheaply by their lines, and only then read with the slow reader."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import pypdfium2.raw as raw  # type: ignore[import-untyped]  # ships no types

from kgrag_ingest.readers.pdf.layout import Grid

_MAX_OBJECTS = 20_000


def ruled(page: Any) -> tuple[bool, float]:
    """Whether the page has rules enough for a table, and the share of it that pictures cover."""
    across = down = 0
    boxes: list[int] = []
    pictures = 0.0
    area = max(1.0, page.get_width() * page.get_height())
    values = [ctypes.c_float() for _ in range(4)]
    refs = [ctypes.byref(v) for v in values]
    for kind, handle in _objects(page):
        if kind not in (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE):
            continue
        if not raw.FPDFPageObj_GetBounds(handle, *refs):
            continue
        width = values[2].value - values[0].value
        height = values[3].value - values[1].value
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            pictures += width * height / area
        elif height < 2.5 and width > 30:
            across += 1
        elif width < 2.5 and height > 7:
            down += 1
        elif (
            width > 30
            and 8 < height < 0.7 * page.get_height()
            and raw.FPDFPath_CountSegments(handle) <= 6  # a letter drawn as a shape has more
        ):
            # One x for all is a background behind lines of text, not a row of cells.
            boxes.append(round(values[0].value))
    return (across >= 3 and down >= 2) or (len(boxes) >= 4 and len(set(boxes)) >= 2), min(
        1.0, pictures
    )


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
