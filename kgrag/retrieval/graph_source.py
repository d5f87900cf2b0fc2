"""Passages by a walk over the graph: concepts, the passages that mention them, what they state.

Personalised PageRank from the question's concepts over one graph of two kinds of edges: a passage
and a concept that it mentions, the heavier the rarer the concept; and two concepts of which a
document asserts something. Where the question asks for a relation ("what treats X"), the passages
that state it of its concepts come first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.retrieval.asked import Asked
from kgrag.retrieval.concepts import Concepts, best_passages, concepts_of
from kgrag.retrieval.concepts_asking import asking
from kgrag.retrieval.concepts_index import ConceptIndex
from kgrag.retrieval.scope import Reads
from kgrag.stores.base import Filters, IndexHit
from kgrag.stores.graph import Edge, Graph

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from kgrag.engine import Engine
    from kgrag.reasoning.supersession import Past

Floats = NDArray[np.float32]

# The walk stays near its seeds: a passage two concepts away is about something else.
_DAMPING: Final = 0.5
# From a concept to passages and back to concepts is one round, after which a quarter is left to
# walk: after four, less than any difference that orders.
_ROUNDS: Final = 4
# Of a concept's walkers so many follow its assertions, the others its mentions.
_ASSERTED: Final = 0.3
_SATURATION: Final = 0.5
# Assertions of the relation asked for, best attested first.
_STATED: Final = 50


class Walk:
    """The graph of one index of concepts and one graph of assertions. Immutable once made."""

    def __init__(self, index: ConceptIndex, graph: Graph) -> None:
        self.index, self.graph = index, graph

    @cached_property
    def _mentions(self) -> tuple[csr_array, csr_array]:
        """(concepts x passages) and (passages x concepts), both with columns that sum to 1."""
        from scipy.sparse import csr_array

        arrays, passage = self.index.arrays, self.index.passage
        shape = (len(arrays.passages), len(arrays.concepts))
        often = np.bincount(arrays.concept, minlength=shape[1])
        rare = np.log1p((shape[0] - often + 0.5) / (often + 0.5))
        told = arrays.count * (1 + _SATURATION) / (arrays.count + _SATURATION)
        weight = told * rare[arrays.concept]
        of_passage = np.bincount(passage, weights=weight, minlength=shape[0])[passage]
        of_concept = np.bincount(arrays.concept, weights=weight, minlength=shape[1])
        leaving = (weight / of_passage).astype(np.float32)
        entering = (weight / of_concept[arrays.concept]).astype(np.float32)
        up = csr_array((leaving, arrays.concept, arrays.start), shape=shape).T.tocsr()
        return up, csr_array((entering, arrays.concept, arrays.start), shape=shape)

    @cached_property
    def _assertions(self) -> tuple[csr_array, NDArray[np.bool_]]:
        """(concepts x concepts) with columns that sum to 1 or are empty; which are not empty.

        Concepts that no passage mentions are no part of it.
        """
        from scipy.sparse import coo_array

        count = len(self.index.arrays.concepts)
        ends: list[tuple[int, int, float]] = []
        for edge in self.graph.edges():
            one = self.index.concept_number(edge.subject)
            other = self.index.concept_number(edge.object)
            if one is not None and other is not None and one != other:
                weight = 1 + math.log(max(edge.count, 1))
                ends += ((one, other, weight), (other, one, weight))
        into = np.array([a for a, _, _ in ends], dtype=np.int32)
        out = np.array([b for _, b, _ in ends], dtype=np.int32)
        weights = np.array([w for _, _, w in ends], dtype=np.float64)
        total = np.bincount(out, weights=weights, minlength=count)
        data = (weights / total[out]).astype(np.float32)
        return coo_array((data, (into, out)), shape=(count, count)).tocsr(), total > 0

    def ranks(self, seeds: Mapping[int, float]) -> Floats:
        """Shape (passages,): where a walk from the seed concepts, by number, is found; zeros
        without seeds."""
        up, down = self._mentions
        asserted, leads = self._assertions
        start = np.zeros(up.shape[0], dtype=np.float32)
        for number, weight in seeds.items():
            start[number] = weight
        if not start.any():
            return np.zeros(down.shape[0], dtype=np.float32)
        start /= start.sum()
        concepts, passages = start, np.zeros(down.shape[0], dtype=np.float32)
        share = np.where(leads, np.float32(_ASSERTED), np.float32(0))
        for left in reversed(range(_ROUNDS)):
            along = concepts * share
            passages = _DAMPING * (down @ (concepts - along))
            if not left:
                break
            reached = up @ passages + asserted @ along
            concepts = (1 - _DAMPING) * start + _DAMPING * reached
        found: Floats = passages
        return found


class GraphSource:
    """Passages by PageRank from the question's concepts; a ``Source``. Without one, none."""

    name = "graph"

    def __init__(self, concepts: Concepts, graph: Callable[[], Graph], truth: Reads) -> None:
        self._concepts, self._graph, self._truth = concepts, graph, truth
        self._walk: Walk | None = None

    def find(self, asked: Asked, *, limit: int, filters: Filters) -> Sequence[IndexHit]:
        """See ``Source``; passages that state the relation asked for come before all others."""
        index, graph = self._concepts.index, self._graph()
        walk = self._walk
        if walk is None or walk.index is not index or walk.graph is not graph:
            walk = self._walk = Walk(index, graph)
        seeds = self._concepts.seeds(asked)
        if not seeds:
            return ()
        ranks = walk.ranks(seeds).astype(np.float64)
        highest = float(ranks.max(initial=0.0)) or 1.0
        ranks /= highest
        for passage in set(self._stating(asked, index, graph)):
            ranks[passage] += 1.0
        admitted = index.admitted(filters)
        if admitted is not None:
            ranks[~admitted] = 0.0
        return best_passages(index, ranks, limit)

    def _stating(self, asked: Asked, index: ConceptIndex, graph: Graph) -> Iterator[int]:
        """The passages that hold evidence of the relation that the question asks for."""
        wanted = asking(asked.text)
        edges: list[Edge] = []
        for curie in dict.fromkeys(m.concept for m in asked.mentions):
            near = graph.neighbours(curie, predicates={*wanted.into, *wanted.out} or {""})
            edges += (e for e in near if e.predicate in wanted.into and e.object == curie)
            edges += (e for e in near if e.predicate in wanted.out and e.subject == curie)
        edges.sort(key=lambda e: (-e.count, e.assertion))
        chosen = [e.assertion for e in edges if not e.negated][:_STATED]
        if not chosen:
            return
        starts: dict[str, list[int]] = {}
        for assertion in self._truth.assertions(chosen):
            for evidence in assertion.evidence:
                starts.setdefault(evidence.document_id, []).append(evidence.start)
        for document, places in starts.items():
            for passage in self._truth.passages(document):
                if any(passage.start <= start < passage.end for start in places):
                    number = index.passage_number(passage.id)
                    if number is not None:
                        yield number


def graph_source_of(engine: Engine | Past) -> GraphSource:
    """The source over the engine's kb."""
    return GraphSource(concepts_of(engine), lambda: engine.graph, engine.truth)
