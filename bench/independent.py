"""What another library reads in an original, and the pieces of stored text to look for in it.

The extraction uses nothing of the readers: html5lib through BeautifulSoup for HTML, the standard
library's ElementTree for XML, the raw file for Markdown and plain text, the strings of a JSON
record. Texts are compared squashed: without white space and without the marks that readers take
off or put in (square brackets of references, the colon of a term, marks of light mark-up).
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from kgrag.records.text import Block, Span, Table
from kgrag.sentences import sentences

_SPACE = re.compile(r"[\s\[\]:\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff\x00-\x1f]+")
# Bullets become blocks, but stay within a cell. A hyphen counts: it may be a minus.
_MARKS = re.compile(r"[*_`#>|\\~+•■◦▪●・·]+")
_LIST_MARK = re.compile(r"^[ \t]*-(?!\d)[ \t]*", re.MULTILINE)
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);")
_COMMANDS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{:[^}\n]*\}", re.DOTALL)
_ARGUMENT = re.compile(r"\b[\w-]+\s*=\s*(?:'([^']*)'|\"([^\"]*)\")")
_FRONT = re.compile(r"\A---[ \t]*\r?\n.*?\r?\n---[ \t]*\r?\n", re.DOTALL)
_ADDRESS = r"\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)"
_PICTURE = re.compile(r"!\[[^\]]*\]" + _ADDRESS)
_LINK = re.compile(r"\[([^\]]*)\]" + _ADDRESS)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", re.DOTALL)
_TAG_NAMES = frozenset(
    """
    a abbr b big blockquote br center cite code col colgroup dd del details div dl dt em figure
    figcaption font h1 h2 h3 h4 h5 h6 hr html head body header footer i iframe img input ins li
    link main mark meta nav object ol p pre q s script section small span strike strong style sub
    summary sup svg table tbody td tfoot th thead tr tt u ul
    """.split()
)
_TAG_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
# Headings that readers give to parts without a title of their own.
OURS = frozenset({"Abstract", "MeSH headings", "References"})


def squash(text: str) -> str:
    """``text`` without white space, what cannot be seen, marks, square brackets and colons."""
    return _MARKS.sub("", _SPACE.sub("", unicodedata.normalize("NFC", text)))


def extract(original: bytes, kind: str) -> str | None:
    """All text of ``original``, squashed; None where there is no other library.

    ``kind`` is the name of a reader or a media type.
    """
    if "html" in kind:
        from bs4 import BeautifulSoup

        text = original.decode("utf-8-sig")
        soup = BeautifulSoup(_COMMANDS.sub("", text), "html5lib")
        return squash(soup.get_text("") + _arguments(text))
    if kind in ("jats", "medline") or "xml" in kind:
        root = ET.fromstring(original)
        return squash("".join(_seen(root)) + "\n" + "\n".join(_index_headings(root)))
    if "json" in kind:
        return squash("".join(_strings(json.loads(original))))
    if kind in ("markdown", "text") or kind in ("text/markdown", "text/plain"):
        text = original.decode("utf-8-sig")
        if kind.endswith("markdown"):
            text = _COMMANDS.sub("", _FRONT.sub("", text)) + _arguments(text)
            text = _LINK.sub(r"\1", _PICTURE.sub("", text))
            text = _TAG.sub(_drop_known, text)
            text = _ENTITY.sub(lambda m: html.unescape(m.group()), text)
        # Once as it is and once without hyphens that mark list items; no piece spans both.
        return squash(text) + "\n" + squash(_LIST_MARK.sub("", text))
    return None


def _drop_known(tag: re.Match[str]) -> str:
    """Nothing for a tag of HTML or a comment; "<port>" in prose is no tag and stays."""
    name = _TAG_NAME.match(tag.group())
    return "" if name is None or name.group(1).lower() in _TAG_NAMES else tag.group()


def _arguments(text: str) -> str:
    """The quoted arguments of the template commands."""
    found = (a or b for c in _COMMANDS.findall(text) for a, b in _ARGUMENT.findall(c))
    return "\n".join(found)


def _seen(element: ET.Element) -> Iterator[str]:
    """Like ``itertext``, with the labels of abstracts, without what is there in two forms.

    That is formulas in TeX, which stand beside their MathML, and addresses of mail.
    """
    if label := element.get("Label"):
        yield label
    yield element.text or ""
    for child in element:
        if child.tag not in ("tex-math", "email", "inline-graphic"):
            yield from _seen(child)
        yield child.tail or ""


def _index_headings(root: ET.Element) -> Iterator[str]:
    """MeSH headings of a citation in the notation of PubMed, with the id of the descriptor."""

    def marked(name: ET.Element) -> str:
        return (name.text or "") + "*" * (name.get("MajorTopicYN") == "Y")

    for heading in root.iter("MeshHeading"):
        descriptor, *uses = heading
        own = f"{marked(descriptor)} (MESH:{descriptor.get('UI')})"
        yield " / ".join([own, *(marked(use) for use in uses)])


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def missing(
    text: str,
    blocks: Iterable[Block],
    tables: Iterable[Table],
    original: str,
    within: Span | None = None,
) -> tuple[int, list[str]]:
    """How many pieces of ``text`` there are, and those that the squashed ``original`` lacks.

    A piece is a sentence; of a table row each cell, and each name of its columns. With ``within``
    only what lies in that span is looked for, blocks and cells cut at its ends.
    """
    headers = {row: table.header for table in tables for row in table.rows}
    known: dict[str, bool] = {}

    def found(piece: str) -> bool:
        if piece not in known:
            known[piece] = squash(piece) in original
        return known[piece]

    count, lost = 0, []
    for block in blocks:
        low, high = block.start, block.end
        if within is not None:
            low, high = max(low, within.start), min(high, within.end)
        if low >= high or (block.kind == "heading" and text[block.start : block.end] in OURS):
            continue
        if block.kind != "table_row":
            pieces = [s.of(text) for s in sentences(text, low, high)]
        else:
            row = Span(block.start, block.end)
            pieces = []
            for cell in cells(text, row, headers.get(row, ()), found):
                start, end = max(low, cell.start), min(high, cell.end)
                if start < end:
                    pieces.append(text[start:end])
        count += len(pieces)
        lost += [p for p in pieces if not found(p)]
    return count, lost


def cells(text: str, row: Span, header: Sequence[str], found: Callable[[str], bool]) -> list[Span]:
    """The spans of the cells and column names of a row line, found by the names of its table.

    The names part the line, not its punctuation, so that a cell may hold "; " and ": ". What
    stands between two names is one cell; where the original lacks it as a whole, it is what
    several cells without a name made, and is parted at "; ".
    """
    line = row.of(text)
    names = _names(header)
    spans: list[Span] = []
    at = 0
    while at <= len(line):
        name = next((n for n in names if line.startswith(f"{n}: ", at)), None)
        if name is not None:
            for part in _parts(name, at, (" / ", " – "), found):
                spans.append(part)
            at += len(name) + 2
        end = at
        while True:
            end = line.find("; ", end)
            if end < 0:
                end = len(line)
                break
            if any(line.startswith(f"{n}: ", end + 2) for n in names):
                break
            end += 2
        spans.extend(_parts(line[at:end], at, ("; ",), found))
        at = end + 2
    return [Span(row.start + s.start, row.start + s.end) for s in spans]


def _names(header: Sequence[str]) -> list[str]:
    """What can stand before a cell: a name, or those of neighbours joined; longest first."""
    made: set[str] = set()
    for start, end in combinations(range(len(header) + 1), 2):
        over = dict.fromkeys(name for name in header[start:end] if name)
        made.add(" / ".join(over).rstrip(":").rstrip())
    return sorted(made - {""}, key=len, reverse=True)


def _parts(piece: str, at: int, marks: Sequence[str], found: Callable[[str], bool]) -> list[Span]:
    """``piece`` as one span when the original has it, else its parts between ``marks``."""
    if not piece.strip():
        return []
    if found(piece) or not marks:
        return [Span(at, at + len(piece))]
    spans: list[Span] = []
    for part in piece.split(marks[0]):
        spans.extend(_parts(part, at, marks[1:], found))
        at += len(part) + len(marks[0])
    return spans
