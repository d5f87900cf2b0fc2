"""Passages for a question: BM25 and cosine over the one index, joined, text from the truth."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder
from kgrag.errors import BadQuestion
from kgrag.records.answer import CitedDocument, Hit
from kgrag.retrieval.terms import question_terms
from kgrag.stores.base import Filters, IndexHit, TruthStore, VectorIndex

MAX_QUESTION_CHARS: Final = 4000
# Names of drugs and units bring Greek letters with them.
_SCRIPTS: Final = ("LATIN", "GREEK", "MICRO", "FEMININE", "MASCULINE")


@dataclass(frozen=True, slots=True)
class Fusion:
    """How the two lists are joined: a weighted sum of z-scores over the union of both.

    ``depth`` hits are taken of each list. ``dense_weight`` is in [0, 1], the lexical weight is
    the rest.
    """

    depth: int = 100
    dense_weight: float = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A hit with what each half of the index said of it; None where that half did not list it.

    ``hit.score`` is the joined score, ``bm25`` has no unit, ``cosine`` is in [-1, 1].
    """

    hit: Hit
    bm25: float | None
    cosine: float | None


def check_question(question: str) -> str:
    """The question without outer white space; BadQuestion when it cannot be asked."""
    stripped = question.strip()
    if not any(char.isalnum() for char in stripped):
        raise BadQuestion("the question is empty", hint="ask in words")
    if len(stripped) > MAX_QUESTION_CHARS:
        raise BadQuestion(
            f"the question has {len(stripped):,} characters",
            hint=f"ask in at most {MAX_QUESTION_CHARS:,}",
        )
    letters = [char for char in stripped if char.isalpha()]
    if sum(unicodedata.name(char, "").startswith(_SCRIPTS) for char in letters) * 2 < len(letters):
        raise BadQuestion("the question is in a script that kgrag does not read", hint="in English")
    return stripped


def fuse(
    lexical: Sequence[IndexHit], dense: Sequence[IndexHit], fusion: Fusion
) -> list[tuple[str, float]]:
    """Passage ids of both lists with their joined scores, best first, ties by passage id.

    A passage that one list lacks has that list's lowest score there: it is no better.
    """
    ids = sorted({h.passage_id for h in lexical} | {h.passage_id for h in dense})
    joined = (1 - fusion.dense_weight) * _z_scores(ids, lexical) + fusion.dense_weight * _z_scores(
        ids, dense
    )
    pairs = zip(ids, (float(score) for score in joined), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


class HybridRetriever:
    """Current passages for a question. Reads the truth and the index, changes neither."""

    def __init__(
        self,
        truth: TruthStore,
        index: VectorIndex,
        encoder: Encoder,
        *,
        fusion: Fusion | None = None,
    ) -> None:
        self._truth, self._index, self._encoder = truth, index, encoder
        self._fusion = fusion or Fusion()

    def search(
        self, question: str, *, limit: int = 20, filters: Filters | None = None
    ) -> list[Hit]:
        """The best ``limit`` hits, best first; BadQuestion when it cannot be asked."""
        return [c.hit for c in self.candidates(question, limit=limit, filters=filters)]

    def candidates(
        self, question: str, *, limit: int = 20, filters: Filters | None = None
    ) -> list[Candidate]:
        """The best ``limit`` hits with the scores of both halves, best first.

        Only passages of documents that are current in the truth, even where the index is behind.
        """
        asked = check_question(question)
        vector: NDArray[np.float32] = self._encoder.encode([asked])[0]
        scope = filters or Filters()
        depth = max(self._fusion.depth, limit)
        lexical = self._index.sparse(question_terms(asked), limit=depth, filters=scope)
        dense = self._index.dense(vector, limit=depth, filters=scope)
        bm25 = {h.passage_id: h.score for h in lexical}
        cosine = {h.passage_id: h.score for h in dense}
        ranked = fuse(lexical, dense, self._fusion)
        return [
            Candidate(hit, bm25.get(hit.passage_id), cosine.get(hit.passage_id))
            for hit in self._hits(ranked, limit, scope)
        ]

    def _hits(self, ranked: Sequence[tuple[str, float]], limit: int, scope: Filters) -> list[Hit]:
        hits: list[Hit] = []
        documents: dict[str, CitedDocument | None] = {}
        for at in range(0, len(ranked), max(limit, 1)):
            if len(hits) >= limit:
                break
            some = ranked[at : at + limit]
            found = self._truth.passages_by_id([identifier for identifier, _ in some])
            for identifier, score in some:
                if identifier not in found:
                    continue
                passage, text = found[identifier]
                document = self._current(passage.document_id, documents, scope)
                if document is None:
                    continue
                hits.append(
                    Hit(
                        document=document,
                        passage_id=passage.id,
                        text=text,
                        start=passage.start,
                        end=passage.end,
                        score=score,
                        section=passage.section,
                        page=passage.page,
                    )
                )
        return hits[:limit]

    def _current(
        self, document_id: str, known: dict[str, CitedDocument | None], scope: Filters
    ) -> CitedDocument | None:
        """The citable document, None when it is not current or not of a collection asked for."""
        if document_id not in known:
            info = self._truth.info(document_id)
            hidden = info.status != "current" or (
                scope.collections and info.source.collection not in scope.collections
            )
            known[document_id] = (
                None if hidden else CitedDocument.of(info.id, info.uri, info.title, info.metadata)
            )
        return known[document_id]


def _z_scores(ids: Sequence[str], hits: Sequence[IndexHit]) -> NDArray[np.float64]:
    """Standard scores of ``ids`` in one list; zeros when the list says nothing of their order."""
    if not hits:
        return np.zeros(len(ids))
    scores: Mapping[str, float] = {h.passage_id: h.score for h in hits}
    lowest = min(scores.values())
    values = np.array([scores.get(identifier, lowest) for identifier in ids])
    spread = values.std()
    if spread < 1e-9:
        return np.zeros(len(ids))
    standard: NDArray[np.float64] = (values - values.mean()) / spread
    return standard
