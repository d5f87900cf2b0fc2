"""Lines of a page with their places and fonts, as pdfium gives them.

Lengths are points (1/72 inch); ``top`` and ``bottom`` count downward from the top of the page.
"""

from __future__ import annotations

import ctypes
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pypdfium2.raw as raw  # type: ignore[import-untyped]  # ships no types

# pdfium marks a hyphen at the end of a line with one of these.
_LINE_HYPHENS = frozenset({0x02, 0xFFFE})
_BOLD_WEIGHT = 600
# Gaps wider than this many font sizes part columns and cells.
_GUTTER = 1.6


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    x0: float
    x1: float


@dataclass(frozen=True, slots=True)
class Line:
    """Words on one baseline without a wide gap. ``element`` numbers the tagged element."""

    words: tuple[Word, ...]
    top: float
    bottom: float
    size: float
    bold: bool
    tag: str | None = None
    element: int | None = None

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def x0(self) -> float:
        return self.words[0].x0

    @property
    def x1(self) -> float:
        return self.words[-1].x1

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    def without_first(self) -> Line | None:
        """The line less its first word; None when that was all."""
        return replace(self, words=self.words[1:]) if len(self.words) > 1 else None


@dataclass(frozen=True, slots=True, eq=False)  # equal styles are one object, so identity does
class _Style:
    size: float
    bold: bool
    upright: bool
    tag: str | None
    element: int | None


class _Pending:
    """The line that is being gathered from characters."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.letters: list[str] = []
        self.x0 = self.x1 = 0.0
        self.tops: list[float] = []
        self.bottoms: list[float] = []
        self.styles: Counter[_Style] = Counter()

    def end_word(self) -> None:
        if self.letters:
            # An accent that was drawn by itself is part of its letter.
            word = unicodedata.normalize("NFC", "".join(self.letters))
            self.words.append(Word(word, self.x0, self.x1))
            self.letters = []

    def end_line(self, lines: list[Line]) -> None:
        self.end_word()
        if self.words:
            style = self.styles.most_common(1)[0][0]
            bold = sum(n for s, n in self.styles.items() if s.bold)
            lines.append(
                Line(
                    tuple(self.words),
                    min(self.tops),
                    max(self.bottoms),
                    round(style.size * 2) / 2,
                    bold > 0.8 * self.styles.total(),
                    style.tag,
                    style.element,
                )
            )
        self.__init__()  # type: ignore[misc]


def page_lines(
    textpage: Any, count: int, height: float, tags: Mapping[int, tuple[str, int]]
) -> tuple[list[Line], float]:
    """Lines of a page in content order, and the share of characters without a known meaning.

    ``count`` is the number of characters of the page. ``tags`` maps marked-content ids to
    (structure type, element number). Text that is turned (watermarks, margin stamps) is left out.
    """
    lines: list[Line] = []
    textpage = getattr(textpage, "raw", textpage)  # without the wrapper a call costs half
    now = _Pending()
    unknown = visible = 0
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    refs = tuple(ctypes.byref(v) for v in (left, right, bottom, top))
    styles: dict[int, _Style] = {}
    looks = _Looks(textpage, tags)
    style: _Style | None = None
    base = last_size = 0.0
    for at in range(count):
        code = raw.FPDFText_GetUnicode(textpage, at)
        if code in (0x0A, 0x0D):
            now.end_line(lines)
            continue
        char = "-" if code in _LINE_HYPHENS else chr(code)
        if char.isspace() or code == 0:
            now.end_word()
            continue
        raw.FPDFText_GetCharBox(textpage, at, *refs)
        handle = raw.FPDFText_GetTextObject(textpage, at)
        key = ctypes.addressof(handle.contents) if handle else None
        if key is not None:
            if key not in styles:
                styles[key] = looks.style(at, handle)
            style = styles[key]
        if style is None or not style.upright:
            continue
        visible += 1
        if (
            0xE000 <= code <= 0xF8FF
            or code == 0xFFFD
            or raw.FPDFText_HasUnicodeMapError(textpage, at)
        ):
            unknown += 1
        x0, x1, low = left.value, right.value, bottom.value
        size = max(style.size, 1.0)
        if now.styles:
            gap = x0 - now.x1
            jump = abs(low - base) > 0.9 * max(size, last_size)
            if jump or gap > _GUTTER * size or gap < -2.0 * size:
                now.end_line(lines)
            elif gap > 0.22 * size and now.letters and _spaced(gap, size, char):
                now.end_word()
        if not now.letters:
            now.x0 = x0
        now.letters.append(char)
        now.x1 = x1
        now.tops.append(height - top.value)
        now.bottoms.append(height - low)
        now.styles[style] += 1
        base, last_size = low, size
    now.end_line(lines)
    return _on_one_baseline(lines), unknown / visible if visible else 0.0


def _spaced(gap: float, size: float, char: str) -> bool:
    """A gap that pdfium did not call a space counts as one only when it is unmistakable."""
    return gap > 0.5 * size and char.isalnum()


class _Looks:
    """The styles of a page; a style is made once, since some files draw every letter apart."""

    def __init__(self, textpage: Any, tags: Mapping[int, tuple[str, int]]) -> None:
        self._page, self._tags = textpage, tags
        self._bold: dict[int, bool] = {}
        self._made: dict[tuple[object, ...], _Style] = {}
        self._matrix = raw.FS_MATRIX()
        self._matrix_ref = ctypes.byref(self._matrix)

    def style(self, at: int, handle: Any) -> _Style:
        size = raw.FPDFText_GetFontSize(self._page, at)
        if raw.FPDFPageObj_GetMatrix(handle, self._matrix_ref):
            size *= abs(self._matrix.d) or abs(self._matrix.b) or 1.0
        angle = raw.FPDFText_GetCharAngle(self._page, at)
        upright = -0.2 < angle < 0.2 or angle > 6.08
        tag, element = (
            self._tags.get(raw.FPDFPageObj_GetMarkedContentID(handle), (None, None))
            if self._tags
            else (None, None)
        )
        key = (round(size, 2), self._is_bold(at, handle), upright, tag, element)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = _Style(key[0], key[1], upright, tag, element)
        return made

    def _is_bold(self, at: int, handle: Any) -> bool:
        font = raw.FPDFTextObj_GetFont(handle)
        key = ctypes.addressof(font.contents) if font else 0
        if key not in self._bold:
            name = ctypes.create_string_buffer(128)
            raw.FPDFText_GetFontInfo(self._page, at, name, 128, ctypes.byref(ctypes.c_int()))
            weight = raw.FPDFText_GetFontWeight(self._page, at)
            self._bold[key] = weight >= _BOLD_WEIGHT or b"bold" in name.value.lower()
        return self._bold[key]


def _on_one_baseline(lines: list[Line]) -> list[Line]:
    """Pieces of one line that the content stream gave apart, joined where they nearly touch."""
    joined: list[Line] = []
    for line in lines:
        last = joined[-1] if joined else None
        if (
            last is not None
            and abs(last.middle - line.middle) < 0.35 * last.size
            and -0.5 * last.size < line.x0 - last.x1 < _GUTTER * 0.6 * last.size
        ):
            heavier = last if len(last.text) >= len(line.text) else line
            joined[-1] = replace(
                heavier,
                words=last.words + line.words,
                top=min(last.top, line.top),
                bottom=max(last.bottom, line.bottom),
                bold=last.bold and line.bold,
            )
        else:
            joined.append(line)
    return joined


def structure_tags(page: Any) -> dict[int, tuple[str, int]]:
    """Marked-content id -> (structure type, number of its block element); empty when untagged."""
    tree = raw.FPDF_StructTree_GetForPage(page)
    if not tree:
        return {}
    found: dict[int, tuple[str, int]] = {}
    try:
        buffer = ctypes.create_string_buffer(64)
        stack: list[tuple[Any, tuple[str, int] | None, int]] = [
            (raw.FPDF_StructTree_GetChildAtIndex(tree, at), None, 0)
            for at in range(raw.FPDF_StructTree_CountChildren(tree))
        ]
        number = 0
        # A hostile tree may be deep or circular: the walk is a loop with a limit.
        while stack and number < 50_000:
            element, block, depth = stack.pop()
            if not element or depth > 60:
                continue
            number += 1
            size = raw.FPDF_StructElement_GetType(element, buffer, 64)
            kind = buffer.raw[: max(0, size - 2)].decode("utf-16-le", "replace")
            if kind in _BLOCK_TYPES or block is None:
                block = (kind, number)
            for at in range(raw.FPDF_StructElement_GetMarkedContentIdCount(element)):
                mark = raw.FPDF_StructElement_GetMarkedContentIdAtIndex(element, at)
                if mark >= 0:
                    found[mark] = block
            children = raw.FPDF_StructElement_CountChildren(element)
            stack += [
                (child, block, depth + 1)
                for at in range(min(children, 5_000))
                if (child := raw.FPDF_StructElement_GetChildAtIndex(element, at))
            ]
    finally:
        raw.FPDF_StructTree_Close(tree)
    return found


_BLOCK_TYPES = frozenset(
    {
        *("P", "H", "H1", "H2", "H3", "H4", "H5", "H6", "Title", "LI", "LBody", "Lbl", "Caption"),
        *("TD", "TH", "BlockQuote", "Note", "TOCI", "Figure"),
    }
)
