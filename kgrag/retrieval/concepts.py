"""Passages by the concepts that they share with the question, and which ones those are.

The similarity of a passage to a question is in [0, 1]: over the question's concepts, weighed by
how rare they are and by their type, the mean of how near the nearest concept of the passage is
(``kgrag.retrieval.concepts_relations``). What the question affirms and the passage only denies, or
the other way round, counts less.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from kgrag.records.answer import Hit
from kgrag.records.concepts import Mention
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.concepts_asking import AnswerTypes
from kgrag.retrieval.concepts_index import FOLDER, ConceptIndex, Following
from kgrag.retrieval.concepts_relations import Hierarchy, Related, Relation, Relations
from kgrag.stores.base import Filters, IndexHit

if TYPE_CHECKING:
    from kgrag.engine import Engine
    from kgrag.reasoning.supersession import Past

# What a passage counts for that denies what the question affirms.
_DENIED: Final = 0.5
# Half of a large kb may be equally similar. Between those, and no further, it counts how often a
# passage mentions the concept and how much else it mentions, as in BM25: as a part of the
# similarity that cost pages of consumer questions 0.02 recall@1.
_TIES: Final = 1e-3
_SATURATION: Final = 0.5
_LENGTH: Final = 0.5
# Of concepts that stand for how things are done or where, every other passage has some.
_TYPES: Final[Mapping[str, float]] = {
    "other": 0.3,
    "anatomy": 0.5,
    "procedure": 0.5,
    "analyte": 0.5,
}


@dataclass(frozen=True, slots=True)
class Matched:
    """A mention of the question met by one of a passage.

    ``question`` has offsets into the question, ``passage`` into the document's stored text.
    ``relation`` is of the passage's concept to the question's; ``weight`` in (0, 1] is how near it
    is, and less where only one of both is denied.
    """

    question: Mention
    passage: Mention
    relation: Relation
    weight: float


class Reads(Protocol):
    """What gives the mentions of a document: a truth store, of today or of a day."""

    def mentions(self, document_id: str) -> tuple[Mention, ...]: ...


class Concepts:
    """The similarity over one index. ``index`` gives the one to use now, brought up to date."""

    def __init__(self, index: Callable[[], ConceptIndex], hierarchy: Hierarchy) -> None:
        self._open, self._hierarchy = index, hierarchy
        self._relations: tuple[ConceptIndex, Relations] | None = None

    @property
    def index(self) -> ConceptIndex:
        """The index as it is now."""
        return self._open()

    def _related(self, index: ConceptIndex) -> Relations:
        held = self._relations
        if held is None or held[0] is not index:
            held = self._relations = (index, Relations(index, self._hierarchy))
        return held[1]

    def find(self, asked: Asked, *, limit: int, filters: Filters) -> list[IndexHit]:
        """The passages most similar, best first, ties by passage id; those without a match never.

        The scores are similarities, less at most a thousandth by which equals are ordered: those
        that mention the concepts more often, and less else, come first.
        """
        index = self.index
        total = np.zeros(len(index), dtype=np.float64)
        often = index.arrays.count
        sizes = np.diff(index.arrays.start)
        norm = _SATURATION * (1 - _LENGTH + _LENGTH * sizes / max(sizes.mean(), 1e-9))
        for _, weight, related, denied in self._weighed(asked, index):
            met = np.zeros(len(index), dtype=np.float64)
            for number, _, near in related:
                rows = index.rows_with(number)
                passages = index.passage[rows]
                # In (0, 1) for any length.
                tells = often[rows] / (often[rows] + norm[passages])
                value = near * _polarity(index, rows, denied) * (1 - _TIES * (1 - tells))
                # A concept has a passage once, so no place is written twice.
                met[passages] = np.maximum(met[passages], value)
            total += weight * met
        admitted = index.admitted(filters)
        if admitted is not None:
            total[~admitted] = 0.0
        return best_passages(index, total, limit)

    def score(self, asked: Asked, passages: Sequence[str]) -> NDArray[np.float64]:
        """Shape (len(passages),): similarity in [0, 1].

        NaN for a passage that the index does not hold, and for all when none of the question's
        concepts is known to it.
        """
        index = self.index
        weighed = list(self._weighed(asked, index))
        found = np.full(len(passages), np.nan)
        if not weighed:
            return found
        at = [(i, index.passage_number(p)) for i, p in enumerate(passages)]
        known = [(i, index.rows_of(number)) for i, number in at if number is not None]
        found[[i for i, _ in known]] = 0.0
        parts = [np.arange(r.start, r.stop, dtype=np.int64) for _, r in known]
        rows = np.concatenate([np.empty(0, dtype=np.int64), *parts])
        holder = np.repeat(np.array([i for i, _ in known], dtype=np.int64), [*map(len, parts)])
        concept = index.arrays.concept[rows]
        for _, weight, related, denied in weighed:
            near = np.zeros(len(index.arrays.concepts), dtype=np.float64)
            for number, _, nearness in related:
                near[number] = nearness
            met = np.zeros(len(passages), dtype=np.float64)
            value: NDArray[np.float64] = near[concept] * _polarity(index, rows, denied)
            np.maximum.at(met, holder, value)
            found += weight * met
        return found

    def seeds(self, asked: Asked) -> dict[int, float]:
        """The concepts near those of the question, by number, with their weights in (0, 1]."""
        found: dict[int, float] = {}
        for _, weight, related, _ in self._weighed(asked, self.index):
            for number, _, near in related:
                found[number] = max(found.get(number, 0.0), weight * near)
        return found

    def matched(
        self, asked: Asked, document_id: str, start: int, end: int, truth: Reads
    ) -> tuple[Matched, ...]:
        """Which concepts of the question the passage ``[start, end)`` of a document mentions.

        For each concept of the question the nearest one, of several mentions the first; in the
        question's order.
        """
        index = self.index
        mentions = [m for m in truth.mentions(document_id) if start <= m.start and m.end <= end]
        found: list[Matched] = []
        for asked_for, _, related, denied in self._weighed(asked, index):
            near = {
                index.arrays.concepts[number].decode(): (relation, weight)
                for number, relation, weight in related
            }
            best: Matched | None = None
            for mention in mentions:
                if mention.concept not in near:
                    continue
                relation, weight = near[mention.concept]
                if (mention.negated or mention.absent) != denied:
                    weight *= _DENIED
                if best is None or weight > best.weight:
                    best = Matched(asked_for, mention, relation, weight)
            if best is not None:
                found.append(best)
        return tuple(found)

    def _weighed(
        self, asked: Asked, index: ConceptIndex
    ) -> list[tuple[Mention, float, tuple[Related, ...], bool]]:
        """The question's concepts that passages mention or come near to, each once: its surest
        mention, its share in the similarity, the concepts near it, and whether it is denied."""
        relations = self._related(index)
        best: dict[str, Mention] = {}
        for mention in asked.mentions:
            held = best.get(mention.concept)
            if held is None or mention.score > held.score:
                best[mention.concept] = mention
        found = []
        for mention in sorted(best.values(), key=lambda m: m.start):
            related = relations.of(mention.concept)
            if related:
                often = index.frequency(mention.concept)
                rare = math.log(1 + (len(index) - often + 0.5) / (often + 0.5))
                weight = _TYPES.get(mention.type, 1.0) * rare
                found.append((mention, weight, related, mention.negated or mention.absent))
        whole = sum(weight for _, weight, _, _ in found)
        return [(m, weight / whole, related, denied) for m, weight, related, denied in found]


def _polarity(index: ConceptIndex, rows: NDArray[np.int64], denied: bool) -> NDArray[np.float64]:
    """1 where the passage affirms as the question does, or denies as it does, else less."""
    only_denied = index.arrays.denied[rows] >= index.arrays.count[rows]
    found: NDArray[np.float64] = np.where(only_denied == denied, 1.0, _DENIED)
    return found


def best_passages(index: ConceptIndex, total: NDArray[np.float64], limit: int) -> list[IndexHit]:
    """The passages with the highest values above 0, best first, ties by passage id.

    ``total`` has shape (passages,).
    """
    reached = np.flatnonzero(total > 0)
    if len(reached) > limit:
        # All that tie with the last one stay until their ids have ordered them.
        least = np.partition(total[reached], len(reached) - limit)[len(reached) - limit]
        reached = reached[total[reached] >= least]
    # Passages are in order of their ids, so a stable sort leaves ties by id.
    ordered = reached[np.argsort(-total[reached], kind="stable")][:limit]
    return [
        IndexHit(index.passage_name(at), index.document_name(at), float(total[at]))
        for at in ordered.tolist()
    ]


def concepts_of(engine: Engine | Past) -> Concepts:
    """The similarity over the engine's kb, one for all parts of the engine.

    Its index is opened when it is first needed and follows the truth; nothing is written here
    (``Engine.catch_up`` writes).
    """
    held = _OPENED.get(engine)
    if held is None:
        kept = getattr(engine, "directory", None)  # a look back has none
        follow = Following(engine.truth, None if kept is None else kept / FOLDER)
        held = _OPENED[engine] = Concepts(follow, engine.lexicon)
    return held


_OPENED: Final[WeakKeyDictionary[Engine | Past, Concepts]] = WeakKeyDictionary()


def answer_types_of(engine: Engine | Past) -> AnswerTypes:
    """The scorer by types of concepts over the engine's kb."""
    lexicon, concepts = engine.lexicon, concepts_of(engine)
    return AnswerTypes(
        lambda: concepts.index, lambda c: lexicon.concept(c).type if c in lexicon else None
    )


class ConceptSource:
    """Passages that mention the question's concepts. A ``Source``."""

    name = "concepts"

    def __init__(self, concepts: Concepts) -> None:
        self._concepts = concepts

    def find(self, asked: Asked, *, limit: int, filters: Filters) -> Sequence[IndexHit]:
        """See ``Source``."""
        return self._concepts.find(asked, limit=limit, filters=filters)


class ConceptScorer:
    """How many of the question's concepts a passage mentions. A ``Scorer``."""

    name = "shared-concepts"

    def __init__(self, concepts: Concepts) -> None:
        self._concepts = concepts

    def score(self, asked: Asked, hits: Sequence[Hit]) -> NDArray[np.float64]:
        """See ``Scorer``; in [0, 1]."""
        return self._concepts.score(asked, [hit.passage_id for hit in hits])
