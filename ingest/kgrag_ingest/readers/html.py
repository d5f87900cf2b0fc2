"""HTML and XHTML fragments, on selectolax's lexbor parser."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from kgrag.records.text import Metadata
from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.encoding import decode
from kgrag_ingest.readers.hidden import mark_unseen, never_seen
from kgrag_ingest.readers.inline import add_superscript
from kgrag_ingest.readers.limits import MAX_DEPTH, check_size, no_text, too_deep
from kgrag_ingest.readers.lines import BULLETS
from kgrag_ingest.readers.tables import Cell, lay_out, span_of
from kgrag_ingest.readers.templates import VALUES, note_missing

_DROPPED: Final = frozenset(
    """
    script style nav noscript template svg math head iframe object embed canvas video audio form
    button select option input textarea dialog menu datalist map progress meter
    """.split()
)
_BLOCKS: Final = frozenset(
    """
    address article aside blockquote body center dd details div dl dt fieldset figure footer
    header hgroup html li main ol p section summary ul table pre h1 h2 h3 h4 h5 h6 hr figcaption
    caption
    """.split()
)
_HEADINGS: Final = {f"h{n}": n for n in range(1, 7)}
_DROPPED_ROLES: Final = frozenset({"navigation", "search", "banner", "menu", "menubar"})
# No brace inside: so a file of commands without an end is still searched in linear time.
_TEMPLATE: Final = re.compile(r"\{%[^{]*?%\}|\{\{[^{}]*\}\}")
_INCLUDE: Final = re.compile(r"\{%-?\s*include\s([^{]*?)-?%\}")
_ARGUMENT: Final = re.compile(r"\b(topic|description)\s*=\s*(?:'([^'<>]*)'|\"([^\"<>]*)\")")
# Elements whose start the parser compares with all that are open, in time square to their number.
# A depth far beyond what is read is therefore refused before parsing.
_MAX_OPEN: Final = 4 * MAX_DEPTH
_TAGS: Final = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))|<(script|style)\b.*?(?:</\1|\Z)|<(/?)([a-zA-Z][a-zA-Z0-9-]*)",
    re.DOTALL | re.IGNORECASE,
)
# They have no end tag, or do without it.
_NO_END: Final = frozenset(
    """
    area base br col embed hr img input link meta source track wbr p li dt dd tr td th thead tbody
    tfoot colgroup caption option optgroup rb rt rp body html head
    """.split()
)
_A_TAG: Final = re.compile(r"<[^<>]*>")
_LEADING_BULLET: Final = re.compile(rf"^\s*[{BULLETS}]\s*")


class HtmlReader:
    """Reads what a person would see: scripts, styles, navigation and hidden parts are left out."""

    name = "html"
    version = "4"
    media_types: tuple[str, ...] = ("text/html", "application/xhtml+xml")
    suffixes: tuple[str, ...] = (".html", ".htm", ".xhtml")

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """One reading. Template commands of site generators are left out."""
        check_size(data, uri)
        decoded = decode(data, uri)
        out = TextBuilder()
        metadata = read_markup(out, decoded.text, uri)
        if not out.size:
            raise no_text(uri)
        if decoded.doubt:
            out.doubt(decoded.doubt.kind, decoded.doubt.level, decoded.doubt.message)
        note_missing(out, decoded.text, len(VALUES.findall(_A_TAG.sub("", decoded.text))))
        yield out.build(metadata)


def read_markup(out: TextBuilder, markup: str, uri: str, *, level: int = 0) -> Metadata:
    """Adds the blocks of ``markup`` to ``out`` and gives what its ``head`` says.

    ``level`` is added to the level of each heading. UnreadableFile when it is nested too deep.
    """
    page = _TEMPLATE.sub(" ", _INCLUDE.sub(_arguments, markup)).replace("\x00", "")
    _check_open(page, uri)
    tree = LexborHTMLParser(page)
    mark_unseen(tree)
    body: LexborNode | None = tree.body or tree.root
    if body is not None:
        _Walk(out, uri, level).run(body)
    return _metadata(tree)


def _arguments(include: re.Match[str]) -> str:
    """Paragraphs of the arguments of an include that a page shows as text."""
    found = _ARGUMENT.findall(include.group(1))
    return " ".join(f"<p>{single or double}</p>" for _, single, double in found)


def _check_open(page: str, uri: str) -> None:
    """UnreadableFile when more elements are open at once than any page needs."""
    opened: Counter[str] = Counter()
    count = 0
    for tag in _TAGS.finditer(page):
        name = (tag.group(3) or "").lower()
        if name not in _BLOCKS or name in _NO_END:
            continue
        if tag.group(2) and not opened[name]:
            continue  # an end tag without a start closes nothing
        step = -1 if tag.group(2) else 1
        opened[name] += step
        count += step
        if count > _MAX_OPEN:
            raise too_deep(uri, "elements")


def _metadata(tree: LexborHTMLParser) -> Metadata:
    pairs: list[tuple[str, str]] = []
    for node in tree.css("meta"):
        key = node.attributes.get("name") or node.attributes.get("property")
        value = node.attributes.get("content")
        if key and value:
            pairs.append((key, value))
    for node in tree.css("link"):
        rel, href = (node.attributes.get("rel") or "").lower(), node.attributes.get("href")
        if rel in ("license", "canonical") and href:
            pairs.append((rel, href))
    for name in ("head > title", "h1"):
        found = tree.css_first(name)
        if found is not None:
            pairs.append(("title", found.text()))
    root = tree.css_first("html")
    if root is not None and root.attributes.get("lang"):
        pairs.append(("lang", root.attributes["lang"] or ""))
    return meta.from_pairs(pairs)


class _Walk:
    """One pass over the tree, without recursion, so that no depth can end the process."""

    def __init__(self, out: TextBuilder, uri: str, level: int, depth: int = 0) -> None:
        self.out, self.uri, self.level, self.depth = out, uri, level, depth
        self.inline: list[str] = []
        self.kind = "paragraph"

    def run(self, root: LexborNode) -> None:
        # (node, depth, "leave" kind to restore or None when entering)
        stack: list[tuple[LexborNode | None, int, str | None]] = [(root, self.depth, None)]
        while stack:
            node, depth, restore = stack.pop()
            if node is None:
                self.flush()
                self.kind = restore or "paragraph"
                continue
            if depth > MAX_DEPTH:
                raise too_deep(self.uri, "elements")
            tag = node.tag or ""
            if tag == "-text":
                self.inline.append(node.text_content or "")
                continue
            if not self.enters(node, tag, depth):
                continue
            if tag == "sup":
                self.superscript(node)
                continue
            if tag in _BLOCKS:
                self.flush()
                stack.append((None, depth, self.kind))
                if tag in ("li", "dd", "dt"):
                    self.kind = "list_item"
                elif tag in ("figcaption", "caption"):
                    self.kind = "caption"
                elif tag in ("table", "ul", "ol", "blockquote"):
                    self.kind = "paragraph"
            for child in reversed(list(node.iter(include_text=True))):
                stack.append((child, depth + 1, None))
        self.flush()

    def enters(self, node: LexborNode, tag: str, depth: int) -> bool:
        """Whether the children of ``node`` are to be walked; what it is by itself is added."""
        if tag.startswith(("-", "!")) or tag in _DROPPED or _is_hidden(node):
            return False
        if tag == "br":
            self.line_break()
            return False
        if tag == "hr":
            self.flush()
            return False
        if tag in _HEADINGS:
            self.flush()
            self.out.heading(_HEADINGS[tag] + self.level, inline_text(node, self.uri))
            return False
        if tag == "pre":
            self.flush()
            self.out.code(node.text())
            return False
        if tag == "table":
            self.flush()
            self.table(node, depth)
            return False
        return True

    def line_break(self) -> None:
        """Two breaks in a row part paragraphs; one ends a line whose next begins with a bullet."""
        if self.inline and self.inline[-1] == "\n":
            self.flush()
        else:
            self.inline.append("\n")

    def superscript(self, node: LexborNode) -> None:
        add_superscript(self.inline, node.text())

    def flush(self) -> None:
        text = "".join(self.inline)
        self.inline.clear()
        if not text or text.isspace():
            return
        if self.kind == "list_item":
            self.out.list_item(_LEADING_BULLET.sub("", text))
        elif self.kind == "caption":
            self.out.caption(text)
        else:
            self.lines(text)

    def lines(self, text: str) -> None:
        """A paragraph, or the list that its author made of line breaks and bullets."""
        if not any(_LEADING_BULLET.match(line) for line in text.split("\n")):
            self.out.paragraph(text)
            return
        for line in text.split("\n"):
            if _LEADING_BULLET.match(line):
                self.out.list_item(_LEADING_BULLET.sub("", line))
            elif line.strip():
                if self.out.last_kind == "list_item" and line.strip()[0].islower():
                    self.out.extend(line)
                else:
                    self.out.paragraph(line)

    def table(self, table: LexborNode, depth: int) -> None:
        inner = [row for row in _rows(table) if row[1]]
        if _is_layout(table, inner):
            for _, cells in inner:
                for cell in cells:
                    _Walk(self.out, self.uri, self.level, depth + 8).run(cell)
            return
        rows = [[self.cell(cell) for cell in cells] for _, cells in inner]
        in_head = [head for head, _ in inner]
        head_rows = in_head.index(False) if False in in_head else len(in_head)
        grid = lay_out(rows, head_rows or None, self.uri)
        caption = table.css_first("caption")
        text = inline_text(caption, self.uri) if caption is not None else None
        if not grid.rows and any(grid.header):
            self.out.table((), [grid.header], text)
        else:
            self.out.table(grid.header, grid.rows, text)

    def cell(self, node: LexborNode) -> Cell:
        return Cell(
            inline_text(node, self.uri),
            node.tag == "th",
            span_of(node.attributes.get("colspan")),
            span_of(node.attributes.get("rowspan")),
        )


def inline_text(node: LexborNode, uri: str) -> str:
    """All text that is seen inside ``node`` as one line; blocks inside it are parted by a space."""
    parts: list[str] = []
    stack: list[tuple[LexborNode | None, int]] = [(node, 0)]
    while stack:
        at, depth = stack.pop()
        if at is None:
            parts.append(" ")
            continue
        if depth > MAX_DEPTH:
            raise too_deep(uri, "elements")
        tag = at.tag or ""
        if tag == "-text":
            parts.append(at.text_content or "")
            continue
        if tag.startswith(("-", "!")) or tag in _DROPPED or (depth and _is_hidden(at)):
            continue
        if tag == "sup" and depth:
            add_superscript(parts, at.text())
            continue
        if tag in _BLOCKS or tag in ("br", "td", "th", "tr"):
            parts.append(" ")
            stack.append((None, depth))
        for child in reversed(list(at.iter(include_text=True))):
            stack.append((child, depth + 1))
    return clean("".join(parts))


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    if not attributes:
        return False
    return (
        "hidden" in attributes
        or (attributes.get("aria-hidden") or "").lower() == "true"
        or (attributes.get("role") or "").lower() in _DROPPED_ROLES
        or never_seen(node)
    )


def _rows(table: LexborNode) -> Iterator[tuple[bool, list[LexborNode]]]:
    """(in the head, cells) of the table's own rows, not of tables inside its cells."""
    for part in table.iter():
        if part.tag == "tr":
            yield False, _cells(part)
        elif part.tag in ("thead", "tbody", "tfoot") and not _is_hidden(part):
            for row in part.iter():
                if row.tag == "tr" and not _is_hidden(row):
                    yield part.tag == "thead", _cells(row)


def _cells(row: LexborNode) -> list[LexborNode]:
    return [cell for cell in row.iter() if cell.tag in ("td", "th") and not _is_hidden(cell)]


def _is_layout(table: LexborNode, rows: list[tuple[bool, list[LexborNode]]]) -> bool:
    """Whether the table only places things on the page: tables or headings inside its cells."""
    role = (table.attributes.get("role") or "").lower()
    if role in ("presentation", "none"):
        return True
    if all(len(cells) == 1 for _, cells in rows):
        return any(cell.css_first("p, ul, ol, div, h1, h2, h3, h4") for _, c in rows for cell in c)
    return any(cell.css_first("table, h1, h2, h3") is not None for _, c in rows for cell in c)
