"""The graph of current assertions as arrays: relevance by PageRank, and typed paths.

Derived from ``truth.stated()``: it holds ids of documents, concepts and assertions, never text, and
is stamped with the generation of the truth that it reflects. A stale one is brought up to date by
exchanging the documents that changed; a missing or damaged one is built again, which takes seconds
for a million edges.

Edges have a direction and a predicate. Relevance and paths walk them both ways, and what comes out
keeps the direction in which the source said it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.stores.base import TruthStore
from kgrag.stores.graph_arrays import FILE, Arrays, Ints, StatedRow, build, exchange, load, save

if TYPE_CHECKING:
    import networkx as nx
    from scipy.sparse import csr_array

EdgeRow = tuple[str, str, str, str, int]

# Up to so many changed documents are exchanged one by one whatever the size of the kb.
_FEW: Final = 100
# A path through a very common concept says little. Of the neighbours of a hub only the most
# specific are followed, until this many of their edges have been seen.
_FRONTIER: Final = 200_000
# Parallel edges of one pair of concepts that a path may use: one a predicate, the best first.
_PARALLEL: Final = 3
_MAX_EDGES: Final = 3


@dataclass(frozen=True, slots=True)
class Edge:
    """One assertion as an edge. ``count`` is how many documents' evidence it has."""

    assertion: str
    subject: str
    predicate: str
    object: str
    count: int
    negated: bool


@dataclass(frozen=True, slots=True)
class GraphPath:
    """Edges that lead from ``concepts[0]`` to ``concepts[-1]``; a lower ``cost`` is better.

    ``concepts`` are in walking order; an edge may be walked against its own direction.
    """

    concepts: tuple[str, ...]
    edges: tuple[Edge, ...]
    cost: float


class Graph:
    """Current assertions over their concepts. Immutable once made.

    Negated edges deny their predicate. They count for relevance, because what is denied of two
    concepts concerns both; they are never chained with others.
    """

    def __init__(
        self, edges: Iterable[EdgeRow], *, negated: Collection[str] = (), stamp: int = 0
    ) -> None:
        """The graph of edges that are given whole, as if one document stated them."""
        denied = negated if isinstance(negated, set | frozenset) else frozenset(negated)
        self._fill(
            build(
                StatedRow("", assertion, subject, predicate, obj, assertion in denied, count)
                for assertion, subject, predicate, obj, count in edges
            ),
            stamp,
        )

    @classmethod
    def of(cls, rows: Iterable[StatedRow], *, stamp: int = 0) -> Graph:
        """The graph of what documents state."""
        return cls._made(build(rows), stamp)

    @classmethod
    def _made(cls, arrays: Arrays, stamp: int) -> Graph:
        graph = cls.__new__(cls)
        graph._fill(arrays, stamp)
        return graph

    def _fill(self, arrays: Arrays, stamp: int) -> None:
        self.stamp = stamp
        self.arrays = arrays
        self._names = arrays.concepts
        self._assertions = arrays.assertions
        self._subjects, self._objects, self._kinds = arrays.subjects, arrays.objects, arrays.kinds
        self._counts, self._negated = arrays.counts, arrays.negated
        self._neighbour, self._edge, self._start = arrays.neighbour, arrays.edge, arrays.start
        self._degree = np.diff(self._start)
        self.predicates = tuple(name.decode() for name in arrays.predicates.tolist())
        self._walk: csr_array | None = None

    def exchanged(self, documents: Mapping[str, Sequence[StatedRow]], *, stamp: int) -> Graph:
        """The graph in which each of ``documents`` states its rows and nothing else.

        Equal, array by array, to one built anew; no other document is looked at.
        """
        return self._made(exchange(self.arrays, documents), stamp)

    @cached_property
    def concepts(self) -> tuple[str, ...]:
        """The concepts in order of CURIE."""
        return tuple(name.decode() for name in self._names.tolist())

    def _number_of(self, curie: str) -> int | None:
        """The concept's place in ``concepts``."""
        wanted = np.bytes_(curie.encode())
        at = int(np.searchsorted(self._names, wanted))
        return at if at < len(self._names) and self._names[at] == wanted else None

    def _name(self, number: int) -> str:
        return str(self._names[number].decode())

    def __len__(self) -> int:
        """The number of edges."""
        return len(self._subjects)

    def __contains__(self, curie: object) -> bool:
        return isinstance(curie, str) and self._number_of(curie) is not None

    # Keeping ---------------------------------------------------------------------------------

    def save(self, directory: Path) -> None:
        """Write ``graph.npz`` in one step: a reader sees the old file or the new one, whole."""
        save(self.arrays, self.stamp, directory)

    @classmethod
    def load(cls, directory: Path) -> Graph:
        """The saved graph. FileNotFoundError when there is none, ValueError when it is damaged."""
        return cls._made(*load(directory))

    # Reading ---------------------------------------------------------------------------------

    def edge(self, index: int) -> Edge:
        """The edge at ``index`` in [0, len)."""
        return Edge(
            self._assertions[index].decode(),
            self._name(self._subjects[index]),
            self.predicates[self._kinds[index]],
            self._name(self._objects[index]),
            int(self._counts[index]),
            bool(self._negated[index]),
        )

    def edges(self) -> Iterator[Edge]:
        """All edges, in order of their assertions' ids."""
        return (self.edge(i) for i in range(len(self)))

    def degree(self, curie: str) -> int:
        """How many edges touch the concept; 0 when it is not in the graph."""
        number = self._number_of(curie)
        return 0 if number is None else int(self._degree[number])

    def neighbours(self, curie: str, *, predicates: Collection[str] = ()) -> tuple[Edge, ...]:
        """The edges that touch the concept, best attested first, ties by assertion id."""
        number = self._number_of(curie)
        if number is None:
            return ()
        found = [self.edge(int(i)) for i in self._incident(number)]
        if predicates:
            found = [e for e in found if e.predicate in predicates]
        return tuple(sorted(found, key=lambda e: (-e.count, e.assertion)))

    def subgraph(self, curies: Iterable[str]) -> nx.MultiDiGraph[str]:
        """The concepts that are in the graph, with every edge among them.

        An edge's key is its assertion id; its data are assertion, predicate, negated and count.
        """
        import networkx as nx

        found = (self._number_of(curie) for curie in curies)
        numbers = sorted({number for number in found if number is not None})
        member = np.zeros(len(self._names), dtype=np.bool_)
        member[numbers] = True
        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        graph.add_nodes_from(self._name(i) for i in numbers)
        inside: set[int] = set()
        for number in numbers:
            ends = self._neighbours(number)
            inside.update(self._incident(number)[member[ends]].tolist())
        for index in sorted(inside):
            edge = self.edge(index)
            graph.add_edge(
                edge.subject,
                edge.object,
                key=edge.assertion,
                assertion=edge.assertion,
                predicate=edge.predicate,
                negated=edge.negated,
                count=edge.count,
            )
        return graph

    # Relevance -------------------------------------------------------------------------------

    def pagerank(
        self,
        seeds: Mapping[str, float],
        *,
        damping: float = 0.85,
        tolerance: float = 1e-4,
        max_iterations: int = 100,
        limit: int | None = None,
    ) -> dict[str, float]:
        """Personalised PageRank over undirected edges weighted by 1 + ln(count).

        Probabilities that sum to 1, of the concepts reached, best first, ties by curie. Seeds that
        are not in the graph are left out; without any the result is empty. ``tolerance`` is the L1
        change, over all concepts, at which the iteration stops. ``limit`` keeps only the best,
        which is much quicker than all of a large graph.
        """
        weighed = [(self._number_of(curie), weight) for curie, weight in seeds.items()]
        known = [(number, w) for number, w in weighed if number is not None and w > 0]
        if not known:
            return {}
        start = np.zeros(len(self._names), dtype=np.float64)
        for number, weight in known:
            start[number] = weight
        start /= start.sum()
        rank = self._iterate(start, damping, tolerance, max_iterations)
        reached = np.flatnonzero(rank > 0)
        if limit is not None and len(reached) > limit:
            # All that tie with the last one stay until the names have ordered them.
            least = np.partition(rank[reached], len(reached) - limit)[len(reached) - limit]
            reached = reached[rank[reached] >= least]
        order = reached[np.argsort(-rank[reached], kind="stable")]
        pairs = zip((self._name(i) for i in order.tolist()), rank[order].tolist(), strict=True)
        return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:limit])

    def _iterate(
        self, start: NDArray[np.float64], damping: float, tolerance: float, limit: int
    ) -> NDArray[np.float64]:
        walk = self._transition()
        # Every concept of the graph has an edge, so no mass is lost and none needs handing back.
        rank = start
        for _ in range(limit):
            following = damping * (walk @ rank) + (1.0 - damping) * start
            change = float(np.abs(following - rank).sum())
            rank = following
            if change < tolerance:
                break
        return rank

    def _transition(self) -> csr_array:
        """Column-stochastic, shape (concepts, concepts); made on first use."""
        if self._walk is None:
            from scipy.sparse import csr_array

            n = len(self._names)
            weights = (1.0 + np.log(np.maximum(self._counts, 1)))[self._edge]
            total = np.bincount(self._neighbour, weights=weights, minlength=n)
            # Parallel edges stay apart: their entries add up in the product all the same.
            weights /= total[self._neighbour]
            self._walk = csr_array(
                (weights, self._neighbour, self._start.astype(np.int32)), shape=(n, n)
            )
        return self._walk

    # Paths -----------------------------------------------------------------------------------

    def paths(
        self,
        sources: Iterable[str],
        targets: Iterable[str],
        *,
        max_edges: int = 3,
        limit: int = 10,
        predicates: Collection[str] = (),
    ) -> tuple[GraphPath, ...]:
        """The best simple paths from a source to a target, most specific first.

        A path costs one an edge, ln(1 + degree) a concept between its ends, and gains with the
        evidence of its edges; ties go by assertion ids. A negated edge is a path of its own, and
        is never part of a longer one. ``max_edges`` is 1 to 3; ``predicates`` restricts the edges.
        """
        if not 1 <= max_edges <= _MAX_EDGES:
            raise ValueError(f"max_edges is 1 to {_MAX_EDGES}, not {max_edges}")
        allowed = self._allowed(predicates)
        best: dict[tuple[str, ...], GraphPath] = {}
        pairs = itertools.product(dict.fromkeys(sources), dict.fromkeys(targets))
        for source, target in pairs:
            s, t = self._number_of(source), self._number_of(target)
            if s is None or t is None or s == t:
                continue
            for route in self._routes(s, t, max_edges, allowed, limit):
                for path in self._typed(route, allowed):
                    best.setdefault(tuple(e.assertion for e in path.edges), path)
        ranked = sorted(best.items(), key=lambda item: (item[1].cost, item[0]))
        return tuple(path for _, path in ranked[:limit])

    def _allowed(self, predicates: Collection[str]) -> NDArray[np.bool_] | None:
        if not predicates:
            return None
        kinds = [k for k, name in enumerate(self.predicates) if name in predicates]
        return np.isin(self._kinds, kinds)

    def _routes(
        self, s: int, t: int, max_edges: int, allowed: NDArray[np.bool_] | None, limit: int
    ) -> Iterator[tuple[int, ...]]:
        """Concept numbers of routes from s to t, the ``limit`` most specific of each length."""
        if t in self._neighbours(s):
            yield (s, t)
        if max_edges < 2:
            return
        near_s, near_t = self._chained(s, allowed), self._chained(t, allowed)
        near_s, near_t = near_s[near_s != t], near_t[near_t != s]
        shared = np.intersect1d(near_s, near_t)
        for middle in shared[np.argsort(self._degree[shared], kind="stable")][:limit].tolist():
            yield (s, middle, t)
        if max_edges < 3 or not len(near_s) or not len(near_t):
            return
        swap = self._degree[near_s].sum() > self._degree[near_t].sum()
        inner, outer = (near_t, near_s) if swap else (near_s, near_t)
        firsts, seconds = self._frontier(inner, allowed)
        is_end = np.zeros(len(self._names), dtype=np.bool_)
        is_end[outer] = True
        keep = is_end[seconds] & (firsts != seconds)
        keep &= (seconds != s) & (seconds != t)
        firsts, seconds = firsts[keep], seconds[keep]
        common = np.log1p(self._degree[firsts]) + np.log1p(self._degree[seconds])
        seen: set[tuple[int, int]] = set()
        for i in np.argsort(common, kind="stable").tolist():
            pair = (int(firsts[i]), int(seconds[i]))
            if pair not in seen:
                seen.add(pair)
                a, b = pair[::-1] if swap else pair
                yield (s, a, b, t)
            if len(seen) >= limit:
                return

    def _frontier(
        self, concepts: NDArray[np.int32], allowed: NDArray[np.bool_] | None
    ) -> tuple[Ints, Ints]:
        """(concept, neighbour) of the edges that may be chained, the most specific concepts."""
        order = concepts[np.argsort(self._degree[concepts], kind="stable")]
        size = self._degree[order]
        order = order[: max(1, int(np.searchsorted(np.cumsum(size), _FRONTIER, side="right")))]
        size = self._degree[order]
        firsts = np.repeat(order, size)
        offsets = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
        at = np.repeat(self._start[order], size) + offsets
        edges = self._edge[at]
        keep = ~self._negated[edges]
        if allowed is not None:
            keep &= allowed[edges]
        return firsts[keep].astype(np.int32), self._neighbour[at][keep]

    def _typed(
        self, route: tuple[int, ...], allowed: NDArray[np.bool_] | None
    ) -> Iterator[GraphPath]:
        """The typed paths along a route: the best edge of each predicate for every step."""
        steps = [
            self._between(a, b, allowed, chained=len(route) > 2)
            for a, b in itertools.pairwise(route)
        ]
        concepts = tuple(self._name(i) for i in route)
        middle = sum(math.log1p(int(self._degree[i])) for i in route[1:-1])
        for chosen in itertools.product(*steps):
            gain = sum(math.log(max(e.count, 1)) for e in chosen)
            yield GraphPath(concepts, chosen, len(chosen) + middle - 0.1 * gain)

    def _between(
        self, a: int, b: int, allowed: NDArray[np.bool_] | None, *, chained: bool
    ) -> list[Edge]:
        low, high = self._start[a], self._start[a + 1]
        row = self._neighbour[low:high]
        left, right = np.searchsorted(row, b, "left"), np.searchsorted(row, b, "right")
        best: dict[tuple[int, bool, bool], Edge] = {}
        for index in self._edge[low + left : low + right].tolist():
            denied = bool(self._negated[index])
            if (denied and chained) or (allowed is not None and not allowed[index]):
                continue
            edge = self.edge(index)
            key = (int(self._kinds[index]), denied, bool(self._subjects[index] == a))
            held = best.get(key)
            if held is None or (-edge.count, edge.assertion) < (-held.count, held.assertion):
                best[key] = edge
        ranked = sorted(best.values(), key=lambda e: (-e.count, e.assertion))
        return ranked[:_PARALLEL] if chained else ranked

    def _incident(self, number: int) -> Ints:
        return self._edge[self._start[number] : self._start[number + 1]]

    def _neighbours(self, number: int) -> Ints:
        return self._neighbour[self._start[number] : self._start[number + 1]]

    def _chained(self, number: int, allowed: NDArray[np.bool_] | None) -> Ints:
        """Neighbours over edges that may be part of a longer path, each once, sorted."""
        edges = self._incident(number)
        keep = ~self._negated[edges]
        if allowed is not None:
            keep &= allowed[edges]
        return np.unique(self._neighbours(number)[keep])


def build_graph(truth: TruthStore) -> Graph:
    """The graph of the truth's current assertions, stamped with its generation."""
    # Read before the rows: a change in between leaves the graph stale, never falsely current.
    stamp = truth.generation
    return Graph.of(truth.stated(), stamp=stamp)


def catch_up(graph: Graph, truth: TruthStore) -> Graph:
    """The graph at the truth's generation, equal to one built anew.

    Only documents that changed since the graph's stamp are read, unless they are so many that
    reading all is quicker.
    """
    stamp = truth.generation
    if graph.stamp > stamp:  # another kb's, or one put back from a backup
        return build_graph(truth)
    changed = {change.document_id for change in truth.changes(graph.stamp)}
    if len(changed) > max(_FEW, len(graph.arrays.documents) // 4):
        return build_graph(truth)
    rows: dict[str, list[StatedRow]] = {name: [] for name in changed}
    for row in truth.stated(sorted(changed)):
        rows[row.document].append(row)
    return graph.exchanged(rows, stamp=stamp)


def open_graph(truth: TruthStore, directory: Path | None = None, *, write: bool = True) -> Graph:
    """The graph at the truth's generation: the saved one, brought up to date, else a new one.

    With a ``directory`` (the kb's ``graph`` folder) what changed is saved there, unless ``write``
    is false. A damaged file counts as missing, because the graph can always be derived again.
    """
    saved: Graph | None = None
    if directory is not None and (directory / FILE).exists():
        try:
            saved = Graph.load(directory)
        except ValueError:
            saved = None
        if saved is not None and saved.stamp == truth.generation:
            return saved
    graph = build_graph(truth) if saved is None else catch_up(saved, truth)
    if directory is not None and write:
        graph.save(directory)
    return graph
