"""The words of WordprocessingML: what is seen of a paragraph, and the rows of a table.

Tracked changes are read as accepted: insertions are text, deletions are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from kgrag_ingest.readers.build import clean
from kgrag_ingest.readers.inline import add_superscript
from kgrag_ingest.readers.tables import Cell, span_of
from kgrag_ingest.readers.xml import local

W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MATH: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_THROUGH: Final = frozenset({"sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml"})
_UNSEEN: Final = frozenset(
    {"del", "moveFrom", "Fallback", "pPr", "rPr", "txbxContent", "tbl", "sdtPr"}
)
# Code points of the fonts that authors pick symbols from, less 0xF000.
_SYMBOL: Final = dict(
    zip(
        b"\x61\x62\x67\x64\x65\x6b\x6c\x6d\x70\x73\x77\x44\x53\x57\xa3\xb3\xb1\xb4\xb0\xae\xac\xad"
        b"\xaf\xa5\xbb\xb9\xb7\xd6\xb8\xa2\xb2\x2d\xba",
        "αβγδεκλμπσωΔΣΩ≤≥±×°→←↑↓∞≈≠•√÷′″−≡",
        strict=True,
    )
)
_WINGDINGS: Final = dict(
    zip(
        b"\xe0\xdf\xe1\xe2\xf0\xfc\xfb\x6f\xa8\xfe\xfd\xa7\xd8\x6c\x6e\x76",
        "→←↑↓⇒✓✗☐☐☑☒▪➢●■❖",
        strict=True,
    )
)


def children(parent: Any, *wanted: str) -> Iterator[Any]:
    """The elements ``wanted`` in order, those in content controls and insertions included."""
    stack = list(reversed(list(parent)))
    while stack:
        element = stack.pop()
        tag = local(element)
        if tag in wanted:
            yield element
        elif tag in _THROUGH:
            stack.extend(reversed(list(element)))


def is_on(flag: Any) -> bool:
    """Whether a property that is on by being there is on."""
    return flag is not None and flag.get(f"{W}val") not in ("0", "false", "off")


@dataclass(slots=True)
class Words:
    """Reads paragraphs and tables; gathers on the way what stands elsewhere on the page.

    ``notes`` are the footnotes and endnotes that were cited, by kind and id, in order; ``boxes``
    the text boxes and ``tables`` the tables inside cells (each with the words that begin its
    row), both to be read after the block that holds them; ``strange`` counts symbols of unknown
    meaning.
    """

    notes: dict[tuple[str, str], int] = field(default_factory=dict)
    boxes: list[Any] = field(default_factory=list)
    tables: list[tuple[Any, str]] = field(default_factory=list)
    strange: int = 0

    def text(self, element: Any) -> str:
        """The text that is seen in a paragraph, tabs and breaks as spaces."""
        parts: list[str] = []
        stack = list(reversed(list(element)))
        while stack:
            at = stack.pop()
            tag = local(at)
            if tag in _UNSEEN:
                continue
            if tag == "r":
                self._run(at, parts)
                continue
            if at.tag == f"{_MATH}sup":
                parts.append("^")  # 10^9, never 109
            elif at.tag == f"{_MATH}den":
                parts.append("/")
            stack.extend(reversed(list(at)))
        return "".join(parts)

    def rows(self, table: Any) -> tuple[list[list[Cell]], int]:
        """The rows of a table, and how many of them are marked as its header.

        Cells merged downwards are repeated; columns that a row leaves out are empty.
        """
        rows: list[list[Cell]] = []
        head = 0
        above: dict[int, str] = {}
        for row in children(table, "tr"):
            properties = row.find(f"{W}trPr")
            if properties is not None and properties.find(f"{W}del") is not None:
                continue
            before = None if properties is None else properties.find(f"{W}gridBefore")
            at = span_of(before.get(f"{W}val")) if before is not None else 0
            cells = [Cell("")] * at
            for cell in children(row, "tc"):
                span = cell.find(f"{W}tcPr/{W}gridSpan")
                width = span_of(span.get(f"{W}val")) if span is not None else 1
                text = self._cell(cell, cells[0].text if cells else "")
                merged = cell.find(f"{W}tcPr/{W}vMerge")
                if merged is not None and merged.get(f"{W}val") != "restart":
                    text = above.get(at, text)
                above[at] = text
                cells.append(Cell(text, columns=width))
                at += width
            if (
                head == len(rows)
                and properties is not None
                and is_on(properties.find(f"{W}tblHeader"))
            ):
                head += 1
            rows.append(cells)
        return rows, head

    def _cell(self, cell: Any, lead: str) -> str:
        texts: list[str] = []
        for part in children(cell, "p", "tbl"):
            if local(part) == "tbl":
                self.tables.append((part, lead))
            else:
                texts.append(self.text(part))
        return clean(" ".join(texts))

    def _run(self, run: Any, parts: list[str]) -> None:
        properties = run.find(f"{W}rPr")
        if properties is not None and is_on(properties.find(f"{W}vanish")):
            return
        for box in run.iter(f"{W}txbxContent"):
            if not any(local(a) in ("Fallback", "txbxContent") for a in _between(box, run)):
                self.boxes.append(box)
        fonts = None if properties is None else properties.find(f"{W}rFonts")
        font = "" if fonts is None else fonts.get(f"{W}ascii") or fonts.get(f"{W}hAnsi") or ""
        text = "".join(self._piece(child, font) for child in run)
        raised = None if properties is None else properties.find(f"{W}vertAlign")
        if raised is not None and raised.get(f"{W}val") == "superscript":
            add_superscript(parts, text)
        else:
            parts.append(text)

    def _piece(self, child: Any, font: str) -> str:
        tag = local(child)
        if tag == "t":
            text = child.text or ""
            return "".join(self._symbol(c, font) for c in text) if font in _FONTS else text
        if tag in ("footnoteReference", "endnoteReference"):
            key = (tag.removesuffix("Reference"), child.get(f"{W}id") or "")
            return f"[{self.notes.setdefault(key, len(self.notes) + 1)}]"
        if tag == "sym":
            code = child.get(f"{W}char") or ""
            try:
                return self._symbol(chr(int(code, 16)), child.get(f"{W}font") or "")
            except (ValueError, OverflowError):  # no number of a character: seen as nothing
                return ""
        if tag == "noBreakHyphen":
            return "-"
        return " " if tag in ("tab", "br", "cr", "ptab") else ""

    def _symbol(self, char: str, font: str) -> str:
        """What a character of a symbol font shows; U+FFFD when that is not known."""
        code = ord(char)
        if not 0xF020 <= code <= 0xF0FF:
            if font not in _FONTS or code > 0xFF or char.isspace():
                return char
            code += 0xF000
        found = (_SYMBOL if font == "Symbol" else _WINGDINGS).get(code - 0xF000)
        if found is None and font == "Symbol" and chr(code - 0xF000) in "0123456789().,:;+/<=>%":
            found = chr(code - 0xF000)
        self.strange += found is None
        return found or "\ufffd"


_FONTS: Final = frozenset({"Symbol", "Wingdings"})


def _between(element: Any, ancestor: Any) -> Iterator[Any]:
    at = element.getparent()
    while at is not None and at is not ancestor:
        yield at
        at = at.getparent()
