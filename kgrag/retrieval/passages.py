"""Passages for a question: what the sources find, joined, looked at again; text from the truth."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kgrag.encoding.base import Encoder
from kgrag.records.answer import CitedDocument, Hit
from kgrag.records.question import Selection
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.base import Scorer, Source
from kgrag.retrieval.filters import admit
from kgrag.retrieval.fusion import Fusion, fitted, fuse, rescore
from kgrag.retrieval.seeds import Links
from kgrag.retrieval.select import select
from kgrag.stores.base import Filters, IndexHit, TruthStore, VectorIndex

# Hits fetched beyond those asked for.
SPARE: Final = 10
# The longest list asked of a source.
DEEPEST: Final = 6400


@dataclass(frozen=True, slots=True)
class Candidate:
    """A hit with what each part of retrieval said of it.

    ``hit.score`` is the joined score; ``scores`` has those of the parts that listed it, by name:
    ``bm25`` without unit, ``dense`` a cosine in [-1, 1].
    """

    hit: Hit
    scores: Mapping[str, float]

    @property
    def bm25(self) -> float | None:
        """None where BM25 did not list it."""
        return self.scores.get("bm25")

    @property
    def cosine(self) -> float | None:
        """None where the dense half did not list it."""
        return self.scores.get("dense")


class Lexical:
    """BM25 over the terms of passages and their titles."""

    name = "bm25"

    def __init__(self, index: VectorIndex) -> None:
        self._index = index

    def find(self, asked: Asked, *, limit: int, filters: Filters) -> Sequence[IndexHit]:
        """See ``Source``."""
        return self._index.sparse(asked.terms, limit=limit, filters=filters)


class Dense:
    """Cosine of the vectors of question and passage."""

    name = "dense"

    def __init__(self, index: VectorIndex) -> None:
        self._index = index

    def find(self, asked: Asked, *, limit: int, filters: Filters) -> Sequence[IndexHit]:
        """See ``Source``."""
        return self._index.dense(asked.vector, limit=limit, filters=filters)


class HybridRetriever:
    """Current passages for a question. Reads the truth and the index, changes neither.

    ``sources`` are BM25 and dense by default; ``scorers`` none.
    """

    def __init__(
        self,
        truth: TruthStore,
        index: VectorIndex,
        encoder: Encoder,
        *,
        linker: Links | None = None,
        sources: Sequence[Source] | None = None,
        scorers: Sequence[Scorer] = (),
        fusion: Fusion | None = None,
    ) -> None:
        self._truth, self._encoder, self._linker = truth, encoder, linker
        self._sources = (Lexical(index), Dense(index)) if sources is None else tuple(sources)
        self._scorers = tuple(scorers)
        self._fusion = fusion or fitted(encoder.name)

    def search(
        self, question: str, *, limit: int = 20, selection: Selection | None = None
    ) -> list[Hit]:
        """The best ``limit`` hits, best first; BadQuestion when it cannot be asked."""
        return [c.hit for c in self.candidates(question, limit=limit, selection=selection)]

    def candidates(
        self,
        question: str,
        *,
        limit: int = 20,
        selection: Selection | None = None,
        without_documents: Sequence[str] = (),
    ) -> list[Candidate]:
        """The best ``limit`` hits with the scores of all parts, best first.

        Only passages of documents that are current in the truth, even where the index is behind.
        """
        asked = Asked(question, self._encoder, self._linker)
        wanted = selection or Selection()
        admission = admit(wanted, self._truth)
        filters = admission.filters
        if without_documents:
            filters = replace(
                filters, without_documents=(*filters.without_documents, *without_documents)
            )
        fusion = self._fusion.of(asked.kind)
        looked_at = max(limit, fusion.rescored) if self._scorers else limit
        # Some of what is found is left out as a repeat, or by its document.
        enough = looked_at + SPARE
        depth = max(fusion.depth, enough)
        while True:
            lists = {s.name: s.find(asked, limit=depth, filters=filters) for s in self._sources}
            ranked = fuse(lists, fusion.weights, fusion.scales)
            hits = self._hits(ranked, enough, filters, admission.fits)
            # Where a selection looks into passages, the first ones of the lists may all be unfit.
            exhausted = all(len(found) < depth for found in lists.values())
            if len(hits) >= min(looked_at, len(ranked)) or exhausted or depth >= DEEPEST:
                break
            depth *= 4
        said = {name: {h.passage_id: h.score for h in found} for name, found in lists.items()}
        # Those that read the order so far are asked when it is made.
        for last in (False, True):
            seen = hits[: fusion.rescored]
            some = [s for s in self._scorers if (s.name in fusion.last) is last]
            found = {s.name: s.score(asked, seen) for s in some}
            for name, values in found.items():
                pairs = zip(seen, map(float, values), strict=True)
                said[name] = {h.passage_id: v for h, v in pairs if v == v}
            hits = rescore(hits, found, fusion)
        return [
            Candidate(hit, {n: s[hit.passage_id] for n, s in said.items() if hit.passage_id in s})
            for hit in select(hits, wanted, limit=limit)
        ]

    def _hits(
        self,
        ranked: Sequence[tuple[str, float]],
        limit: int,
        scope: Filters,
        fits: Callable[[Hit], bool],
    ) -> list[Hit]:
        hits: list[Hit] = []
        documents: dict[str, CitedDocument | None] = {}
        for at in range(0, len(ranked), max(limit, 1)):
            if len(hits) >= limit:
                break
            some = ranked[at : at + limit]
            found = self._truth.passages_by_id([identifier for identifier, _ in some])
            self._learn({passage.document_id for passage, _ in found.values()}, documents, scope)
            for identifier, score in some:
                if identifier not in found:
                    continue
                passage, text = found[identifier]
                document = documents[passage.document_id]
                if document is None:
                    continue
                hit = Hit(
                    document=document,
                    passage_id=passage.id,
                    text=text,
                    start=passage.start,
                    end=passage.end,
                    score=score,
                    section=passage.section,
                    page=passage.page,
                )
                if fits(hit):
                    hits.append(hit)
        return hits[:limit]

    def _learn(
        self, wanted: Collection[str], known: dict[str, CitedDocument | None], scope: Filters
    ) -> None:
        """``known`` has the ``wanted`` documents as they are cited.

        None for one that is not current, or not of a collection asked for.
        """
        new = sorted(document for document in wanted if document not in known)
        infos = self._truth.infos(new) if new else {}
        for document in new:
            info = infos.get(document)  # None when it was removed since its passage was read
            shown = info is not None and info.status == "current"
            if info is not None and scope.collections:
                shown = shown and info.source.collection in scope.collections
            known[document] = CitedDocument.of(info) if info is not None and shown else None
