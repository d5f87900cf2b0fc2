"""Markdown with tables, front matter and HTML inside, on markdown-it-py."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, image, link
from markdown_it.token import Token

from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.encoding import decode
from kgrag_ingest.readers.html import read_markup
from kgrag_ingest.readers.inline import add_superscript
from kgrag_ingest.readers.limits import check_size, no_text, too_deep
from kgrag_ingest.readers.lines import BULLETS, add_lines, wrap_width
from kgrag_ingest.readers.templates import COMMANDS, HOLE, VALUES, note_missing

_NESTING: Final = 100
_FRONT: Final = re.compile(r"\A---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_FRONT_LINE: Final = re.compile(r"([A-Za-z][\w .-]{0,40}):[ \t]+(.+)")
_HTML_TABLE: Final = re.compile(r"<table\b.*?</table\s*>", re.DOTALL | re.IGNORECASE)
_BLANK_LINES: Final = re.compile(r"\n\s*\n")
# Brackets of one paragraph that are all tried, and levels of brackets in the label of a link.
_TRIED: Final = 200
_LABEL_LEVELS: Final = 4
_BRACKET: Final = re.compile(r"\\.|[\[\]]", re.DOTALL)
_BEFORE: Final = re.compile(r"[\s>]*")
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
        source = text
        text = VALUES.sub(HOLE, COMMANDS.sub("", text.replace(HOLE, "")))
        # A start without an end would be searched to the end of the file, each time.
        closed = text.lower().rfind("</table") + len("</table>") if "</table" in text.lower() else 0
        tables = _HTML_TABLE.sub(lambda m: _BLANK_LINES.sub("\n", m.group()), text[:closed])
        text = tables + text[closed:]
        out = TextBuilder()
        lines = text.split("\n")
        blocks = _Blocks(out, uri, lines)
        blocks.run(_parser().parse(text))
        if not out.size:
            raise no_text(uri)
        note_missing(out, source, blocks.holes)
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
    parser = MarkdownIt("commonmark", options).enable("table").disable("code")
    parser.inline.ruler.at("link", partial(_if_label, link, 0))
    parser.inline.ruler.at("image", partial(_if_label, image, 1))
    return parser


def _if_label(
    rule: Callable[[StateInline, bool], bool], before: int, state: StateInline, silent: bool
) -> bool:
    """``rule``, where a label can begin at the ``[`` that ``before`` characters come before.

    At each bracket the rules look for the end of the label through all brackets inside it: a page
    of opening brackets would take minutes.
    """
    at = state.pos + before
    if not state.src.startswith("[", at):
        return False
    known: dict[str, frozenset[int] | None] = state.env.setdefault("labels", {})
    if state.src not in known:
        known[state.src] = _labels(state.src)
    begins = known[state.src]
    return (begins is None or at in begins) and rule(state, silent)


def _labels(text: str) -> frozenset[int] | None:
    """Where labels can begin in ``text``; None where it has so few brackets that all are tried.

    A bracket counts when it is closed and few are open inside it.
    """
    if text.count("[") <= _TRIED:
        return None
    begins: set[int] = set()
    # For each open bracket its place and how many levels it holds.
    open_: list[list[int]] = []
    for mark in _BRACKET.finditer(text):
        if mark.group() == "[":
            open_.append([mark.start(), 0])
        elif mark.group() == "]" and open_:
            at, levels = open_.pop()
            if levels <= _LABEL_LEVELS:
                begins.add(at)
            if open_:
                open_[-1][1] = max(open_[-1][1], levels + 1)
    return frozenset(begins)


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
    def __init__(self, out: TextBuilder, uri: str, source: Sequence[str]) -> None:
        self.out, self.uri, self.source = out, uri, source
        self.width = wrap_width(source)
        self.holes = 0  # values of commands that are missing in the text
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
        self.holes += text.count(HOLE)
        text = text.replace(HOLE, "")
        opener = tokens[at - 1].type if at else ""
        if opener == "heading_open":
            self.level = int(tokens[at - 1].tag[1])
            self.out.heading(self.level, text)
        elif opener in ("th_open", "td_open"):
            self.cells.append(clean(text))
        elif self.items and not self.items[-1]:
            self.items[-1] = True
            self.item(text, tokens[at])
        elif self.items:
            self.out.paragraph(text)
        else:
            more = at + 2 < len(tokens)
            add_lines(self.out, text.split("\n"), level=self.level + 1, width=self.width, more=more)

    def item(self, text: str, token: Token) -> None:
        """The text of a list item, and what stands below it without indentation.

        CommonMark makes every such line part of the item, and where a source wraps its lines that
        is right. But pages pasted from elsewhere go on with new matter there ("Or:",
        "Prevention"), and a sentence of two would be quoted that nobody wrote. So a line is
        joined when it reads as the rest of the line before it, as in any paragraph.
        """
        own: list[str] = []
        rest: list[str] = []
        for line, indented in self.with_indents(text, token):
            if rest or (own and (_is_bullet(line) or not indented)):
                rest.append(line)
            else:
                own.append(line)
        first = _BULLET_START.sub("", " ".join(own), count=1)
        if not rest or not first.strip():
            self.out.list_item(" ".join([first, *rest]))
            return
        level = self.level + 1
        add_lines(self.out, [f"{BULLETS[0]} {first}", *rest], level=level, width=self.width)

    def with_indents(self, text: str, token: Token) -> list[tuple[str, bool]]:
        """The lines of an inline, and whether each stands further right than the item's bullet."""
        start, end = token.map or (0, 0)
        lines = text.split("\n")
        raw = self.source[start:end]
        if len(raw) != len(lines):
            return [(line, True) for line in lines]  # breaks within a line: they are the item's
        ends = [match.end() if (match := _BEFORE.match(line)) else 0 for line in raw]
        return [(line, at == 0 or ends[at] > ends[0]) for at, line in enumerate(lines)]


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
