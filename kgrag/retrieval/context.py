"""The closed set of what one answer may quote: whole sentences and rows, fit to stand alone.

A sentence torn out of its place can say another thing than its source does. So a citable piece
is extended over what belongs to it (the strength of a recommendation, an exception that follows,
the sentence that "It" refers to, the lead-in of a list), always as one contiguous span; where
that does not fit the limit of words the piece is left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

from kgrag.records.answer import CitedDocument, Hit
from kgrag.records.text import Block, BlockKind, Document, Span
from kgrag.retrieval.instructions import speaks_nearby
from kgrag.retrieval.instructions import speaks_to_model as speaks_to_model
from kgrag.sentences import is_label, sentences, stands_alone
from kgrag.stores.base import DocumentInfo
from kgrag.verification.units import has_dose

DOUBTFUL: Final = 0.5
"""From this level of doubt upward, doses of the place are not quoted."""
_NEAR: Final = 3

Refusal = Literal[
    "replaced",
    "superseded",
    "retracted",
    "doubtful",
    "instruction",
    "too_long",
    "incomplete",
    "reference",
]


class Found(Protocol):
    """A passage that retrieval proposes; a score is None where that half did not list it."""

    @property
    def hit(self) -> Hit: ...
    @property
    def bm25(self) -> float | None: ...
    @property
    def cosine(self) -> float | None: ...


class Reads(Protocol):
    """What the context is read from: the truth store."""

    def document(self, document_id: str) -> Document: ...
    def info(self, document_id: str) -> DocumentInfo: ...


@dataclass(frozen=True, slots=True)
class Citable:
    """One piece that may be quoted; ``text`` is stored text ``[start:end]`` of the document.

    ``core`` is the sentence, row or item that it was made for. ``before`` is up to four sentences
    that stand before it in its section, ``caption`` what is over its table. ``doubt`` in [0, 1] is
    that of its page. ``rank`` counts its passage from 0; ``passage_bm25`` and ``passage_cosine``
    are the passage's scores. ``best_late`` is the best score of late interaction of any passage
    listed, None without it, and ``best_gap`` by how much that is above their mean.
    """

    number: int
    document_id: str
    passage_id: str
    start: int
    end: int
    text: str
    core: Span
    kind: BlockKind
    section: tuple[str, ...]
    title: str
    page: int | None
    before: str = ""
    caption: str = ""
    doubt: float = 0.0
    rank: int = 0
    passage_score: float = 0.0
    passage_bm25: float = 0.0
    passage_cosine: float = 0.0
    best_late: float | None = None
    best_gap: float = 0.0

    @property
    def words(self) -> int:
        return len(self.text.split())

    @property
    def above(self) -> tuple[str, ...]:
        """What the piece stands under and may say whom it is for: title, headings, caption."""
        return tuple(p for p in (self.title, *self.section, self.caption) if p)

    @property
    def place(self) -> str:
        """Title and headings that the piece stands under, each once."""
        return ". ".join(dict.fromkeys(p for p in (self.title, *self.section) if p))


@dataclass(frozen=True, slots=True)
class Context:
    """The citable pieces of one question, numbered from 0 in the order of their passages.

    ``documents`` describes every document cited; ``refused`` counts, by reason, what was left
    out; ``concerns`` are documents cited under an expression of concern.
    """

    citables: tuple[Citable, ...]
    documents: Mapping[str, CitedDocument]
    refused: Mapping[Refusal, int] = field(default_factory=dict)
    concerns: tuple[str, ...] = ()


def build_context(
    candidates: Sequence[Found],
    truth: Reads,
    *,
    words: int = 60,
    limit: int = 400,
) -> Context:
    """The citable pieces of the passages, best passage first, at most ``limit`` of them.

    No piece is longer than ``words``. Documents that are not current or are retracted give none.
    """
    refused: Counter[Refusal] = Counter()
    documents: dict[str, Document] = {}
    barred: set[str] = set()
    concerns: list[str] = []
    seen: set[tuple[str, int, int]] = set()
    found: list[Citable] = []
    # A passage that one half of the index did not list is no better there than its last.
    lowest = (
        min((c.bm25 for c in candidates if c.bm25 is not None), default=0.0),
        min((c.cosine for c in candidates if c.cosine is not None), default=0.0),
    )
    late = [value for value in map(_late, candidates) if value is not None]
    best = max(late) if late else None
    gap = max(late) - sum(late) / len(late) if late else 0.0
    for rank, candidate in enumerate(candidates):
        hit = candidate.hit
        identifier = hit.document.id
        if identifier in barred:
            continue
        if identifier not in documents:
            reason = _why_barred(truth.info(identifier))
            if reason is not None:
                # Far down the list a document matched no more than any other would.
                refused[reason] += rank < _NEAR
                barred.add(identifier)
                continue
            documents[identifier] = truth.document(identifier)
            if speaks_to_model(documents[identifier].title):  # it stands beside every quotation
                refused["instruction"] += rank < _NEAR
                barred.add(identifier)
                del documents[identifier]
                continue
            if documents[identifier].metadata.retracted:
                concerns.append(identifier)
        document = documents[identifier]
        for piece in _pieces(document, hit.start, hit.end, words, refused):
            key = (identifier, piece.span.start, piece.span.end)
            if key in seen or len(found) >= limit:
                continue
            seen.add(key)
            made = _citable(len(found), document, candidate, rank, piece, lowest)
            found.append(replace(made, best_late=best, best_gap=gap))
    cited = {key: CitedDocument.of(document) for key, document in documents.items()}
    return Context(tuple(found), cited, dict(refused), tuple(concerns))


def _late(candidate: Found) -> float | None:
    """The score of late interaction; None for what was found without it, as by the graph."""
    scores: Mapping[str, float] = getattr(candidate, "scores", {})
    return scores.get("late")


def _why_barred(info: DocumentInfo) -> Refusal | None:
    if info.status != "current":
        return "superseded" if info.status == "superseded" else "replaced"
    if info.metadata.retracted not in (None, "expression_of_concern"):
        return "retracted"
    return None


@dataclass(frozen=True, slots=True)
class _Piece:
    span: Span
    core: Span
    kind: BlockKind
    before: str
    caption: str


def _citable(
    number: int,
    document: Document,
    candidate: Found,
    rank: int,
    piece: _Piece,
    lowest: tuple[float, float],
) -> Citable:
    span = piece.span
    bm25 = lowest[0] if candidate.bm25 is None else candidate.bm25
    cosine = lowest[1] if candidate.cosine is None else candidate.cosine
    page = document.page_at(span.start)
    return Citable(
        number, document.id, candidate.hit.passage_id, span.start, span.end,
        span.of(document.text), piece.core, piece.kind, document.section_path(piece.core.start),
        document.title, page, piece.before, piece.caption, doubt_at(document, page), rank,
        candidate.hit.score, bm25, cosine,
    )  # fmt: skip


def doubt_at(document: Document, page: int | None) -> float:
    """The highest doubt, in [0, 1], about the extraction of that page or of the whole document."""
    return max((d.level for d in document.doubts if d.page is None or d.page == page), default=0.0)


_QUOTABLE: Final = frozenset({"paragraph", "list_item", "table_row"})


def _pieces(
    document: Document, start: int, end: int, words: int, refused: Counter[Refusal]
) -> Iterator[_Piece]:
    """Pieces whose core begins in ``[start, end)``."""
    blocks = document.blocks or _lines(document.text)
    for at, block in enumerate(blocks):
        if block.end <= start or block.start >= end or block.kind not in _QUOTABLE:
            continue
        for index, span in enumerate(spans := _cores(document.text, block)):
            if not start <= span.start < end or not _answers(span.of(document.text), block.kind):
                continue
            section = document.section_path(span.start)
            if section and _REFERENCES.match(section[-1]):
                refused["reference"] += 1
                continue
            extended = _extend(document, blocks, at, spans, index)
            if extended is None:
                refused["incomplete"] += 1
                continue
            text = extended.of(document.text)
            if len(text.split()) > words:
                refused["too_long"] += 1
            elif speaks_to_model(text) or speaks_nearby(document, extended.start, extended.end):
                refused["instruction"] += 1
            elif has_dose(text) and _doubtful(document, extended):
                refused["doubtful"] += 1
            else:
                before = _before(document, blocks, at, spans, index)
                caption = _caption(document, blocks, at)
                yield _Piece(extended, span, block.kind, before, caption)


# A list of other works says nothing itself.
_REFERENCES: Final = re.compile(
    r"^[\W\d]*(?:references?|bibliography|works cited|literature cited|(?:further|suggested|"
    r"recommended) reading|citations?)\W*$",
    re.IGNORECASE,
)


def _doubtful(document: Document, span: Span) -> bool:
    pages = {document.page_at(span.start), document.page_at(span.end - 1)}
    return any(doubt_at(document, page) >= DOUBTFUL for page in pages)


def _lines(text: str) -> tuple[Block, ...]:
    """Blocks for a document whose reader gave none: every line a paragraph."""
    return tuple(
        Block("paragraph", m.start(), m.end()) for m in re.finditer(r"[^\n]+", text)
    )  # fmt: skip


def _cores(text: str, block: Block) -> list[Span]:
    if block.kind == "table_row":
        return [Span(block.start, block.end)]
    return sentences(text, block.start, block.end)


def _answers(text: str, kind: BlockKind) -> bool:
    """Whether the core can answer anything: no question, no label, no bare reference."""
    if kind == "table_row":
        return ":" in text and len(text.split()) >= 3
    if text.rstrip().endswith("?") or _GRADE_ONLY.match(text) or not re.search(r"[^\W\d_]", text):
        return False
    # A short line without an end mark is a heading that its source did not mark.
    return kind == "list_item" or len(text.split()) >= 4 or text.rstrip().endswith((".", ":"))


# What belongs to the sentence before it: the strength of advice, or its exception.
_GRADE_ONLY: Final = re.compile(
    r"""^[\s(\[{]*(?:
        (?:(?:very\s)?(?:strong|weak|conditional|good\spractice|moderate|low|high)\b
            [\w\s,;:/+-]{0,60}\b(?:recommendation|evidence|certainty|quality|statement|against|for))
        |(?:(?:strength|grade|level|class|certainty|quality)\s(?:of\s)?
            [\w\s,;:/+()-]{0,60})
        |(?:grade|class|level|category)\s?[:=]?\s?(?:[A-D]|I{1,3}|IV|[1-5])[a-c+-]?\b[\w\s,;:/+-]{0,60}
        |consensus[\w\s-]{0,40}|expert\sopinion[\w\s-]{0,30}|ungraded[\w\s-]{0,30}
    )[\s)\]}.]*$""",
    re.VERBOSE | re.IGNORECASE,
)
_CONDITION: Final = re.compile(
    r"^[\s(\[]*(?:unless|except|exceptions?:?|provided that|but not|only if|only when|only in|"
    r"however|this (?:recommendation |advice |statement )?(?:does not|do not|should not|applies|"
    r"excludes?)|these (?:recommendations )?(?:do not|should not|apply)|it does not apply|"
    r"do not (?:use|give|apply) (?:it|this|them)|not (?:for|in) )\b",
    re.IGNORECASE,
)
_REFERS_BACK: Final = re.compile(
    r"^[\"'“‘(\[]*(?:it|its|this|these|they|their|them|those|such|he|she|his|her|the (?:latter|"
    r"former|same|above)|both|neither|either|however|therefore|thus|hence|otherwise|moreover|furthermore|"
    r"in addition|additionally|also|consequently|as a result|instead|then|for example|in contrast|"
    r"conversely|similarly|in (?:this|these|such) (?:case|cases|patients|situations?))\b",
    re.IGNORECASE,
)
# These cannot be understood at all without the sentence before.
_MUST_REFER: Final = re.compile(
    r"^[\"'“‘(\[]*(?:it|its|they|their|them|he|she|his|her|the (?:latter|former)|neither|otherwise|"
    r"(?:this|these|those)\s+(?:is|are|was|were|can|could|may|might|should|must|will|would|has|"
    r"have|had|does|do|includes?|means?|results?|causes?|occurs?|leads?|helps?|increases?|"
    r"reduces?))\b",
    re.IGNORECASE,
)


def _extend(
    document: Document, blocks: Sequence[Block], at: int, spans: Sequence[Span], index: int
) -> Span | None:
    """The core with all that it needs to stand alone; None when that cannot be had."""
    text = document.text
    block, core = blocks[at], spans[index]
    if block.kind == "table_row":
        return core
    start, end = core.start, core.end
    if text[:end].rstrip().endswith(":") and block.kind == "paragraph":
        return None  # a lead-in: it says nothing without its list
    start_of_item = _item_start(document, blocks, at, index)
    if start_of_item is None:
        return None
    start = min(start, start_of_item)
    if start == core.start and _REFERS_BACK.match(core.of(text)):
        previous = _previous(document, blocks, at, spans, index)
        if previous is not None:
            start = previous.start
        elif _MUST_REFER.match(core.of(text)):
            return None
    following = index + 1
    while following < len(spans) and _belongs(spans[following].of(text)):
        end = spans[following].end
        following += 1
    if following >= len(spans) and at + 1 < len(blocks):
        after = blocks[at + 1]
        line = text[after.start : after.end]
        if after.kind in _QUOTABLE - {"table_row"} and _GRADE_ONLY.match(line):
            end = after.end
    return Span(start, end)


def _belongs(sentence: str) -> bool:
    return bool(_GRADE_ONLY.match(sentence) or _CONDITION.match(sentence))


def _item_start(document: Document, blocks: Sequence[Block], at: int, index: int) -> int | None:
    """Where the quotation of a list item begins; None when its lead-in cannot be had.

    An item under a lead-in ("Offer one of:") begins at the lead-in's last sentence. An item
    under a heading stands alone when it is a sentence, and begins at the heading when it is not.
    """
    block = blocks[at]
    if block.kind != "list_item":
        return block.start + (2**62)  # no claim on the start
    first = at
    while first > 0 and blocks[first - 1].kind == "list_item":
        first -= 1
    above = blocks[first - 1] if first > 0 else None
    text = document.text
    if above is not None and above.kind == "paragraph":
        lead = sentences(text, above.start, above.end)
        said = lead[-1].of(text) if lead else ""
        if said.rstrip().endswith(":") and not is_label(said):
            return lead[-1].start
    if index > 0 or stands_alone(text[block.start : block.end]):
        return block.start + (2**62)
    if above is not None and above.kind in ("heading", "paragraph"):
        if above.kind == "heading":
            return above.start
        lead = sentences(text, above.start, above.end)
        return lead[-1].start if lead else None
    return None


def _previous(
    document: Document, blocks: Sequence[Block], at: int, spans: Sequence[Span], index: int
) -> Span | None:
    """The sentence before, in the block or at the end of the paragraph above in one section."""
    if index > 0:
        return spans[index - 1]
    if at == 0 or blocks[at - 1].kind != "paragraph" or blocks[at].kind != "paragraph":
        return None
    above = sentences(document.text, blocks[at - 1].start, blocks[at - 1].end)
    return above[-1] if above else None


def _caption(document: Document, blocks: Sequence[Block], at: int) -> str:
    """What is written over the table of this row; "" without a caption, and for what is no row."""
    above = at
    while above > 0 and blocks[above].kind == "table_row":
        above -= 1
    found = blocks[above]
    return document.text[found.start : found.end] if found.kind == "caption" else ""


def _before(
    document: Document, blocks: Sequence[Block], at: int, spans: Sequence[Span], index: int
) -> str:
    """Up to four sentences before the core, headings left out."""
    found = [s.of(document.text) for s in spans[max(0, index - 4) : index]]
    above = at - 1
    while len(found) < 4 and above >= 0 and blocks[above].kind in ("paragraph", "list_item"):
        earlier = sentences(document.text, blocks[above].start, blocks[above].end)
        found = [s.of(document.text) for s in earlier][-(4 - len(found)) :] + found
        above -= 1
    return " ".join(found)


def may_show(document: Document, start: int, end: int) -> bool:
    """Whether ``[start, end)`` and what stands close to it address no model, and it names no dose
    on a doubtful page."""
    span = Span(start, end)
    text = span.of(document.text)
    if speaks_to_model(text) or speaks_nearby(document, start, end):
        return False
    return not (has_dose(text) and _doubtful(document, span))
