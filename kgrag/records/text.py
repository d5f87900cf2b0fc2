"""Documents and the parts of them that can be cited.

*Stored text* is what every offset refers to. Its form is the same for all readers:

- it is made of blocks; a block (heading, paragraph, list item, table row, caption, reference)
  holds no newline;
- consecutive list items and consecutive rows of one table are parted by one newline, all other
  blocks by an empty line;
- a table row is a self-contained line: ``Drug: amoxicillin; Dose: 500 mg``;
- there are no control characters, no soft hyphens, no runs of spaces; all else is as in the
  source: no case folding, no compatibility normalisation.

``start`` and ``end`` are half-open offsets in Unicode code points.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal[
    "heading", "paragraph", "list_item", "table_row", "caption", "reference", "code"
]
DoubtKind = Literal["scanned", "garbled", "reading_order", "encoding", "truncated"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The half-open range ``[start, end)``, in code points; never empty."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"not a span: [{self.start}, {self.end})")

    def of(self, text: str) -> str:
        """The characters of ``text`` that the span covers."""
        return text[self.start : self.end]

    def contains(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Block:
    """One line of stored text and what it is."""

    kind: BlockKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and all that stands under it, to the next heading of its level or above.

    ``level`` is 1 for the outermost. ``start`` is the start of the heading's own characters.
    """

    title: str
    level: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the original: ``number`` counts from 1; ``label`` is what is printed on it."""

    number: int
    start: int
    end: int
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the source: its header cells and the span of each of its row lines."""

    header: tuple[str, ...]
    rows: tuple[Span, ...]
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to distrust the extraction; ``page`` is None when it holds for the whole.

    ``level`` is in [0, 1]; from 0.5 upward, doses of the place are not quoted as answers.
    """

    kind: DoubtKind
    level: float
    message: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the source says of itself; an absent value is None or empty, never invented.

    ``date`` is ISO 8601, as precise as the source: ``2018``, ``2018-05`` or ``2018-05-17``.
    ``identifiers`` are pairs such as ``("doi", "10.1000/182")`` and ``("pmid", "29768149")``.
    ``retracted`` is the source's own mark: ``retraction``, ``expression_of_concern`` or None.
    """

    title: str | None = None
    publisher: str | None = None
    date: str | None = None
    version: str | None = None
    licence: str | None = None
    language: str | None = None
    identifiers: tuple[tuple[str, str], ...] = ()
    retracted: str | None = None
    extra: tuple[tuple[str, str], ...] = ()

    def dated_before(self, other: Metadata) -> bool:
        """Both dates are known and this one is earlier, to the precision that both have."""
        if not self.date or not other.date:
            return False
        precision = min(len(self.date), len(other.date))
        return self.date[:precision] < other.date[:precision]


@dataclass(frozen=True, slots=True)
class Source:
    """What a document is a version of.

    ``identifier`` is ``doi:...`` or ``pmid:...`` where the source has one, else its path
    relative to the ingest root (with ``#record`` for a record of a JSONL file).
    """

    collection: str
    identifier: str


@dataclass(frozen=True, slots=True)
class Document:
    """One version of one source, as read. ``text`` is the stored text.

    ``uri`` says where the original was found; ``original_sha256`` names its kept bytes;
    ``reader`` is ``name/version``. Blocks, sections, pages and tables are in text order.
    """

    id: str
    source: Source
    uri: str
    media_type: str
    original_sha256: str
    reader: str
    text: str
    metadata: Metadata = field(default_factory=Metadata)
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    pages: tuple[Page, ...] = ()
    tables: tuple[Table, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    @property
    def title(self) -> str:
        """The title, or the last part of the uri when the source has none."""
        return self.metadata.title or self.uri.rstrip("/").rsplit("/", 1)[-1]

    def section_path(self, offset: int) -> tuple[str, ...]:
        """The titles of the sections that hold ``offset``, outermost first."""
        return tuple(s.title for s in self.sections if s.start <= offset < s.end)

    def page_at(self, offset: int) -> int | None:
        """The number of the page that holds ``offset``; None for a source without pages."""
        at = bisect_right([p.start for p in self.pages], offset) - 1
        return self.pages[at].number if at >= 0 else None


@dataclass(frozen=True, slots=True)
class Passage:
    """A section-aware piece of a document: what is indexed and retrieved.

    ``section`` is the section path at its start, ``page`` the page of its start.
    """

    id: str
    document_id: str
    start: int
    end: int
    section: tuple[str, ...] = ()
    page: int | None = None
