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
from kgrag_ingest.readers.tables import Cell, lay_out
from kgrag_ingest.readers.wordml import W, Words, children
from kgrag_ingest.readers.xml import local

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
        body = _Body(out, uri, {s.style_id: s for s in document.styles})
        body.run(document.element.body)
        try:
            body.notes(data)
        except (zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError) as error:
            raise UnreadableFile(uri, "it is a DOCX file with damaged notes") from error
        if not out.size:
            raise limits.no_text(uri)
        if body.words.strange:
            out.doubt("garbled", 0.5, f"{body.words.strange:,} symbols have no known meaning")
        yield out.build(_metadata(document.core_properties, body.title))


def check_archive(data: bytes, uri: str) -> None:
    """UnreadableFile when ``data`` is no ZIP archive or unpacks to more than the limits."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile(uri, "it is encrypted, or an old Word file", hint="save it as DOCX")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            limits.check_archive(archive, len(data), uri)
            if "word/document.xml" not in archive.namelist():
                raise UnreadableFile(uri, "it is a ZIP archive, but no DOCX file")
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise UnreadableFile(uri, "it is a damaged DOCX file, or none") from error


class _Body:
    """Adds the blocks of a document; what stands beside a block follows it."""

    def __init__(self, out: TextBuilder, uri: str, styles: dict[str, Any]) -> None:
        self.out, self.uri, self.styles = out, uri, styles
        self.words = Words()
        self.title: str | None = None
        self.carried = ""  # text of paragraphs whose end was deleted

    def run(self, parent: Any) -> None:
        """All blocks below ``parent``, in order."""
        for element in children(parent, "p", "tbl"):
            if local(element) == "tbl":
                self.table(element)
            else:
                self.paragraph(element)
        if self.carried:
            self.out.paragraph(self.carried)
            self.carried = ""

    def paragraph(self, element: Any) -> None:
        text = self.carried + self.words.text(element)
        self.carried = ""
        properties = element.find(f"{W}pPr")
        if properties is not None and any(
            properties.find(f"{W}rPr/{W}{gone}") is not None for gone in ("del", "moveFrom")
        ):
            self.carried = text
            return
        if clean(text):
            self.block(clean(text), properties)
        boxes, self.words.boxes = self.words.boxes, []
        for box in boxes:
            self.run(box)

    def block(self, text: str, properties: Any) -> None:
        chain = list(self.chain(properties))
        names = [(style.name or "").lower() for style in chain]
        level = _heading(properties, chain, names)
        if names[:1] == ["title"]:
            self.title = self.title or text
            self.out.heading(1, text)
        elif level:
            self.out.heading(level + 1, text)
        elif "caption" in names:
            self.out.caption(text)
        elif _numbered(properties, chain) or (names[:1] and names[0].startswith("list")):
            self.out.list_item(text)
        else:
            self.out.paragraph(text)

    def chain(self, properties: Any) -> Iterator[Any]:
        """The paragraph's style and those that it is based on."""
        chosen = None if properties is None else properties.find(f"{W}pStyle")
        name = None if chosen is None else chosen.get(f"{W}val")
        seen: set[str] = set()
        while name in self.styles and name not in seen:
            seen.add(name)
            yield self.styles[name]
            base = self.styles[name].element.find(f"{W}basedOn")
            name = None if base is None else base.get(f"{W}val")

    def table(self, element: Any, lead: str = "") -> None:
        """The table, its first row naming the columns; a frame around blocks is no table.

        ``lead`` begins each row of a table inside a cell, so that it can stand alone.
        """
        if _is_frame(element):
            for row in children(element, "tr"):
                for cell in children(row, "tc"):
                    self.run(cell)
            return
        rows, head = self.words.rows(element)
        if not head and len(rows) > 1 and _names_columns(rows[0]):
            head = 1
        grid = lay_out(rows, head, self.uri)
        body = grid.rows
        width = max((len(row) for row in body), default=0)
        if lead and width > 1 and len(lead) <= _HEAD_CHARS and not lead.endswith((".", ";")):
            body = ((lead, *[None] * (width - 1)), *body)
        self.out.table(grid.header, body)
        inner, self.words.tables = self.words.tables, []
        boxes, self.words.boxes = self.words.boxes, []
        for nested, begins in inner:
            self.table(nested, begins)
        for box in boxes:
            self.run(box)

    def notes(self, data: bytes) -> None:
        """The footnotes and endnotes that the text cites, with the number that it shows."""
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            known = set(archive.namelist())
            found: dict[tuple[str, str], Any] = {}
            for kind in ("footnote", "endnote"):
                if self.words.notes and f"word/{kind}s.xml" in known:
                    root = etree.fromstring(archive.read(f"word/{kind}s.xml"), _parser())
                    found |= {(kind, e.get(f"{W}id") or ""): e for e in root.iter(f"{W}{kind}")}
        words = Words()
        for key, number in self.words.notes.items():
            if key in found:
                texts = [words.text(part) for part in children(found[key], "p")]
                self.out.paragraph(f"[{number}] {' '.join(texts)}")
        self.words.strange += words.strange


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _heading(properties: Any, chain: list[Any], names: list[str]) -> int:
    """The level of a heading from 1, by outline level or style; 0 for other paragraphs."""
    holders = [properties] if properties is not None else []
    for at, holder in enumerate([*holders, *(style.element.find(f"{W}pPr") for style in chain)]):
        outline = None if holder is None else holder.find(f"{W}outlineLvl")
        if outline is not None:
            value = outline.get(f"{W}val") or ""
            return int(value) + 1 if value in set("012345678") else 0
        style = at - len(holders)
        if style >= 0 and (named := _HEADING.match(names[style])):
            return int(named.group(1))
    return 0


def _numbered(properties: Any, chain: list[Any]) -> bool:
    own = None if properties is None else properties.find(f"{W}numPr/{W}numId")
    if own is not None:
        return bool(own.get(f"{W}val") != "0")
    return any(style.element.find(f".//{W}numPr") is not None for style in chain)


def _is_frame(table: Any) -> bool:
    """A table of one cell with several paragraphs or a table in it: a box around text."""
    cells = [cell for row in children(table, "tr") for cell in children(row, "tc")]
    if len(cells) != 1:
        return False
    parts = list(children(cells[0], "p", "tbl"))
    filled = [part for part in parts if next(part.iter(f"{W}t"), None) is not None]
    return len(filled) > 1 or any(local(part) == "tbl" for part in filled)


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
