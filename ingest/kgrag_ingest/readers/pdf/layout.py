"""What belongs to the text of a page, and in which order it is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from kgrag_ingest.readers.pdf.glyphs import Line


@dataclass(frozen=True, slots=True)
class Grid:
    """A ruled table: its rows of cells, and its box."""

    rows: tuple[tuple[str | None, ...], ...]
    x0: float
    x1: float
    top: float
    bottom: float


Item = Line | Grid


@dataclass(slots=True)
class PageContent:
    """A page on its way to text. ``odd`` is the share of characters without a known meaning.

    ``unsure`` says why the reading order is a guess; it is empty where it is none.
    """

    number: int
    width: float
    height: float
    lines: list[Line]
    grids: list[Grid] = field(default_factory=list)
    odd: float = 0.0
    pictures: float = 0.0
    label: str | None = None
    unsure: str = ""


_NUMBER = re.compile(r"\d{1,6}$")
_PAGE_NUMBER = re.compile(
    r"(?i)(?:[-–|]\s*)?(?:page\s+)?(\d{1,4}|[ivxlc]{1,7})(?:\s*(?:of|/)\s*\d{1,4})?(?:\s*[-–|])?$"
)
_EDGE_SHARE = 0.12
_EDGE_LINES = 3


def drop_line_numbers(pages: Sequence[PageContent]) -> int:
    """The number of printed line numbers taken out of ``pages``.

    A page counts when most of its lines begin with a number that stands apart to the left, in
    one column, each one more than the one before.
    """
    dropped = 0
    places: list[float] = []
    done: set[int] = set()
    for page in pages:
        lines = sorted(page.lines, key=lambda line: (line.middle, line.x0))
        starts = [line for line in lines if _NUMBER.match(line.words[0].text)]
        if len(starts) < 5:
            continue
        rights = Counter(round(line.words[0].x1 / 3) for line in starts)
        lefts = Counter(round(line.words[0].x0 / 3) for line in starts)
        by_right = rights.most_common(1)[0][1] >= lefts.most_common(1)[0][1]
        column = (rights if by_right else lefts).most_common(1)[0][0]
        edge = [
            line
            for line in starts
            if abs((line.words[0].x1 if by_right else line.words[0].x0) / 3 - column) <= 1.6
        ]
        values = [int(line.words[0].text) for line in edge]
        steps = sum(b - a == 1 for a, b in pairwise(values))
        baselines = {round(line.middle / 4) for line in lines}
        if len(edge) < 5 or steps < 0.8 * (len(edge) - 1) or len(edge) < 0.5 * len(baselines):
            continue
        _cut_first(page, edge)
        places += [line.words[0].x1 for line in edge]
        dropped += len(edge)
        done.add(page.number)
    if len(done) < 0.3 * len(pages):
        return dropped
    # Where most of the document is numbered, the other pages are held to its column alone:
    # boxes and figures beside the numbers made them look unlike the rest.
    low, high = min(places) - 3, max(places) + 3
    for page in pages:
        if page.number not in done:
            edge = [
                line
                for line in page.lines
                if _NUMBER.match(line.words[0].text) and low <= line.words[0].x1 <= high
            ]
            others = [
                line.words[0].x0 for line in page.lines if not _NUMBER.match(line.words[0].text)
            ]
            if others and sum(x < high for x in others) <= 0.05 * len(others):
                _cut_first(page, edge)
                dropped += len(edge)
    return dropped


def _cut_first(page: PageContent, lines: Sequence[Line]) -> None:
    marked = {id(line) for line in lines}
    cut = (line.without_first() if id(line) in marked else line for line in page.lines)
    page.lines = [line for line in cut if line is not None]


def drop_running(pages: Sequence[PageContent]) -> int:
    """The number of lines taken out as running headers, footers and page numbers.

    Those are lines near an edge whose text, digits aside, comes back at the same height on most
    pages, or on most odd or even pages. A page number becomes the page's label.
    """
    edges: list[list[tuple[Line, tuple[str, int]]]] = [_edge_lines(page) for page in pages]
    seen: Counter[tuple[str, int]] = Counter()
    for found in edges:
        seen.update({key for _, key in found} | {(k, y + 1) for _, (k, y) in found})
    need = 2 if len(pages) < 4 else max(3, round(0.4 * len(pages)))
    dropped = 0
    for page, found in zip(pages, edges, strict=True):
        out: set[int] = set()
        for line, (key, y) in found:
            number = _PAGE_NUMBER.match(line.text)
            repeated = len(pages) > 1 and max(seen[key, y], seen[key, y + 1]) >= need
            margin = line.bottom < 0.08 * page.height or line.top > 0.92 * page.height
            if repeated or (number and margin):
                out.add(id(line))
                if number:
                    page.label = number.group(1)
        dropped += len(out)
        page.lines = [line for line in page.lines if id(line) not in out]
    return dropped


def _edge_lines(page: PageContent) -> list[tuple[Line, tuple[str, int]]]:
    by_height = sorted(page.lines, key=lambda line: line.middle)
    chosen = [
        line for line in by_height[:_EDGE_LINES] if line.bottom < _EDGE_SHARE * page.height
    ] + [line for line in by_height[-_EDGE_LINES:] if line.top > (1 - _EDGE_SHARE) * page.height]
    return [
        (line, (re.sub(r"\d+", "#", re.sub(r"\s+", " ", line.text.lower())), int(line.middle / 6)))
        for line in chosen
    ]


def in_reading_order(page: PageContent) -> list[list[Item]]:
    """The columns of a page, each from top to bottom; sets ``unsure`` where order is a guess."""
    items: list[Item] = [*page.lines, *page.grids]
    return [column for column in _columns(items, page, 0) if column]


def _columns(items: list[Item], page: PageContent, depth: int) -> list[list[Item]]:
    split = _gutter(items) if depth < 3 else None
    if split is None:
        return [_top_down(items, page)]
    bands: list[tuple[list[Item], list[Item]]] = [([], [])]
    out: list[list[Item]] = []
    across: list[list[Item]] = [[]]
    for item in sorted(items, key=lambda i: (i.top + i.bottom) / 2):
        if item.x0 < split < item.x1:
            if any(bands[-1]):
                bands.append(([], []))
                across.append([])
            across[-1].append(item)
        else:
            bands[-1][item.x0 >= split].append(item)
    for over, (left, right) in zip(across, bands, strict=True):
        out.append(_top_down(over, page))
        out += _columns(left, page, depth + 1)
        out += _columns(right, page, depth + 1)
    return out


def _gutter(items: Sequence[Item]) -> float | None:
    """The x of a gutter with prose on both sides; None when there is one column."""
    lines = [item for item in items if isinstance(item, Line)]
    if len(lines) < 10:
        return None
    left, right = min(i.x0 for i in lines), max(i.x1 for i in lines)
    best: tuple[int, float] | None = None
    for step in range(25, 76):
        x = left + (right - left) * step / 100
        crossing = sum(i.x0 < x < i.x1 for i in lines)
        if best is None or crossing < best[0] or (crossing == best[0] and step <= 50):
            best = (crossing, x)
    assert best is not None
    crossing, x = best
    before = [i for i in lines if i.x1 <= x]
    after = [i for i in lines if i.x0 >= x]
    if min(len(before), len(after)) < 5 or crossing > 0.35 * len(lines):
        return None
    # Both sides must be prose that fills its column; short cells side by side are a table.
    prose = all(
        sorted(len(i.words) for i in side)[len(side) // 2] >= 4
        and max(i.bottom for i in side) - min(i.top for i in side) > 60
        for side in (before, after)
    )
    overlap = min(max(i.bottom for i in before), max(i.bottom for i in after)) - max(
        min(i.top for i in before), min(i.top for i in after)
    )
    return x if prose and overlap > 40 else None


def _top_down(items: Sequence[Item], page: PageContent) -> list[Item]:
    """By baseline, then from left to right; pieces of one baseline become one line."""
    out: list[Item] = []
    wide = 0
    for item in sorted(items, key=lambda i: ((i.top + i.bottom) / 2, i.x0)):
        last = out[-1] if out else None
        if (
            isinstance(item, Line)
            and isinstance(last, Line)
            and abs(item.middle - last.middle) < 0.4 * max(item.size, last.size)
        ):
            first, second = (last, item) if last.x0 <= item.x0 else (item, last)
            if second.x0 - first.x1 > 2.5 * item.size and len(first.text) > 4:
                wide += 1
            heavier = first if len(first.text) >= len(second.text) else second
            out[-1] = Line(
                first.words + second.words,
                min(first.top, second.top),
                max(first.bottom, second.bottom),
                heavier.size,
                first.bold and second.bold,
                heavier.tag,
                heavier.element,
            )
        else:
            out.append(item)
    # Cells that stand side by side without rules may belong together down or across.
    if wide >= 3 and wide > 0.15 * len(out):
        page.unsure = page.unsure or "cells stand side by side without rules"
    return out
