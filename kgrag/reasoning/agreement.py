"""Where several sources say what the answer says: the same assertion, advice, or the same words.

An agreement has a side for each document, the answer's own first, and no two of one source. That
documents agree does not make them independent: ``publishers`` counts those that are known to
differ. Sources that disagree are told by ``kgrag.reasoning.conflicts``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from kgrag.reasoning.conflicts import comparable, kind_of
from kgrag.reasoning.coverage import content_words, coverage
from kgrag.reasoning.graded import ReadsAdvice, advice_about, grade_at
from kgrag.reasoning.paths import cite
from kgrag.reasoning.sides import Concepts, Side, advised
from kgrag.records.answer import Citation, CitedDocument, Statement, to_plain
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document
from kgrag.retrieval.context import may_show
from kgrag.retrieval.seeds import Links, Names
from kgrag.verification.verdict import Verification, verify_statement

Kind = Literal["same_assertion", "same_advice", "same_words"]
_Place = tuple[str, int, int]
Judge = Callable[[str, Sequence[str]], Verification]

LEAST_SHARED: Final = 0.6
"""The least share of the content words of each that the other one has, for the same words."""
LEAST_WORDS: Final = 4
MOST_SIDES: Final = 5
_MOST_CONCEPTS: Final = 6


class Quotable(Protocol):
    """A piece that may be quoted: ``kgrag.retrieval.context.Citable``."""

    @property
    def document_id(self) -> str: ...
    @property
    def passage_id(self) -> str: ...
    @property
    def section(self) -> tuple[str, ...]: ...
    @property
    def page(self) -> int | None: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Other:
    """Another document's word for the same, and in what it is the same."""

    kind: Kind
    citation: Citation


def agreements(
    statements: Sequence[Statement],
    pieces: Iterable[Quotable],
    truth: ReadsAdvice,
    names: Names,
    *,
    linker: Links | None = None,
    judge: Judge = verify_statement,
) -> tuple[Mapping[str, Any], ...]:
    """One agreement for each quoting statement that another source supports, in their order; one
    for those that support each other.

    ``pieces`` are what else could have been quoted; the graph's assertions and recommendations are
    read through ``truth``, which is to be the ``Scope`` of the question. ``linker`` finds the
    concepts of a statement of which no assertion is known. Each has ``statement`` (its index),
    ``kinds``, ``publishers`` and ``sides`` (at most ``MOST_SIDES``): each side has ``kind`` (None
    for the statement's own), ``citation``, ``date``, ``publisher`` and ``grade``.
    """
    offered = list(pieces)
    words = [frozenset(content_words(piece.text)) for piece in offered]
    found: list[Mapping[str, Any]] = []
    known: list[list[_Place]] = []
    for number, statement in enumerate(statements):
        if statement.kind != "quote" or not statement.citations:
            continue
        concepts = _concepts(statement, truth, linker)
        advice = advice_about(concepts, truth)
        others = [
            *_asserting(statement, truth),
            *_advising(statement, advice, truth, Concepts(names)),
            *_saying(statement, offered, words, truth, judge),
        ]
        sides = _different(statement.citations[0], others, truth)
        places = [_place(c) for c in (statement.citations[0], *(s.citation for s in sides))]
        # Two statements that agree with each other are one agreement.
        told = any(all(any(map(_shared, [p] * len(t), t)) for p in places) for t in known)
        if sides and not told:
            known.append(places)
            found.append(_record(number, statement, sides, advice))
    return tuple(found)


def _place(citation: Citation) -> _Place:
    return citation.document.id, citation.start, citation.end


def _shared(one: _Place, other: _Place) -> bool:
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]


def _concepts(statement: Statement, truth: ReadsAdvice, linker: Links | None) -> list[str]:
    told = list(truth.assertions(list(statement.assertions))) if statement.assertions else []
    concepts = [c for a in told for c in (a.subject, a.object)]
    if linker is not None:
        concepts += [m.concept for m in linker.link(statement.citations[0].quote)]
    return list(dict.fromkeys(concepts))[:_MOST_CONCEPTS]


def _asserting(statement: Statement, truth: ReadsAdvice) -> Iterator[_Other]:
    """Other documents' evidence for the assertions that the quotation states."""
    if not statement.assertions:
        return
    for assertion in truth.assertions(list(statement.assertions)):
        if assertion.tier != "asserted":
            continue
        for piece in assertion.evidence:
            if may_show(truth.document(piece.document_id), piece.start, piece.end):
                yield _Other("same_assertion", cite(piece, truth))


def _advising(
    statement: Statement, advice: Sequence[Recommendation], truth: ReadsAdvice, concepts: Concepts
) -> Iterator[_Other]:
    """Recommendations of the same action for the same condition, to the same people at least."""
    own = statement.citations[0]
    mine = [a for a in advice if a.document_id == own.document.id and _meets(a, own)]
    if not mine:
        return
    told = [side for a in mine for side in advised(a, truth, concepts)]
    # What cannot agree is told by its record alone: reading hundreds of documents costs seconds.
    aims, stances = {side.object for side in told}, {side.stance for side in told}
    for other in advice:
        if other.document_id == own.document.id:
            continue
        if other.direction not in stances or not aims.intersection(other.conditions):
            continue
        if not any(_about(side.subject, other, concepts) for side in told):
            continue
        sides = list(advised(other, truth, concepts))
        if not any(_agree(one, side, concepts) for one in told for side in sides):
            continue
        if may_show(truth.document(other.document_id), other.start, other.end):
            yield _Other("same_advice", cite(sides[0].evidence, truth))


def _about(subject: str, advice: Recommendation, concepts: Concepts) -> bool:
    named = advice.interventions or ("",)
    return any(concepts.kin(subject, other) for other in named)


def _meets(advice: Recommendation, citation: Citation) -> bool:
    return advice.start < citation.end and citation.start < advice.end


def _agree(one: Side, other: Side, concepts: Concepts) -> bool:
    """Both advise the same, alike, and to people of whom some are the same."""
    return (
        one.object == other.object
        and one.stance == other.stance
        and concepts.kin(one.subject, other.subject)
        and comparable(one, other)
        and not one.population.apart(other.population)
        and kind_of(one, other) is None
    )


def _saying(
    statement: Statement,
    pieces: Sequence[Quotable],
    words: Sequence[frozenset[str]],
    truth: ReadsAdvice,
    judge: Judge,
) -> Iterator[_Other]:
    """Pieces of other documents in nearly the same words that no check holds against it."""
    own = statement.citations[0]
    mine = frozenset(content_words(own.quote))
    if len(mine) < LEAST_WORDS:
        return
    for piece, theirs in zip(pieces, words, strict=True):
        if piece.document_id == own.document.id or len(theirs) < LEAST_WORDS:
            continue
        if min(coverage(mine, theirs), coverage(theirs, mine)) < LEAST_SHARED:
            continue
        both = (judge(own.quote, [piece.text]), judge(piece.text, [own.quote]))
        if any(v.verdict == "contradicted" for v in both) or any(map(_slot_failed, both)):
            continue
        document = truth.document(piece.document_id)
        yield _Other(
            "same_words",
            Citation(
                CitedDocument.of(document), piece.passage_id, piece.section, piece.page,
                piece.start, piece.end, piece.text,
            ),
        )  # fmt: skip


def _slot_failed(verification: Verification) -> bool:
    # That one says a word more is no conflict; an amount or a condition of its own is.
    return any(
        c.result == "fail" and c.layer not in ("coverage", "entities", "span")
        for c in verification.checks
    )


def _different(
    own: Citation, others: Sequence[_Other], truth: ReadsAdvice
) -> list[_Other]:  # fmt: skip
    """The first of each source beside the answer's own; a text that is kept twice counts once."""
    home = truth.document(own.document.id)
    sources = {home.source}
    texts = {home.original_sha256}
    kept: list[_Other] = []
    for other in others:
        document: Document = truth.document(other.citation.document.id)
        if document.source in sources or document.original_sha256 in texts:
            continue
        sources.add(document.source)
        texts.add(document.original_sha256)
        kept.append(other)
    return kept[: MOST_SIDES - 1]


def _record(
    number: int, statement: Statement, others: Sequence[_Other], advice: Sequence[Recommendation]
) -> dict[str, Any]:
    own = _side(None, statement.citations[0], advice)
    sides = [own, *(_side(other.kind, other.citation, advice) for other in others)]
    publishers = {side["publisher"] for side in sides if side["publisher"]}
    return {
        "statement": number,
        "kinds": sorted({other.kind for other in others}),
        "publishers": len(publishers),
        "sides": sides,
    }


def _side(
    kind: Kind | None, citation: Citation, advice: Sequence[Recommendation]
) -> dict[str, Any]:  # fmt: skip
    return {
        "kind": kind,
        "citation": to_plain(citation),
        "date": citation.document.date,
        "publisher": citation.document.publisher,
        "grade": grade_at(citation.document.id, citation.start, citation.end, advice),
    }
