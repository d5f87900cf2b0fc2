"""Passages for a patient whose condition is not named: from findings to conditions to documents.

A report of a patient is asked anew in what was found alone. What those words bring up, and what the
annotations of the lexicon say of the findings, make hypotheses: conditions that documents are
about. Their documents come first. A hypothesis orders passages and is never said in an answer.

Silent on questions that report no patient (``Findings.is_patient``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder
from kgrag.records.concepts import Concept, ConceptType
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.concepts import concepts_of
from kgrag.retrieval.fusion import fuse, standard
from kgrag.retrieval.hypotheses_annotations import Annotations, Shared
from kgrag.retrieval.hypotheses_findings import Findings, read_findings
from kgrag.retrieval.hypotheses_topics import Topics
from kgrag.retrieval.terms import question_terms
from kgrag.stores.base import Filters, IndexHit, VectorIndex

if TYPE_CHECKING:
    from collections.abc import Callable

    from kgrag.engine import Engine
    from kgrag.reasoning.supersession import Past
    from kgrag.retrieval.concepts_index import ConceptIndex

# All chosen on the development cases of simulated patients; see ``bench/RESULTS.md``.
_DEPTH: Final = 100  # passages that each of words and meaning brings up for the findings
_ANNOTATED: Final = 1.0  # what a standard score of the annotations counts beside those passages
_NAMED: Final = 1.0  # and of how near the name of the condition is to the findings in meaning
_WEIGHED: Final = 100  # conditions whose names are looked at
_MOST: Final = 10  # hypotheses whose documents are brought up
_FIRST: Final = 0.9  # of the weight of its first topic: a document is about the hypothesis
_PER_DOCUMENT: Final = 2  # passages of a document of a hypothesis, those that the findings found


class Names(Protocol):
    """What knows concepts: the ``Lexicon``."""

    def concept(self, curie: str) -> Concept: ...
    def __contains__(self, curie: object) -> bool: ...


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A condition that passages are looked for by, and what speaks for it.

    ``score`` has no unit. ``shared`` are the findings that its annotations share; ``documents``
    those about it that the findings' own words brought up, best first, with a score each.
    """

    concept: str
    name: str
    score: float
    shared: tuple[Shared, ...]
    documents: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the findings brought up: passages joined, and by document the best of its passages."""

    vector: NDArray[np.float32]
    passages: Mapping[str, float]
    owner: Mapping[str, str]
    documents: Mapping[str, float]
    floor: float


class Hypotheses:
    """Passages of documents about the conditions that the findings suggest. A ``Source``."""

    name = "hypotheses"

    def __init__(
        self,
        index: VectorIndex,
        encoder: Encoder,
        concepts: Callable[[], ConceptIndex],
        names: Names,
        annotations: Annotations | None,
    ) -> None:
        self._index, self._encoder, self._concepts = index, encoder, concepts
        self._names, self._annotations = names, annotations
        self._made: Topics | None = None
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def find(self, asked: Asked, *, limit: int, filters: Filters) -> Sequence[IndexHit]:
        """See ``Source``: those of hypotheses and those that the findings found otherwise."""
        findings = read_findings(asked.text, asked.mentions)
        if not findings.is_patient:
            return ()
        found = self._find(findings, filters)
        scores = dict(found.passages)
        owner = dict(found.owner)
        topics = self._topics()
        ranked = self._ranked(asked, findings, found, topics, filters)
        raised = self._raised(ranked, topics, filters)
        for document, score in raised.items():
            of_it = [p for p, d in found.owner.items() if d == document]
            for passage in sorted(of_it, key=lambda p: (-scores[p], p))[:_PER_DOCUMENT]:
                scores[passage] += score
        for document, passage in self._others(raised, found, ranked, topics).items():
            scores[passage] = found.floor + raised[document]
            owner[passage] = document
        ordered = sorted(scores, key=lambda p: (-scores[p], p))[:limit]
        return [IndexHit(p, owner[p], scores[p]) for p in ordered]

    def explain(
        self, asked: Asked, *, limit: int = _MOST, filters: Filters | None = None
    ) -> tuple[Hypothesis, ...]:
        """The first hypotheses with what speaks for them; none where the source is silent."""
        findings = read_findings(asked.text, asked.mentions)
        if not findings.is_patient:
            return ()
        scope = filters or Filters()
        found, topics = self._find(findings, scope), self._topics()
        documents = topics.index.arrays.documents
        made: list[Hypothesis] = []
        for place, score in self._ranked(asked, findings, found, topics, scope)[:limit]:
            curie = topics.conditions[place]
            about = [documents[d].decode() for d in topics.document[topics.condition == place]]
            nearest = sorted((-found.documents[d], d) for d in about if d in found.documents)
            shared = self._annotations.shared(findings.present, curie) if self._annotations else ()
            made.append(
                Hypothesis(
                    curie, self._name(curie), score, shared, tuple((d, -s) for s, d in nearest[:3])
                )
            )
        return tuple(made)

    def _find(self, findings: Findings, filters: Filters) -> _Found:
        """Passages by the words and the meaning of the findings alone."""
        vector = self._encoder.encode([findings.text])[0]
        lists = {
            "bm25": self._index.sparse(
                question_terms(findings.text), limit=_DEPTH, filters=filters
            ),
            "dense": self._index.dense(vector, limit=_DEPTH, filters=filters),
        }
        passages = dict(fuse(lists, {"bm25": 1.0, "dense": 1.0}))
        owner = {hit.passage_id: hit.document_id for hits in lists.values() for hit in hits}
        documents: dict[str, float] = {}
        for passage, score in passages.items():
            document = owner[passage]
            documents[document] = max(documents.get(document, score), score)
        return _Found(vector, passages, owner, documents, min(passages.values(), default=0.0))

    def _ranked(
        self, asked: Asked, findings: Findings, found: _Found, topics: Topics, filters: Filters
    ) -> list[tuple[int, float]]:
        """Conditions by number with their scores, best first; those that the text names are none.

        A condition has the score of the best document about it; one without annotations is in
        them as likely as the mean. The first ``_WEIGHED`` are weighed again by their names.
        """
        if not topics.conditions:
            return []
        by_document = np.full(len(topics.index.arrays.documents), found.floor)
        places = topics.documents(list(found.documents))
        by_document[places[places >= 0]] = np.array(list(found.documents.values()))[places >= 0]
        rows = self._admitted(topics, filters)
        scores = np.full(len(topics.conditions), -np.inf)
        gained = (by_document[topics.document[rows]] - found.floor) * topics.weight[rows]
        np.maximum.at(scores, topics.condition[rows], found.floor + gained)
        scores += _ANNOTATED * self._by_annotations(findings, topics)
        for mention in asked.mentions:
            place = topics.place(mention.concept)
            if place is not None:
                scores[place] = -np.inf
        order = np.lexsort((np.arange(len(scores)), -scores))
        first = [at for at in order[:_WEIGHED].tolist() if np.isfinite(scores[at])]
        named = self._vectors_of([topics.conditions[at] for at in first]) @ found.vector
        weighed = scores[first] + _NAMED * standard(named.astype(np.float64))
        pairs = zip(first, weighed.tolist(), strict=True)
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def _vectors_of(self, curies: Sequence[str]) -> NDArray[np.float32]:
        """Shape (conditions, dimensions): of their names; kept, since few are ever looked at."""
        new = [curie for curie in curies if curie not in self._vectors]
        if new:
            made = self._encoder.encode([self._name(curie) for curie in new])
            self._vectors.update(zip(new, made, strict=True))
        if not curies:
            return np.zeros((0, self._encoder.dimensions), dtype=np.float32)
        return np.stack([self._vectors[curie] for curie in curies])

    def _name(self, curie: str) -> str:
        return self._names.concept(curie).name if curie in self._names else curie

    def _by_annotations(self, findings: Findings, topics: Topics) -> NDArray[np.float64]:
        """Shape (conditions,): standard scores over the annotated ones, 0 for the others."""
        made = np.zeros(len(topics.conditions))
        if self._annotations is None:
            return made
        places = [topics.place(curie) for curie in self._annotations.diseases]
        known = np.array([p is not None for p in places], dtype=np.bool_)
        if known.any():
            at = np.array([p for p in places if p is not None])
            made[at] = standard(self._annotations.scores(findings.present)[known])
        return made

    def _raised(
        self, ranked: Sequence[tuple[int, float]], topics: Topics, filters: Filters
    ) -> dict[str, float]:
        """Documents about the first hypotheses, with what that adds to their passages."""
        best = dict(ranked[:_MOST])
        documents = topics.index.arrays.documents
        raised: dict[str, float] = {}
        rows = self._admitted(topics, filters) & (topics.weight >= _FIRST)
        rows &= np.isin(topics.condition, np.array(list(best), dtype=np.int64))
        for row in np.flatnonzero(rows).tolist():
            score = best[int(topics.condition[row])]
            name = documents[topics.document[row]].decode()
            raised[name] = max(raised.get(name, score), score)
        return raised

    def _others(
        self,
        raised: Mapping[str, float],
        found: _Found,
        ranked: Sequence[tuple[int, float]],
        topics: Topics,
    ) -> dict[str, str]:
        """A passage of each raised document that the findings did not bring up.

        The one that mentions a hypothesis most often.
        """
        index = topics.index
        chosen: dict[str, tuple[int, str]] = {}
        for place, _ in ranked[:_MOST]:
            number = index.concept_number(topics.conditions[place])
            for row in () if number is None else index.rows_with(number).tolist():
                passage = int(index.passage[row])
                document = index.document_name(passage)
                if document in raised and document not in found.documents:
                    offer = (-int(index.arrays.count[row]), index.passage_name(passage))
                    chosen[document] = min(chosen.get(document, offer), offer)
        return {document: passage for document, (_, passage) in chosen.items()}

    @staticmethod
    def _admitted(topics: Topics, filters: Filters) -> NDArray[np.bool_]:
        """Shape (rows,): the rows of documents that the filters let through."""
        passages = topics.index.admitted(filters)
        if passages is None:
            return np.ones(len(topics.document), dtype=np.bool_)
        documents = np.zeros(len(topics.index.arrays.documents), dtype=np.bool_)
        documents[topics.index.arrays.document_of[passages]] = True
        admitted: NDArray[np.bool_] = documents[topics.document]
        return admitted

    def _topics(self) -> Topics:
        index = self._concepts()
        if self._made is None or self._made.index is not index:
            self._made = Topics(index, self._type_of)
        return self._made

    def _type_of(self, curie: str) -> ConceptType | None:
        return self._names.concept(curie).type if curie in self._names else None


def hypotheses_of(engine: Engine | Past, index: VectorIndex) -> Hypotheses:
    """The source over the engine's kb; the annotations are those of its lexicon."""
    concepts = concepts_of(engine)
    return Hypotheses(
        index,
        engine.encoder,
        lambda: concepts.index,
        engine.lexicon,
        Annotations.of(engine.lexicon),
    )
