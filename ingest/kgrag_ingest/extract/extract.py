"""From a document and its mentions to assertions with evidence, and what was refused."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Mention
from kgrag.records.text import Document, Span
from kgrag.sentences import sentences
from kgrag_ingest.extract.annotation import annotation_rules, read_annotation
from kgrag_ingest.extract.headings import read_headings
from kgrag_ingest.extract.learned import read_abstract
from kgrag_ingest.extract.listing import read_lists
from kgrag_ingest.extract.rules import rules
from kgrag_ingest.extract.sentence import read_sentence
from kgrag_ingest.extract.table import read_row

# Blocks in which a document says something itself.
_READ: Final = frozenset({"paragraph", "list_item"})


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one document says, and what was refused.

    ``assertions`` are merged by id, in the order of their first evidence. A reject has reason,
    rule, document_id, start, end, subject, predicate and object; it holds no text.
    """

    assertions: tuple[Assertion, ...]
    rejects: tuple[Mapping[str, Any], ...]


def extract(document: Document, mentions: Sequence[Mention]) -> Extraction:
    """The assertions of sentences, table rows, led lists, abstracts, annotations, index headings.

    Every evidence is a whole sentence or row, a list from its lead to the item, or the index
    headings from one to another, with ``text[start:end] == quote``. Of a document whose
    extraction is in doubt at 0.5 or more, all assertions are candidates.
    """
    known = rules()
    ordered = sorted(
        (m for m in mentions if m.text.lower() not in known.forms),
        key=lambda m: (m.start, -m.end),
    )
    found: list[Assertion] = []
    rejects: list[Mapping[str, Any]] = []
    annotated = annotation_rules(document, known)
    for span, row, header, inside in _units(document, ordered):
        if row and annotated:
            read = read_annotation(document, span, header, inside, annotated)
        elif row:
            read = read_row(document, span, header, inside, known)
        else:
            read = read_sentence(document, span, inside, known)
        found.extend(read[0])
        rejects.extend(read[1])
    lists = read_lists(document, ordered, known)
    found.extend(lists[0])
    rejects.extend(lists[1])
    learned = read_abstract(document, ordered, known)
    found.extend(learned[0])
    rejects.extend(learned[1])
    indexed = read_headings(document, ordered, known)
    found.extend(indexed[0])
    rejects.extend(indexed[1])
    if any(d.level >= 0.5 for d in document.doubts):
        found = [replace(a, tier="candidate") for a in found]
    return Extraction(_merged(found), tuple(rejects))


def _merged(found: Iterable[Assertion]) -> tuple[Assertion, ...]:
    held: dict[str, list[Assertion]] = {}
    for assertion in found:
        held.setdefault(assertion.id, []).append(assertion)
    return tuple(first.merged(*others) if others else first for first, *others in held.values())


_Unit = tuple[Span, bool, tuple[str, ...], Sequence[Mention]]


def _units(document: Document, mentions: Sequence[Mention]) -> Iterator[_Unit]:
    """(span, is a row, its header, its mentions) of sentences and rows with two mentions or more.

    Only lines with two mentions are split into sentences: most lines have fewer.
    """
    text = document.text
    rows = {row.start: (row, table.header) for table in document.tables for row in table.rows}
    kinds = {block.start: block.kind for block in document.blocks}
    starts = [m.start for m in mentions]
    at = 0
    while at < len(mentions):
        line_start = text.rfind("\n", 0, mentions[at].start) + 1
        line_end = text.find("\n", mentions[at].start)
        line_end = len(text) if line_end < 0 else line_end
        stop = bisect_left(starts, line_end)
        inside = mentions[at:stop]
        at = stop
        if len(inside) < 2:
            continue
        kind = kinds.get(line_start, "paragraph")
        if line_start in rows or kind == "table_row":
            span, header = rows.get(line_start, (Span(line_start, line_end), ()))
            yield span, True, header, inside
        elif kind in _READ:
            for sentence in sentences(text, line_start, line_end):
                low = bisect_left(starts, sentence.start)
                high = bisect_left(starts, sentence.end)
                if high - low >= 2:
                    yield sentence, False, (), mentions[low:high]
