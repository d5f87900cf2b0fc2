"""XLSX (Office Open XML): every sheet a section, its rows self-contained lines.

Only what a reader of the sheet sees is taken: the texts and values of cells, not formulas. The
archive is checked before it is opened, and its XML is parsed as that of strangers.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from lxml import etree

from kgrag.errors import UnreadableFile
from kgrag_ingest.readers import limits
from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.xml import local, parse, words

_PLACE: Final = re.compile(r"([A-Z]{1,3})\d+$")
_TARGET: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# A header names most columns; a row of fewer cells above it says something of the whole sheet.
_HEADER_CELLS: Final = 3
_HEADER_CHARS: Final = 80

Line = dict[int, str]


class XlsxReader:
    """Reads the sheets that are shown, in their order.

    The header of a sheet is its first row of three and more short cells; the rows above it are
    paragraphs. Merged cells count where they begin.
    """

    name = "xlsx"
    version = "1"
    media_types: tuple[str, ...] = (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
    suffixes: tuple[str, ...] = (".xlsx",)

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """One reading of all sheets."""
        limits.check_size(data, uri)
        out = TextBuilder()
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                _check(archive, len(data), uri)
                shared = _shared(archive, uri)
                title = _title(archive, uri)
                out.heading(1, title)
                for name, part in _sheets(archive, uri):
                    _sheet(out, name, _lines(archive, part, shared, uri), uri)
        except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError,
                NotImplementedError) as error:  # fmt: skip
            raise UnreadableFile(uri, "it is not a spreadsheet that can be read") from error
        if out.last_kind in (None, "heading"):
            raise limits.no_text(uri)
        yield out.build(meta.of(title=title))


def _check(archive: zipfile.ZipFile, packed: int, uri: str) -> None:
    limits.check_archive(archive, packed, uri)
    if "xl/workbook.xml" not in archive.namelist():
        raise UnreadableFile(uri, "it is not a spreadsheet that can be read: it has no workbook")


def _part(archive: zipfile.ZipFile, name: str, uri: str) -> etree._Element:
    root, _ = parse(archive.read(name), f"{uri}!{name}")
    return root


def _shared(archive: zipfile.ZipFile, uri: str) -> list[str]:
    """The strings that cells refer to by number; phonetic hints are not read."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    return [_string(item) for item in _part(archive, "xl/sharedStrings.xml", uri)]


def _string(item: etree._Element) -> str:
    texts = (t.text or "" for t in item.iter() if local(t) == "t" and not _phonetic(t))
    return clean("".join(texts))


def _phonetic(element: etree._Element) -> bool:
    parent = element.getparent()
    return parent is not None and local(parent) == "rPh"


def _title(archive: zipfile.ZipFile, uri: str) -> str:
    if "docProps/core.xml" not in archive.namelist():
        return ""
    root = _part(archive, "docProps/core.xml", uri)
    return next((clean(words(e)) for e in root if local(e) == "title"), "")


def _sheets(archive: zipfile.ZipFile, uri: str) -> list[tuple[str, str]]:
    """(name, part) of the sheets that are shown and are in the archive."""
    relations = _part(archive, "xl/_rels/workbook.xml.rels", uri)
    targets = {r.get("Id"): r.get("Target", "") for r in relations}
    found = []
    names = set(archive.namelist())
    for sheet in _part(archive, "xl/workbook.xml", uri).iter():
        if local(sheet) != "sheet" or sheet.get("state") in ("hidden", "veryHidden"):
            continue
        target = targets.get(sheet.get(_TARGET), "")
        part = posixpath.normpath(posixpath.join("xl", target)).lstrip("/")
        if part in names:
            found.append((clean(sheet.get("name", "")), part))
    return found


def _lines(archive: zipfile.ZipFile, part: str, shared: list[str], uri: str) -> Iterator[Line]:
    """The rows that hold anything, as cells by column."""
    for row in _part(archive, part, uri).iter():
        if local(row) != "row" or row.get("hidden") in ("1", "true"):
            continue
        line: Line = {}
        for at, cell in enumerate(row):
            place = _PLACE.match(cell.get("r", ""))
            column = _column(place.group(1)) if place else at
            if column >= limits.MAX_COLUMNS:
                continue
            text = _value(cell, shared)
            if text:
                line[column] = text
        if line:
            yield line


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _value(cell: etree._Element, shared: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return next((_string(e) for e in cell if local(e) == "is"), "")
    value = next((e.text or "" for e in cell if local(e) == "v"), "")
    if kind == "s":
        known = value.isdecimal() and int(value) < len(shared)
        return shared[int(value)] if known else ""
    return "" if kind == "e" else clean(value)


def _sheet(out: TextBuilder, name: str, lines: Iterator[Line], uri: str) -> None:
    rows = list(lines)
    if not rows:
        return
    out.heading(2, name)
    at = next((i for i, line in enumerate(rows) if _is_header(line)), len(rows))
    for line in rows[:at]:
        out.paragraph(": ".join(line[k] for k in sorted(line)))
    if at == len(rows):
        return
    head = rows[at]
    width = max(max(line) for line in rows[at:]) + 1
    out.table(
        [head.get(k, "") for k in range(width)],
        [[line.get(k, "") for k in range(width)] for line in rows[at + 1 :]],
    )


def _is_header(line: Line) -> bool:
    return len(line) >= _HEADER_CELLS and all(len(v) <= _HEADER_CHARS for v in line.values())
