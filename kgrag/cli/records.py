"""What ``kgrag show`` knows of a concept, an assertion or a recommendation, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from kgrag.engine import Engine
from kgrag.errors import NotFound
from kgrag.reasoning.belief import belief
from kgrag.records.answer import to_plain
from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Concept
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document
from kgrag.stores.rdf.names import concept_iri
from kgrag.stores.rdf.places import Layouts
from kgrag.vocabulary.relations import relations

# Passages beyond which the mentions of a concept are not counted one by one.
_COUNTED: Final = 2000


class Records:
    """Records of one open kb. Made for one command: documents looked up are kept."""

    def __init__(self, engine: Engine, layouts: Layouts) -> None:
        self._engine, self._truth, self._layouts = engine, engine.truth, layouts
        self._lexicon = engine.lexicon

    def concept(self, curie: str) -> dict[str, Any]:
        """Names, vocabulary, kin, mentions, assertions both ways and recommendations.

        NotFound when neither the lexicon nor the kb knows the CURIE.
        """
        found = self._look_up(curie)
        ids = dict.fromkeys((curie, found.curie if found else curie))
        assertions = {a.id: a for name in ids for a in self._truth.assertions(concept=name)}
        advice = {r.id: r for name in ids for r in self._truth.recommendations(concept=name)}
        mentions = self._mentions(list(ids))
        if found is None:
            if not assertions and not advice and not mentions["passages"]:
                raise NotFound("concept", curie)
            found = Concept(curie, curie, "other")
        ordered = sorted(
            assertions.values(), key=lambda a: (a.predicate, a.negated, -len(a.evidence), a.id)
        )
        return {
            **to_plain(found),
            "asked_for": curie,
            "vocabulary": self._vocabulary(found.curie),
            "parents": [self._named(c) for c in found.parents],
            "same_as": list(found.same_as),
            "mentions": mentions,
            "as_subject": [self.of_assertion(a) for a in ordered if a.subject in ids],
            "as_object": [self.of_assertion(a) for a in ordered if a.object in ids],
            "recommendations": [self.of_recommendation(r) for r in advice.values()],
        }

    def _look_up(self, curie: str) -> Concept | None:
        prefix, _, local = curie.partition(":")
        for name in (curie, f"{prefix.upper()}:{local}"):
            if name in self._lexicon:
                return self._lexicon.concept(name)
        return None

    def _named(self, curie: str) -> dict[str, str]:
        return {"curie": curie, "name": self._engine.name_of(curie)}

    def _vocabulary(self, curie: str) -> dict[str, Any]:
        prefix = curie.partition(":")[0]
        keys = ("id", "name", "version", "licence")
        registered = [
            {key: entry.get(key) for key in keys}
            for entry in self._lexicon.registry
            if str(entry.get("id", "")).startswith(prefix.lower())
        ]
        return {"prefix": prefix, "iri": concept_iri(curie), "registered": registered}

    def _mentions(self, curies: list[str]) -> dict[str, int | None]:
        """Passages that mention any of the concepts; documents and mentions unless there are very
        many passages (then None)."""
        passages = {p for p, _ in self._truth.passages_with_concepts(curies, limit=1_000_000)}
        if len(passages) > _COUNTED:
            return {"passages": len(passages), "documents": None, "mentions": None}
        held = self._truth.passages_by_id(sorted(passages))
        documents = {passage.document_id for passage, _ in held.values()}
        counted = Counter(m.concept for d in documents for m in self._truth.mentions(d))
        total = sum(counted[c] for c in curies)
        return {"passages": len(passages), "documents": len(documents), "mentions": total}

    def assertion(self, assertion_id: str) -> dict[str, Any]:
        """An assertion with every piece of evidence, also one that only older versions state."""
        for current in (True, False):
            for found in self._truth.assertions([assertion_id], current=current):
                return {**self.of_assertion(found), "current": current}
        raise NotFound("assertion", assertion_id)

    def of_assertion(self, a: Assertion) -> dict[str, Any]:
        """The assertion with names, and the place of each piece of its evidence."""
        relation = relations().get(a.predicate)
        return {
            "id": a.id,
            "subject": a.subject,
            "subject_name": self._engine.name_of(a.subject),
            "predicate": a.predicate,
            "label": relation.label if relation else a.predicate.replace("_", " "),
            "inverse": relation.inverse if relation else a.predicate.replace("_", " "),
            "object": a.object,
            "object_name": self._engine.name_of(a.object),
            "negated": a.negated,
            "qualifiers": dict(a.qualifiers),
            "tier": a.tier,
            "certainty": a.certainty,
            "belief": self._belief(a),
            "evidence": [
                {
                    **self._citation(e.document_id, e.start, e.end, e.quote),
                    "subject_span": list(e.subject_span),
                    "object_span": list(e.object_span),
                    "rule": e.rule,
                }
                for e in a.evidence
            ],
        }

    def _belief(self, a: Assertion) -> float:
        origins = {e.document_id: self._layouts.of(e.document_id).origin for e in a.evidence}
        return round(belief(a, origins=origins), 4)

    def recommendation(self, recommendation_id: str) -> dict[str, Any]:
        """A recommendation, also one that is no longer current."""
        for current in (True, False):
            for found in self._truth.recommendations([recommendation_id], current=current):
                return {**self.of_recommendation(found), "current": current}
        raise NotFound("recommendation", recommendation_id)

    def of_recommendation(self, r: Recommendation) -> dict[str, Any]:
        """The recommendation with its place, names and the characters of its spans."""
        document = self._truth.document(r.document_id)
        spans = {"action": r.action, "population": r.population, "lead": r.lead}
        return {
            **to_plain(r),
            "id": r.id,
            **self._citation(r.document_id, r.start, r.end, r.quote),
            **{name: _span(document, span) for name, span in spans.items()},
            "exceptions": [_span(document, span) for span in r.exceptions],
            "interventions": [self._named(c) for c in r.interventions],
            "conditions": [self._named(c) for c in r.conditions],
        }

    def _citation(self, document_id: str, start: int, end: int, quote: str) -> dict[str, Any]:
        layout = self._layouts.of(document_id)
        status = self._truth.info(document_id).status
        return {
            "document": {**to_plain(layout.cited), "status": status},
            "passage_id": layout.passage(start),
            "section": list(layout.section(start)),
            "page": layout.page(start),
            "start": start,
            "end": end,
            "quote": quote,
        }

    def passage(self, passage_id: str) -> dict[str, Any]:
        """A passage with its place, and the concepts, assertions and advice found in it."""
        held = self._truth.passages_by_id([passage_id])
        if passage_id not in held:
            raise NotFound("passage", passage_id)
        passage, text = held[passage_id]
        home = passage.document_id
        mentions = [m for m in self._truth.mentions(home) if passage.start <= m.start < passage.end]
        stated = self._truth.assertions(document_id=home, current=False)
        inside = [
            a.id
            for a in stated
            if any(e.document_id == home and passage.start <= e.start < passage.end
                   for e in a.evidence)
        ]  # fmt: skip
        advice = self._truth.recommendations(document_id=home, current=False)
        return {
            "id": passage_id,
            **self._citation(home, passage.start, passage.end, text),
            "concepts": [self._named(c) for c in dict.fromkeys(m.concept for m in mentions)],
            "assertions": inside,
            "recommendations": [r.id for r in advice if passage.start <= r.start < passage.end],
        }

    def document(self, document_id: str) -> dict[str, Any]:
        """A document version with its whole stored text and what was found in it."""
        record = self._engine.document(document_id)
        stated = list(self._truth.assertions(document_id=document_id, current=False))
        advice = self._truth.recommendations(document_id=document_id, current=False)
        return {
            **record,
            "found": {
                "passages": len(self._truth.passages(document_id)),
                "mentions": len(self._truth.mentions(document_id)),
                "assertions": [a.id for a in stated],
                "recommendations": [r.id for r in advice],
                "rejects": len(self._truth.rejects(document_id)),
            },
        }


def _span(document: Document, span: tuple[int, int] | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {"start": span[0], "end": span[1], "text": document.text[slice(*span)]}


def by_predicate(
    assertions: Iterable[Mapping[str, Any]], key: str
) -> dict[str, list[Mapping[str, Any]]]:
    """Assertions by their predicate's words (``label`` or ``inverse``), denied ones apart."""
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for a in assertions:
        words = f"{a[key]} (denied)" if a["negated"] else a[key]
        grouped.setdefault(words, []).append(a)
    return grouped
