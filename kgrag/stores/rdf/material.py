"""What an export tells, read from the truth in one pass: the same for every form.

Assertions come first, each with the places of its evidence; then documents with the passages that
evidence stands in and with their recommendations; then the concepts of all these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kgrag.errors import NotFound
from kgrag.progress import SILENT, Progress
from kgrag.reasoning.belief import belief
from kgrag.records.answer import CitedDocument
from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.concepts import Concept
from kgrag.records.recommendations import Recommendation
from kgrag.stores.base import DocumentInfo, Status, TruthStore
from kgrag.stores.rdf.places import Layouts


class Names(Protocol):
    """What knows concepts: ``kgrag.vocabulary.lexicon.Lexicon``."""

    def concept(self, curie: str) -> Concept: ...
    def __contains__(self, curie: object) -> bool: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where a quotation stands, and the document as it is cited, with its identifiers."""

    document: CitedDocument
    identifiers: tuple[tuple[str, str], ...]
    passage: str | None
    section: tuple[str, ...]
    page: int | None


@dataclass(frozen=True, slots=True)
class ToldAssertion:
    """An assertion with the evidence that counts here, and the place of each piece of it.

    ``belief`` is in [0, 1), from that evidence alone (``kgrag.reasoning.belief``).
    """

    id: str
    assertion: Assertion
    places: tuple[Place, ...]
    belief: float

    @property
    def evidence(self) -> Iterator[tuple[Evidence, Place]]:
        """Each piece with its place."""
        return zip(self.assertion.evidence, self.places, strict=True)


@dataclass(frozen=True, slots=True)
class ToldSpan:
    """Characters of stored text that a recommendation refers to."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class ToldRecommendation:
    """A recommendation with its place and the characters of the spans that it names."""

    id: str
    recommendation: Recommendation
    place: Place
    action: ToldSpan
    population: ToldSpan | None
    lead: ToldSpan | None
    exceptions: tuple[ToldSpan, ...]


@dataclass(frozen=True, slots=True)
class ToldPassage:
    """A passage that holds evidence or a recommendation."""

    id: str
    start: int
    end: int
    section: tuple[str, ...]
    page: int | None


@dataclass(frozen=True, slots=True)
class ToldDocument:
    """A document, with those of its passages that something told stands in."""

    info: DocumentInfo
    passages: tuple[ToldPassage, ...]
    recommendations: tuple[ToldRecommendation, ...]


@dataclass(frozen=True, slots=True)
class ToldConcept:
    """A concept that something told names, or one above such a concept (``used`` is false).

    ``concept`` is what today's lexicon has under ``curie``, maybe under another id that replaced
    it; None when it has nothing.
    """

    curie: str
    concept: Concept | None
    used: bool


class Material:
    """Reads one truth: what its current documents say, or with ``as_of`` what those in force then.

    ``collection`` restricts it to the documents of one collection and their evidence.
    The three parts are iterated in their order, once: each remembers ids for the next (memory
    grows with the concepts and passages told of, not with their text).
    """

    def __init__(
        self,
        truth: TruthStore,
        names: Names | None,
        layouts: Layouts,
        *,
        collection: str | None = None,
        as_of: str | None = None,
        progress: Progress = SILENT,
    ) -> None:
        self._truth, self._names, self._layouts = truth, names, layouts
        self._collection, self._as_of, self._progress = collection, as_of, progress
        self._valid = None if as_of is None else truth.in_force(as_of).documents
        # What was told so far.
        self.counts = {"assertions": 0, "documents": 0, "recommendations": 0, "concepts": 0}
        self._passages: defaultdict[str, set[str]] = defaultdict(set)
        self._concepts: dict[str, None] = {}

    def assertions(self, ids: Sequence[str] | None = None) -> Iterator[ToldAssertion]:
        """In order of id; those of ``ids`` alone when given."""
        total = None if ids is not None else self._truth.counts().get("assertions")
        self._progress.stage("assertions", total, "assertions")
        for found in self._truth.assertions(ids, as_of=self._as_of):
            self._progress.advance()
            told = self._told(found)
            if told is not None:
                self.counts["assertions"] += 1
                yield told

    def _told(self, found: Assertion) -> ToldAssertion | None:
        evidence, places = [], []
        for piece in found.evidence:
            place = self._place(piece.document_id, piece.start)
            if place is not None:
                evidence.append(piece)
                places.append(place)
        if not evidence:
            return None
        for curie in (found.subject, found.object):
            self._concepts[curie] = None
        if len(evidence) < len(found.evidence):
            found = replace(found, evidence=tuple(evidence))
        origins = {e.document_id: self._layouts.of(e.document_id).origin for e in evidence}
        return ToldAssertion(found.id, found, tuple(places), belief(found, origins=origins))

    def _place(self, document_id: str, start: int) -> Place | None:
        try:
            layout = self._layouts.of(document_id)
        except NotFound:  # removed since the listing began
            return None
        if self._collection is not None and layout.collection != self._collection:
            return None
        passage = layout.passage(start)
        if passage is not None:
            self._passages[document_id].add(passage)
        section, page = layout.section(start), layout.page(start)
        return Place(layout.cited, layout.identifiers, passage, section, page)

    def documents(self, ids: Iterable[str] | None = None) -> Iterator[ToldDocument]:
        """In order of id; those of ``ids`` alone when given."""
        status: Status | None = "current" if self._valid is None else None
        infos = (
            self._truth.documents(collection=self._collection, status=status)
            if ids is None
            else (self._truth.info(name) for name in ids)
        )
        total = None if ids is not None else self._truth.counts().get("documents")
        self._progress.stage("documents", total, "documents")
        for info in infos:
            self._progress.advance()
            if self._counts(info):
                recommendations = tuple(self._recommendations(info.id))
                self.counts["documents"] += 1
                self.counts["recommendations"] += len(recommendations)
                yield ToldDocument(info, self._used_passages(info.id), recommendations)

    def _counts(self, info: DocumentInfo) -> bool:
        return info.status == "current" if self._valid is None else info.id in self._valid

    def _used_passages(self, document_id: str) -> tuple[ToldPassage, ...]:
        used = self._passages.pop(document_id, None)
        if not used:
            return ()
        layout = self._layouts.of(document_id)
        return tuple(
            ToldPassage(name, start, end, layout.section(start), layout.page(start))
            for name, start, end in layout.passages
            if name in used
        )

    def _recommendations(self, document_id: str) -> Iterator[ToldRecommendation]:
        text: str | None = None
        found_all = self._truth.recommendations(document_id=document_id, as_of=self._as_of)
        for found in found_all:
            place = self._place(document_id, found.start)
            if place is None:
                continue
            if text is None:
                text = self._truth.document(document_id).text
            for curie in (*found.interventions, *found.conditions):
                self._concepts[curie] = None
            yield ToldRecommendation(
                found.id,
                found,
                place,
                _span(text, found.action),
                found.population and _span(text, found.population),
                found.lead and _span(text, found.lead),
                tuple(_span(text, span) for span in found.exceptions),
            )

    def use(self, curies: Iterable[str]) -> None:
        """Let ``concepts`` tell of these too."""
        self._concepts.update(dict.fromkeys(curies))

    def concepts(self) -> Iterator[ToldConcept]:
        """The concepts used, in order of CURIE, then all that are above them in the vocabulary."""
        above: dict[str, None] = {}
        for curie in sorted(self._concepts):
            told = ToldConcept(curie, self._look_up(curie), used=True)
            above.update(dict.fromkeys(told.concept.parents if told.concept else ()))
            self.counts["concepts"] += 1
            yield told
        told_already = set(self._concepts)
        while waiting := sorted(set(above) - told_already):
            above = {}
            for curie in waiting:
                told_already.add(curie)
                told = ToldConcept(curie, self._look_up(curie), used=False)
                above.update(dict.fromkeys(told.concept.parents if told.concept else ()))
                yield told

    def _look_up(self, curie: str) -> Concept | None:
        if self._names is None or curie not in self._names:
            return None
        return self._names.concept(curie)


def _span(text: str, span: tuple[int, int]) -> ToldSpan:
    return ToldSpan(*span, text[slice(*span)])
