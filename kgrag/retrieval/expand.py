"""From seeds to the assertions and passages that the graph brings up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kgrag.records.answer import Seed
from kgrag.records.assertions import Assertion
from kgrag.retrieval.scope import Reads
from kgrag.retrieval.seeds import Hierarchy, seed_weights
from kgrag.stores.graph import Edge, Graph

# Relevance falls off quickly; concepts beyond these bring noise and cost time.
_CONCEPTS: Final = 50
# Passages looked at for one question; the store gives those with most mentions first.
_PASSAGES: Final = 500


@dataclass(frozen=True, slots=True)
class Expansion:
    """What the seeds lead to, best first.

    ``concepts`` are (CURIE, PageRank); ``assertions`` are current, with their evidence, and a
    score that is the product of their ends' PageRanks' roots; ``passages`` are (passage id,
    score), where the score is the sum of the PageRank of the passage's concepts.
    """

    concepts: tuple[tuple[str, float], ...] = ()
    assertions: tuple[tuple[Assertion, float], ...] = ()
    passages: tuple[tuple[str, float], ...] = ()

    def evidence(self) -> Mapping[tuple[str, int, int], str]:
        """(document id, start, end) of each quotation to the id of the assertion it states."""
        found: dict[tuple[str, int, int], str] = {}
        for assertion, _ in self.assertions:
            for item in assertion.evidence:
                found.setdefault((item.document_id, item.start, item.end), assertion.id)
        return found


def expand(
    seeds: Sequence[Seed],
    graph: Graph,
    truth: Reads,
    *,
    hierarchy: Hierarchy | None = None,
    assertions: int = 50,
    passages: int = 50,
) -> Expansion:
    """At most ``assertions`` assertions that touch a relevant concept, and ``passages`` passages.

    Seeds without an edge still bring up the passages that mention them. With a ``hierarchy`` other
    ids of the seeds and narrower concepts are searched from too.
    """
    weights = seed_weights(seeds, hierarchy, graph)
    if not weights:
        return Expansion()
    ranks = graph.pagerank(weights, limit=_CONCEPTS)
    total = sum(weights.values())
    for curie, weight in weights.items():
        ranks.setdefault(curie, weight / total)
    concepts = sorted(ranks.items(), key=lambda item: (-item[1], item[0]))
    edges = _edges(graph, ranks, assertions)
    held = {a.id: a for a in truth.assertions(list(edges))} if edges else {}
    chosen = tuple((held[name], score) for name, score in edges.items() if name in held)
    named = [c for c, _ in concepts]
    found = truth.passages_with_concepts(named, limit=_PASSAGES) if passages else ()
    return Expansion(tuple(concepts), chosen, _passages(found, ranks, passages))


def _edges(graph: Graph, ranks: Mapping[str, float], limit: int) -> dict[str, float]:
    scores: dict[str, float] = {}
    for curie in ranks:
        for edge in graph.neighbours(curie):
            if edge.subject in ranks and edge.object in ranks:
                scores[edge.assertion] = _score(edge, ranks)
    ordered = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    return dict(ordered[:limit])


def _score(edge: Edge, ranks: Mapping[str, float]) -> float:
    return float((ranks[edge.subject] * ranks[edge.object]) ** 0.5)


def _passages(
    found: Iterable[tuple[str, str]], ranks: Mapping[str, float], limit: int
) -> tuple[tuple[str, float], ...]:
    scores: dict[str, float] = {}
    for passage, concept in found:
        scores[passage] = scores.get(passage, 0.0) + ranks.get(concept, 0.0)
    return tuple(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:limit])
