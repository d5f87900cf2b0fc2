"""Assertions of index headings: a descriptor used so in an article beside another used so.

"Asthma / drug therapy" and "Budesonide / therapeutic use" were given to one article by indexers.
That the one treats the other is inferred, so that all edges are candidates. The evidence is the
headings from the first of the two to the second; two that stand too far apart give none.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.concepts import Mention
from kgrag.records.text import Document
from kgrag_ingest.extract.check import assertion_problem
from kgrag_ingest.extract.rules import HeadingRule, Rules
from kgrag_ingest.extract.sentence import Found, reject

_READER: Final = "medline/"
SECTION: Final = "MeSH headings"
# Characters from the first heading to the second: more is no quotation that one reads.
_LONGEST: Final = 500
_HEADING: Final = re.compile(
    r"(?P<name>.+?)\*?(?: \((?P<id>MESH:\w+)\))?(?P<qualifiers>(?: / [^/]+)*)"
)


@dataclass(frozen=True, slots=True)
class _Heading:
    """A heading with qualifiers: its line, the mention that it is of, and how it is used."""

    start: int
    end: int
    mention: Mention
    qualifiers: frozenset[str]


def index_start(document: Document) -> int | None:
    """Where the index headings of a citation begin; None without any and for other documents."""
    if not document.reader.startswith(_READER) or not document.sections:
        return None
    last = document.sections[-1]
    return last.start if last.title == SECTION else None


def read_headings(document: Document, mentions: Sequence[Mention], rules: Rules) -> Found:
    """The candidate assertions of pairs of headings, and the rejects. ``mentions`` are in order."""
    start = index_start(document)
    if start is None:
        return [], []
    headings = list(_headings(document, mentions, start))
    found: list[Assertion] = []
    rejects: list[Mapping[str, Any]] = []
    for rule in rules.headings:
        subjects = [h for h in headings if _fits(h, rule.subjects, rule.subject_types)]
        objects = [h for h in headings if _fits(h, rule.objects, rule.object_types)]
        for one in subjects:
            for other in objects:
                if one is other:
                    continue
                made = _assertion(document, rule, one, other)
                reason = assertion_problem(
                    made, document.text, (one.mention.type, other.mention.type)
                )
                evidence = made.evidence[0]
                if evidence.end - evidence.start > _LONGEST:
                    reason = reason or "the two headings stand too far apart"
                if reason is None:
                    found.append(made)
                else:
                    rejects.append(reject(made, reason))
    return found, rejects


def _fits(heading: _Heading, qualifiers: frozenset[str], types: frozenset[str]) -> bool:
    return heading.mention.type in types and not qualifiers.isdisjoint(heading.qualifiers)


def _headings(document: Document, mentions: Sequence[Mention], start: int) -> Iterator[_Heading]:
    text = document.text
    starts = [m.start for m in mentions]
    for block in document.blocks:
        if block.start < start or block.kind != "reference":
            continue
        parts = _HEADING.fullmatch(text, block.start, block.end)
        if parts is None or not parts.group("qualifiers"):
            continue
        inside = mentions[bisect_left(starts, block.start) : bisect_left(starts, block.end)]
        mention = _of(parts, inside)
        if mention is not None:
            used = frozenset(q.strip("* ") for q in parts.group("qualifiers").split(" / ") if q)
            yield _Heading(block.start, block.end, mention, used)


def _of(parts: re.Match[str], inside: Sequence[Mention]) -> Mention | None:
    """The mention that the descriptor's id is; without an id, the one that is its whole name."""
    span = parts.span("id") if parts.group("id") else parts.span("name")
    return next((m for m in inside if (m.start, m.end) == span), None)


def _assertion(document: Document, rule: HeadingRule, one: _Heading, other: _Heading) -> Assertion:
    start, end = min(one.start, other.start), max(one.end, other.end)
    subject, obj = one.mention, other.mention
    return Assertion(
        subject.concept,
        rule.predicate,
        obj.concept,
        tier="candidate",
        certainty="probable",
        evidence=(
            Evidence(
                document.id, start, end, document.text[start:end],
                (subject.start, subject.end), (obj.start, obj.end), rule.id,
            ),
        ),
    )  # fmt: skip
