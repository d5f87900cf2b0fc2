"""DOCX (Office Open XML), on python-docx; the archive is checked before it is opened."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

import docx
from lxml import etree

from kgrag.errors import UnreadableFile
from kgrag.records.text import Metadata
from kgrag_ingest.readers import limits
from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.inline import add_superscript
from kgrag_ingest.readers.tables import Cell, lay_out, span_of
from kgrag_ingest.readers.xml import local

_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING: Final = re.compile(r"heading\s*([1-9])$", re.IGNORECASE)
_HEAD_CHARS: Final = 80


class DocxReader:
    """Reads headings, paragraphs, lists and tables in order, without deleted and hidden text."""

    name = "docx"
    version = "2"
    media_types: tuple[str, ...] = (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    )
    suffixes: tuple[str, ...] = (".docx",)

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """One reading, with the core properties as metadata."""
        limits.check_size(data, uri)
        check_archive(data, uri)
        try:
            document = docx.Document(io.BytesIO(data))
        except (KeyError, ValueError, OSError, zipfile.BadZipFile, zlib.error,
                etree.XMLSyntaxError) as error:  # fmt: skip
            raise UnreadableFile(uri, "it is a damaged DOCX file, or none") from error
        out = TextBuilder()
        title = _body(out, document, uri)
        if not out.size:
            raise limits.no_text(uri)
        yield out.build(_metadata(document.core_properties, title))


def check_archive(data: bytes, uri: str) -> None:
    """UnreadableFile when ``data`` is no ZIP archive or unpacks to more than the limits."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile(uri, "it is encrypted, or an old Word file", hint="save it as DOCX")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise UnreadableFile(uri, "it is a damaged DOCX file, or none") from error
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableFile(uri, "it is encrypted")
    if len(entries) > limits.MAX_PARTS:
        raise UnreadableFile(
            uri, f"the archive has {len(entries):,} parts, more than {limits.MAX_PARTS:,}"
        )
    total = sum(entry.file_size for entry in entries)
    if total > limits.MAX_UNPACKED:
        raise UnreadableFile(
            uri, f"the archive unpacks to {total:,} bytes, more than {limits.MAX_UNPACKED:,}"
        )
    if total > limits.FREE_UNPACKED and total > limits.MAX_RATIO * len(data):
        raise UnreadableFile(
            uri, f"the archive unpacks to {total // len(data):,} times its size, as a bomb does"
        )
    if not any(entry.filename == "word/document.xml" for entry in entries):
        raise UnreadableFile(uri, "it is a ZIP archive, but no DOCX file")


def _body(out: TextBuilder, document: Any, uri: str) -> str | None:
    """Adds all blocks; the text of the first paragraph of style Title, if there is one."""
    styles = {s.style_id: s for s in document.styles}
    title: str | None = None
    for element in _blocks(document.element.body):
        if local(element) == "tbl":
            _table(out, element, uri)
            continue
        text = clean(_text(element))
        if not text:
            continue
        style, numbered = _style(element, styles)
        heading = _HEADING.match(style)
        if heading:
            out.heading(int(heading.group(1)) + 1, text)
        elif style == "title":
            title = title or text
            out.heading(1, text)
        elif style == "caption":
            out.caption(text)
        elif numbered or style.startswith("list"):
            out.list_item(text)
        else:
            out.paragraph(text)
    return title


def _blocks(body: Any) -> Iterator[Any]:
    """Paragraphs and tables in order, those in content controls and insertions included."""
    stack = list(reversed(list(body)))
    while stack:
        element = stack.pop()
        tag = local(element)
        if tag in ("p", "tbl"):
            yield element
        elif tag in ("sdt", "sdtContent", "ins", "smartTag", "customXml"):
            stack.extend(reversed(list(element)))


def _style(paragraph: Any, styles: dict[str, Any]) -> tuple[str, bool]:
    """The name of the style in lower case, and whether the paragraph is numbered or bulleted."""
    properties = paragraph.find(f"{_W}pPr")
    if properties is None:
        return "", False
    chosen = properties.find(f"{_W}pStyle")
    style = styles.get(chosen.get(f"{_W}val")) if chosen is not None else None
    name = (style.name or "").lower() if style is not None else ""
    own = properties.find(f"{_W}numPr/{_W}numId")
    numbered = own is not None and own.get(f"{_W}val") != "0"
    if own is None and style is not None:
        numbered = style.element.find(f".//{_W}numPr") is not None
    return name, numbered


def _text(element: Any) -> str:
    """The text that is seen in ``element``, tabs and breaks as spaces."""
    parts: list[str] = []
    for run in element.iter(f"{_W}r"):
        if any(local(a) in ("Fallback", "del", "moveFrom") for a in run.iterancestors()):
            continue
        properties = run.find(f"{_W}rPr")
        if properties is not None and _is_on(properties.find(f"{_W}vanish")):
            continue
        text = "".join(_piece(child) for child in run)
        raised = None if properties is None else properties.find(f"{_W}vertAlign")
        if raised is not None and raised.get(f"{_W}val") == "superscript":
            add_superscript(parts, text)
        else:
            parts.append(text)
    return "".join(parts)


def _piece(child: Any) -> str:
    tag = local(child)
    if tag == "t":
        return child.text or ""
    if tag == "noBreakHyphen":
        return "-"
    return " " if tag in ("tab", "br", "cr") else ""


def _is_on(flag: Any) -> bool:
    return flag is not None and flag.get(f"{_W}val") not in ("0", "false", "off")


def _table(out: TextBuilder, table: Any, uri: str) -> None:
    """The table; cells merged downwards are repeated, the first row names the columns."""
    rows: list[list[Cell]] = []
    head = 0
    above: dict[int, str] = {}
    for row in table.iterfind(f"{_W}tr"):
        cells: list[Cell] = []
        at = 0
        for cell in row.iterfind(f"{_W}tc"):
            columns = cell.find(f"{_W}tcPr/{_W}gridSpan")
            width = span_of(columns.get(f"{_W}val")) if columns is not None else 1
            text = clean(" ".join(_text(p) for p in cell.iter(f"{_W}p")))
            merged = cell.find(f"{_W}tcPr/{_W}vMerge")
            if merged is not None and merged.get(f"{_W}val") != "restart":
                text = above.get(at, text)
            above[at] = text
            cells.append(Cell(text, columns=width))
            at += width
        if head == len(rows) and _is_on(row.find(f"{_W}trPr/{_W}tblHeader")):
            head += 1
        rows.append(cells)
    if not head and len(rows) > 1 and _names_columns(rows[0]):
        head = 1
    grid = lay_out(rows, head, uri)
    out.table(grid.header, grid.rows)


def _names_columns(row: list[Cell]) -> bool:
    return len(row) > 1 and all(cell.text and len(cell.text) <= _HEAD_CHARS for cell in row)


def _metadata(core: Any, title: str | None) -> Metadata:
    """Core properties; ``identifier`` may hold a DOI, the author is no publisher."""
    day = core.created or core.modified
    return meta.of(
        title=core.title or title,
        publisher=None,
        date=day.date().isoformat() if day else None,
        version=core.version,
        language=core.language,
        identifier=core.identifier,
    )
