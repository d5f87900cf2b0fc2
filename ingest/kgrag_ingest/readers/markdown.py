"""Markdown with tables, front matter and HTML inside, on markdown-it-py."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.encoding import decode
from kgrag_ingest.readers.html import read_markup
from kgrag_ingest.readers.inline import add_superscript
from kgrag_ingest.readers.limits import check_size, no_text, too_deep
from kgrag_ingest.readers.lines import BULLETS, add_lines, wrap_width

_NESTING: Final = 100
_FRONT: Final = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_FRONT_LINE: Final = re.compile(r"([A-Za-z][\w .-]{0,40}):[ \t]+(.+)")
# Commands of site generators (Liquid, kramdown) that a reader of the page never sees.
_COMMANDS: Final = re.compile(r"\{%[^{]*?%\}|\{\{[^{}]*\}\}|\{:[^}\n{]*\}")
_HTML_TABLE: Final = re.compile(r"<table\b.*?</table\s*>", re.DOTALL | re.IGNORECASE)
_BLANK_LINES: Final = re.compile(r"\n\s*\n")
_BULLET_START: Final = re.compile(rf"\A(?:[{BULLETS}]+\s*|-(?=[A-Z][a-z]))")


class MarkdownReader:
    """Reads Markdown; lines that only look like lists or headings are taken as such."""

    name = "markdown"
    version = "3"
    media_types: tuple[str, ...] = ("text/markdown",)
    suffixes: tuple[str, ...] = (".md", ".markdown")

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """One reading. Metadata comes from front matter; the title else from the first heading."""
        check_size(data, uri)
        decoded = decode(data, uri)
        text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
        pairs: dict[str, str] = {}
        if front := _FRONT.match(text):
            pairs = _front_matter(front.group(1))
            text = text[front.end() :]
        text = _COMMANDS.sub("", text)
        # A start without an end would be searched to the end of the file, each time.
        closed = text.lower().rfind("</table") + len("</table>") if "</table" in text.lower() else 0
        tables = _HTML_TABLE.sub(lambda m: _BLANK_LINES.sub("\n", m.group()), text[:closed])
        text = tables + text[closed:]
        out = TextBuilder()
        _Blocks(out, uri, wrap_width(text.split("\n"))).run(_parser().parse(text))
        if not out.size:
            raise no_text(uri)
        if decoded.doubt:
            out.doubt(decoded.doubt.kind, decoded.doubt.level, decoded.doubt.message)
        metadata = meta.from_pairs(pairs)
        reading = out.build(metadata)
        if metadata.title is None and reading.sections and reading.sections[0].level == 1:
            metadata = replace(metadata, title=reading.sections[0].title)
        yield replace(reading, metadata=metadata)


def _parser() -> MarkdownIt:
    # Indented text is prose in what we read: pages pasted from elsewhere, never programs.
    options = {"maxNesting": _NESTING}
    return MarkdownIt("commonmark", options).enable("table").disable("code")


def _front_matter(text: str) -> dict[str, str]:
    """The ``key: value`` lines; nested values are left out, quotes taken off."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := _FRONT_LINE.match(line):
            value = match.group(2).strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            found[match.group(1).strip()] = value
    return found


class _Blocks:
    def __init__(self, out: TextBuilder, uri: str, width: int) -> None:
        self.out, self.uri, self.width = out, uri, width
        self.level = 1
        self.items: list[bool] = []  # for each open list item, whether its text has begun
        self.cells: list[str] = []
        self.header: list[str] = []
        self.rows: list[list[str]] = []

    def run(self, tokens: Sequence[Token]) -> None:
        for at, token in enumerate(tokens):
            if token.level >= _NESTING - 1:
                raise too_deep(self.uri, "lists or quotations")
            kind = token.type
            if kind == "inline":
                self.inline(tokens, at)
            elif kind == "fence":
                self.out.code(token.content)
            elif kind == "html_block":
                read_markup(self.out, token.content, self.uri)
            elif kind == "list_item_open":
                self.items.append(False)
            elif kind == "list_item_close":
                self.items.pop()
            elif kind == "table_open":
                self.header, self.rows = [], []
            elif kind == "tr_open":
                self.cells = []
            elif kind == "thead_close":
                self.header = self.cells
            elif kind == "tr_close":
                self.rows.append(self.cells)
            elif kind == "table_close":
                self.out.table(self.header, self.rows[1:])

    def inline(self, tokens: Sequence[Token], at: int) -> None:
        text = _inline_text(tokens[at].children or [])
        opener = tokens[at - 1].type if at else ""
        if opener == "heading_open":
            self.level = int(tokens[at - 1].tag[1])
            self.out.heading(self.level, text)
        elif opener in ("th_open", "td_open"):
            self.cells.append(clean(text))
        elif self.items and not self.items[-1]:
            self.items[-1] = True
            lines = text.split("\n")
            first = next((i for i, line in enumerate(lines) if i and _is_bullet(line)), len(lines))
            self.out.list_item(_BULLET_START.sub("", " ".join(lines[:first]), count=1))
            add_lines(self.out, lines[first:], headings=False, width=self.width)
        elif self.items:
            self.out.paragraph(text)
        else:
            more = at + 2 < len(tokens)
            add_lines(self.out, text.split("\n"), level=self.level + 1, width=self.width, more=more)


def _is_bullet(line: str) -> bool:
    return _BULLET_START.match(line.strip()) is not None


def _inline_text(children: Sequence[Token]) -> str:
    """What is seen of the tokens; breaks are newlines, pictures and tags leave nothing."""
    parts: list[str] = []
    above: list[str] | None = None  # the parts of an open superscript
    for token in children:
        target = parts if above is None else above
        if token.type in ("text", "code_inline"):
            target.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            target.append("\n")
        elif token.type == "html_inline":
            tag = token.content.lower().replace(" ", "")
            if tag.startswith("<br"):
                target.append("\n")
            elif tag.startswith("<sup"):
                above = above if above is not None else []
            elif tag == "</sup>" and above is not None:
                add_superscript(parts, "".join(above))
                above = None
    if above:
        parts.extend(above)
    return "".join(parts)
