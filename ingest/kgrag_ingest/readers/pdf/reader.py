"""The PDF reader: pdfium for text, pdfplumber on pages with ruled tables."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import Any, Final

from kgrag.errors import UnreadableFile
from kgrag.records.text import Metadata
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.pdf.doubts import note_doubts
from kgrag_ingest.readers.pdf.flow import Flow, Spelling, fonts_of
from kgrag_ingest.readers.pdf.glyphs import page_lines, structure_tags
from kgrag_ingest.readers.pdf.layout import (
    PageContent,
    drop_line_numbers,
    drop_running,
    in_reading_order,
)
from kgrag_ingest.readers.pdf.tables import read_grids, ruled

MAX_PAGES: Final = 5_000
MAX_PAGE_CHARS: Final = 200_000
MAX_CHARS: Final = 20_000_000
MAX_STREAM_BYTES: Final = 256 * 2**20

_STREAM = re.compile(rb"/FlateDecode.{0,400}?stream\r?\n", re.DOTALL)
# What a common library writes where its user said nothing.
_FILLERS = frozenset({"anonymous", "unspecified", "untitled"})
_NO_TITLE = re.compile(r"(?i)(?:untitled|microsoft word.*|scan\d*|doc(?:ument)?\d*|.*\.\w{2,4})$")


class PdfReader:
    """Reads PDF files. The original's pages are kept as pages of the stored text."""

    name = "pdf"
    version = "2"
    media_types: tuple[str, ...] = ("application/pdf",)
    suffixes: tuple[str, ...] = (".pdf",)

    def __init__(self) -> None:
        self.pages_read = 0
        self.pages_slow = 0

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """One reading. Refused: no PDF, encrypted, cut off, empty, too large, only pictures."""
        import pypdfium2  # type: ignore[import-untyped]  # ships no types

        _refuse_broken(data, uri)
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower():
                raise UnreadableFile(
                    uri, "the PDF is encrypted", hint="save it without its password"
                ) from error
            raise UnreadableFile(uri, "the PDF is damaged and cannot be opened") from error
        try:
            if not 0 < len(document) <= MAX_PAGES:
                raise UnreadableFile(
                    uri, f"has {len(document):,} pages; between 1 and {MAX_PAGES:,} are read"
                )
            pages = self._pages(document, data, uri)
            metadata = document.get_metadata_dict()
        except pypdfium2.PdfiumError as error:
            raise UnreadableFile(uri, "the PDF is damaged: a page cannot be read") from error
        finally:
            document.close()
        yield _assemble(pages, metadata, uri)

    def _pages(self, document: Any, data: bytes, uri: str) -> list[PageContent]:
        pages: list[PageContent] = []
        with_tables: list[int] = []
        total = 0
        for index in range(len(document)):
            page = document[index]
            textpage = page.get_textpage()
            try:
                count = textpage.count_chars()
                total += count
                if count > MAX_PAGE_CHARS or total > MAX_CHARS:
                    raise UnreadableFile(uri, f"page {index + 1} holds more text than a page can")
                width, height = page.get_size()
                lines, odd = page_lines(textpage, count, height, structure_tags(page))
                has_rules, pictures = ruled(page)
            finally:
                textpage.close()
                page.close()
            pages.append(PageContent(index + 1, width, height, lines, odd=odd, pictures=pictures))
            if has_rules and lines:
                with_tables.append(index)
        self.pages_read += len(pages)
        self.pages_slow += len(with_tables)
        if with_tables:
            _add_grids(pages, with_tables, data)
        return pages


def _add_grids(pages: list[PageContent], indexes: list[int], data: bytes) -> None:
    """Sets the tables of the pages at ``indexes``; a page whose tables cannot be read is unsure."""
    import pdfplumber

    left = list(indexes)
    try:
        with pdfplumber.open(io.BytesIO(data), pages=[at + 1 for at in indexes]) as document:
            for at, slow in zip(indexes, document.pages, strict=True):
                pages[at].grids = read_grids(slow)
                slow.close()
                left.remove(at)
    except Exception:  # noqa: BLE001 - what a damaged file makes pdfminer raise has no common type
        # On a damaged file the slow reader raises anything, while pdfium mends it. The text stays,
        # without its tables, and says so: nothing is swallowed.
        for at in left:
            pages[at].unsure = "the page has tables that could not be read"
    for at in indexes:
        page = pages[at]
        page.lines = [
            line
            for line in page.lines
            if not any(
                grid.top <= line.middle <= grid.bottom
                and grid.x0 - 2 <= (line.x0 + line.x1) / 2 <= grid.x1 + 2
                for grid in page.grids
            )
        ]


def _assemble(pages: list[PageContent], info: dict[str, str], uri: str) -> Reading:
    numbers = drop_line_numbers(pages)
    drop_running(pages)
    if not any(page.lines or page.grids for page in pages):
        if any(page.pictures > 0.3 for page in pages):
            raise UnreadableFile(
                uri, "every page is a picture without text", hint="run text recognition on it first"
            )
        raise UnreadableFile(uri, "the PDF holds no text")
    builder = TextBuilder()
    flow = Flow(builder, fonts_of(pages), Spelling.of(pages))
    for page in pages:
        flow.page(page, in_reading_order(page))
        note_doubts(builder, page)
    return builder.build(_metadata(info, flow.title, numbers))


def _metadata(info: dict[str, str], found: str | None, numbers: int) -> Metadata:
    title = clean(info.get("Title", ""))
    if not title or _NO_TITLE.match(title):
        title = found or ""
    stamp = re.match(r"D:(\d{4})(\d{2})(\d{2})", info.get("CreationDate", ""))
    extra = [
        (name.lower(), value)
        for name in ("Author", "Subject", "Keywords", "Producer")
        if (value := clean(info.get(name, ""))) and value not in _FILLERS
    ]
    if stamp:
        # The day on which the file was made; a PDF says no other date of itself.
        extra.append(("date_from", "the PDF's creation date"))
    if numbers:
        extra.append(("line_numbers_left_out", str(numbers)))
    return Metadata(
        title=title or None,
        date="-".join(stamp.groups()) if stamp else None,
        extra=tuple(sorted(extra)),
    )


def _refuse_broken(data: bytes, uri: str) -> None:
    """UnreadableFile for what is no whole PDF, or unpacks to more than memory should hold."""
    if b"%PDF-" not in data[:1024]:
        raise UnreadableFile(uri, "is no PDF: its first bytes are those of something else")
    if b"%%EOF" not in data[-4096:] and b"startxref" not in data[-4096:]:
        raise UnreadableFile(uri, "the PDF is cut off: its end is missing")
    for found in _STREAM.finditer(data):
        unpacker = zlib.decompressobj()
        rest, size = data[found.end() : found.end() + 2**27], 0
        # Only streams that could grow so far are unpacked; deflate reaches about 1000 to 1.
        end = rest.find(b"endstream")
        rest = rest[: end if end >= 0 else None]
        if len(rest) * 1040 < MAX_STREAM_BYTES:
            continue
        try:
            while rest and not unpacker.eof and size <= MAX_STREAM_BYTES:
                size += len(unpacker.decompress(rest, 2**20))
                rest = unpacker.unconsumed_tail
        except zlib.error:
            continue  # pdfium will say what is wrong with it
        if size > MAX_STREAM_BYTES:
            raise UnreadableFile(uri, "a part of the PDF unpacks to more than 256 MB")
