"""Records as RDF: the one place that says how an assertion or a recommendation is written.

What belongs together is a *block*: a named graph and its statements. No statement stands in two
blocks, so that a query over all graphs sees each once. A direct edge between two concepts that an
assertion speaks of is never written, because a denied assertion would read as its opposite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kgrag.records.concepts import ConceptType
from kgrag.records.recommendations import Grade
from kgrag.stores.base import DocumentInfo
from kgrag.stores.rdf import names as n
from kgrag.stores.rdf.material import (
    Material,
    Place,
    ToldAssertion,
    ToldConcept,
    ToldDocument,
    ToldPassage,
    ToldRecommendation,
    ToldSpan,
)
from kgrag.vocabulary.relations import Relation, relations

Statement = tuple[str, str, str]

# The Biolink class of each type of concept; what is not here is a named thing.
CATEGORIES: Final[Mapping[ConceptType, str]] = {
    "disease": "Disease",
    "phenotype": "PhenotypicFeature",
    "drug": "Drug",
    "chemical": "ChemicalEntity",
    "procedure": "Procedure",
    "analyte": "ClinicalAttribute",
    "anatomy": "AnatomicalEntity",
}
MATCHES: Final = {"exact": "exactMatch", "close": "closeMatch", "broad": "broadMatch"}

_A: Final = f"<{n.RDF}type>"
_LABEL: Final = f"<{n.RDFS}label>"
_COMMENT: Final = f"<{n.RDFS}comment>"
_DERIVED: Final = f"<{n.PROV}wasDerivedFrom>"


@dataclass(frozen=True, slots=True)
class Block:
    """Statements of one named graph, of the default graph when ``graph`` is None.

    The subject of the first statement is what the block is about.
    """

    graph: str | None
    statements: tuple[Statement, ...]


def category(kind: ConceptType | None) -> str:
    """The name of the Biolink class of a type of concept."""
    return "NamedThing" if kind is None else CATEGORIES.get(kind, "NamedThing")


def blocks(material: Material) -> Iterator[Block]:
    """All that ``material`` tells, in its order, and the predicates last."""
    for assertion in material.assertions():
        yield assertion_block(assertion)
    for document in material.documents():
        yield from document_blocks(document)
    for concept in material.concepts():
        yield concept_block(concept)
    for relation in relations().values():
        yield relation_block(relation)


def assertion_block(told: ToldAssertion) -> Block:
    """The assertion with its evidence, in a graph of its own name."""
    a = told.assertion
    me = n.kept(told.id)
    out: list[Statement] = [
        (me, _A, n.term("Assertion")),
        (me, n.term("subject"), n.concept(a.subject)),
        (me, n.term("predicate"), n.relation(a.predicate)),
        (me, n.term("object"), n.concept(a.object)),
        (me, n.term("negated"), n.truth_value(a.negated)),
        (me, n.term("tier"), n.text(a.tier)),
        (me, n.term("certainty"), n.text(a.certainty)),
        (me, n.term("belief"), n.decimal(told.belief)),
    ]
    out += [(me, n.qualifier(name), n.text(value)) for name, value in a.qualifiers]
    documents = dict.fromkeys(piece.document_id for piece in a.evidence)
    out += [(me, _DERIVED, n.kept(document)) for document in documents]
    for at, (piece, place) in enumerate(told.evidence, 1):
        here = n.kept(told.id, f"e{at}")
        out += [
            (me, n.term("evidence"), here),
            (here, _A, n.term("Evidence")),
            *_standing(here, piece.document_id, piece.start, piece.end, place),
            (here, n.term("quote"), n.text(piece.quote)),
        ]
        if piece.rule:
            out.append((here, n.term("rule"), n.text(piece.rule)))
        for role, (start, end), curie in (
            ("subject", piece.subject_span, a.subject),
            ("object", piece.object_span, a.object),
        ):
            mention = n.kept(told.id, f"e{at}-{role}")
            out += [
                (here, n.term(f"{role}Mention"), mention),
                (mention, _A, n.term("Mention")),
                (mention, n.term("start"), n.number(start)),
                (mention, n.term("end"), n.number(end)),
                (mention, n.term("concept"), n.concept(curie)),
            ]
    return Block(me, tuple(out))


def document_blocks(told: ToldDocument) -> Iterator[Block]:
    """The document with its passages, then its recommendations, each in a graph of its own."""
    yield Block(n.kept(told.info.id), tuple(_document(told.info, told.passages)))
    for recommendation in told.recommendations:
        yield recommendation_block(recommendation)


def _document(info: DocumentInfo, passages: tuple[ToldPassage, ...]) -> Iterator[Statement]:
    me, m = n.kept(info.id), info.metadata
    yield me, _A, n.term("Document")
    yield me, f"<{n.DCT}title>", n.text(info.title)
    yield me, n.term("uri"), n.text(info.uri)
    yield me, n.term("collection"), n.text(info.source.collection)
    yield me, n.term("source"), n.text(info.source.identifier)
    yield me, n.term("characters"), n.number(info.chars)
    yield me, n.term("status"), n.text(info.status)
    for prop, value in (
        (f"<{n.DCT}publisher>", m.publisher),
        (f"<{n.SCHEMA}version>", m.version),
        (f"<{n.DCT}license>", m.licence),
        (f"<{n.DCT}language>", m.language),
        (n.term("retracted"), m.retracted),
    ):
        if value:
            yield me, prop, n.text(value)
    if m.date:
        yield me, f"<{n.DCT}issued>", n.day(m.date)
    for name, value in dict.fromkeys(m.identifiers):
        yield me, f"<{n.DCT}identifier>", n.text(f"{name}:{value}")
    for passage in passages:
        here = n.kept(passage.id)
        yield here, _A, n.term("Passage")
        yield from _standing(here, info.id, passage.start, passage.end, passage)


def recommendation_block(told: ToldRecommendation) -> Block:
    """The recommendation with its grades and spans, in a graph of its own name."""
    r = told.recommendation
    me = n.kept(told.id)
    out: list[Statement] = [
        (me, _A, n.term("Recommendation")),
        *_standing(me, r.document_id, r.start, r.end, told.place),
        (me, n.term("quote"), n.text(r.quote)),
        (me, n.term("direction"), n.text(r.direction)),
        (me, _DERIVED, n.kept(r.document_id)),
    ]
    spans = [("action", told.action), ("population", told.population), ("lead", told.lead)]
    for role, span in spans:
        if span is not None:
            out += _span(me, role, n.kept(told.id, role), span)
    for at, span in enumerate(told.exceptions, 1):
        out += _span(me, "exception", n.kept(told.id, f"exception{at}"), span)
    for role, grade in (("strength", r.strength), ("certaintyOfEvidence", r.certainty)):
        if grade is not None:
            out += _grade(me, role, n.kept(told.id, role), grade)
    out += [(me, n.term("intervention"), n.concept(c)) for c in dict.fromkeys(r.interventions)]
    out += [(me, n.term("condition"), n.concept(c)) for c in dict.fromkeys(r.conditions)]
    for prop, value in (
        ("sex", r.sex and n.text(r.sex)),
        ("minimumAge", None if r.min_age is None else n.decimal(r.min_age)),
        ("maximumAge", None if r.max_age is None else n.decimal(r.max_age)),
        ("issuer", r.issuer and n.text(r.issuer)),
        ("effective", r.effective and n.day(r.effective)),
        ("rule", r.rule and n.text(r.rule)),
    ):
        if value:
            out.append((me, n.term(prop), value))
    out += [(me, n.term("supersedes"), n.text(s)) for s in dict.fromkeys(r.supersedes)]
    return Block(me, tuple(out))


def _standing(
    me: str, document_id: str, start: int, end: int, place: Place | ToldPassage
) -> Iterator[Statement]:
    yield me, n.term("document"), n.kept(document_id)
    yield me, n.term("start"), n.number(start)
    yield me, n.term("end"), n.number(end)
    if isinstance(place, Place) and place.passage is not None:
        yield me, n.term("passage"), n.kept(place.passage)
    if place.page is not None:
        yield me, n.term("page"), n.number(place.page)
    if place.section:
        yield me, n.term("section"), n.text(" › ".join(place.section))


def _span(me: str, role: str, here: str, span: ToldSpan) -> list[Statement]:
    return [
        (me, n.term(role), here),
        (here, _A, n.term("Span")),
        (here, n.term("start"), n.number(span.start)),
        (here, n.term("end"), n.number(span.end)),
        (here, n.term("quote"), n.text(span.text)),
    ]


def _grade(me: str, role: str, here: str, grade: Grade) -> list[Statement]:
    out = [
        (me, n.term(role), here),
        (here, _A, n.term("Grade")),
        (here, n.term("system"), n.text(grade.system)),
        (here, n.term("raw"), n.text(grade.raw)),
        (here, n.term("start"), n.number(grade.span[0])),
        (here, n.term("end"), n.number(grade.span[1])),
        (here, n.term("inherited"), n.truth_value(grade.inherited)),
    ]
    if grade.normalised is not None:
        out.append((here, n.term("normalised"), n.text(grade.normalised)))
    return out


def concept_block(told: ToldConcept) -> Block:
    """The concept as the vocabulary has it, in the default graph."""
    me, found = n.concept(told.curie), told.concept
    out: list[Statement] = [
        (me, _A, n.term("Concept")),
        (me, _A, f"<{n.SKOS}Concept>"),
        (me, _A, f"<{n.BIOLINK}{category(found.type if found else None)}>"),
        (me, f"<{n.SKOS}notation>", n.text(told.curie)),
        (me, f"<{n.SKOS}prefLabel>", n.text(found.name if found else told.curie)),
    ]
    if found is not None:
        out.append((me, n.term("conceptType"), n.text(found.type)))
        if found.curie != told.curie:
            out.append((me, f"<{n.DCT}isReplacedBy>", n.concept(found.curie)))
        other_names = dict.fromkeys(s for s in found.synonyms if s != found.name)
        out += [(me, f"<{n.SKOS}altLabel>", n.text(s)) for s in other_names]
        others = dict.fromkeys(c for c in found.same_as if c != told.curie)
        out += [(me, f"<{n.SKOS}exactMatch>", n.concept(c)) for c in others]
        parents = dict.fromkeys(p for p in found.parents if p != told.curie)
        out += [(me, f"<{n.SKOS}broader>", n.concept(p)) for p in parents]
    return Block(None, tuple(out))


def relation_block(relation: Relation) -> Block:
    """The predicate with its words and its nearest term of Biolink, in the default graph."""
    me = n.relation(relation.name)
    out: list[Statement] = [
        (me, _A, n.term("Predicate")),
        (me, _LABEL, n.text(relation.label)),
        (me, n.term("inverseLabel"), n.text(relation.inverse)),
        (me, _COMMENT, n.text(relation.definition)),
        (me, n.term("symmetric"), n.truth_value(relation.symmetric)),
    ]
    if relation.biolink is not None and relation.match is not None:
        biolink = f"<{n.BIOLINK}{relation.biolink.partition(':')[2]}>"
        out.append((me, f"<{n.SKOS}{MATCHES[relation.match]}>", biolink))
    return Block(None, tuple(out))
