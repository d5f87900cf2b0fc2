"""Plain text: blocks, bullets and headings by their look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kgrag.records.text import Metadata
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.encoding import decode
from kgrag_ingest.readers.limits import check_size, no_text
from kgrag_ingest.readers.lines import add_lines

_TITLE_CHARS: Final = 150
_UNDERLINE: Final = re.compile(r"\s*(={3,}|-{3,})\s*$")


class TextReader:
    """Reads plain text. A first short line that stands alone is the title."""

    name = "text"
    version = "3"
    media_types: tuple[str, ...] = ("text/plain",)
    suffixes: tuple[str, ...] = (".txt", ".text")

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """One reading. Pages begin at form feeds, where the text has any."""
        check_size(data, uri)
        decoded = decode(data, uri)
        out = TextBuilder()
        pages = decoded.text.split("\f")
        title = None
        for number, page in enumerate(pages, 1):
            if len(pages) > 1:
                out.page(number)
            lines = page.splitlines()
            if number == 1:
                title, lines = _title(lines)
                if title:
                    out.heading(1, title)
            add_lines(out, lines)
        if not out.size:
            raise no_text(uri)
        if decoded.doubt:
            out.doubt(decoded.doubt.kind, decoded.doubt.level, decoded.doubt.message)
        yield out.build(Metadata(title=title))


def _title(lines: list[str]) -> tuple[str | None, list[str]]:
    """The title and the lines after it; the first block is a title when it is one short line."""
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return None, lines
    text = clean(lines[first])
    rest = lines[first + 1 :]
    if rest and _UNDERLINE.match(rest[0]):
        return text, rest[1:]
    alone = not rest or not rest[0].strip()
    if not alone or len(text) > _TITLE_CHARS or text.endswith((".", "?", "!", ":", ";", ",")):
        return None, lines
    return (text, rest) if any(line.strip() for line in rest) else (None, lines)
