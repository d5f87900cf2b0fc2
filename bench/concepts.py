"""Speed and size of the index of concepts and of the walk over the graph, in processor time.

    python bench/concepts.py                       drawn: 200k passages and concepts, 1M mentions
    python bench/concepts.py --kb DIR QUESTIONS    a kb, with questions, one a line

What each part brings in quality is measured by ``kgrag eval`` (see RESULTS.md).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from machine import describe

from kgrag import Engine
from kgrag.records.concepts import Mention
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.concepts import Concepts
from kgrag.retrieval.concepts_arrays import Noted, Posted, build, exchange, load, save
from kgrag.retrieval.concepts_index import ConceptIndex, open_concepts
from kgrag.retrieval.graph_source import GraphSource, Walk
from kgrag.stores.base import Filters
from kgrag.stores.graph import Graph

PASSAGES, CONCEPTS, PER_PASSAGE, EDGES = 190_000, 10_000, 5, 50_000
EVERY = Filters()


class Flat:
    """A vocabulary without a hierarchy."""

    def equivalents(self, curie: str) -> tuple[str, ...]:
        return (curie,)

    def parents(self, curie: str) -> tuple[str, ...]:
        return ()

    children = parents


def taken(work: Callable[..., object], *given: object, times: int = 1) -> list[float]:
    """Milliseconds of processor time of each call."""
    found = []
    for _ in range(times):
        began = time.process_time()
        work(*given)
        found.append((time.process_time() - began) * 1000)
    return found


def show(name: str, milliseconds: Sequence[float]) -> None:
    middle, high = np.quantile(milliseconds, [0.5, 0.95])
    print(f"| {name} | {middle:.2f} | {high:.2f} |")


def drawn() -> None:
    rng = np.random.default_rng(0)
    curies = [f"X:{number:06d}" for number in range(CONCEPTS)]
    # A few concepts are everywhere and most are rare, as in real text.
    chosen = (rng.zipf(1.3, (PASSAGES, PER_PASSAGE)) * 7919) % CONCEPTS

    def noted(document: int) -> Noted:
        names = [f"psg_{document:06d}_{i}" for i in range(10)]
        rows = [
            Posted(name, curies[c], 1, 0)
            for i, name in enumerate(names)
            for c in dict.fromkeys(chosen[document * 10 + i].tolist())
        ]
        return Noted("drawn", tuple(names), tuple(rows))

    documents = {f"doc_{d:06d}": noted(d) for d in range(PASSAGES // 10)}
    print("| what | p50 CPU ms | p95 CPU ms |\n|---|---|---|")
    show("build", taken(build, documents))
    arrays = build(documents)
    index = ConceptIndex(arrays, 1)
    some = {name: documents[name] for name in list(documents)[:10]}
    show("exchange of 10 documents", taken(exchange, arrays, some, times=5))
    with TemporaryDirectory() as folder:
        show("save", taken(save, arrays, 1, Path(folder), times=3))
        show("load", taken(load, Path(folder), times=3))
    ends = rng.integers(0, CONCEPTS, (EDGES, 2))
    graph = Graph(
        (f"ass_{i}", curies[a], "causes", curies[b], 1) for i, (a, b) in enumerate(ends.tolist())
    )
    concepts = Concepts(lambda: index, Flat())
    asked = [
        SimpleNamespace(
            text="x",
            mentions=tuple(
                Mention(i, i + 1, "x", curies[c], "disease")
                for i, c in enumerate(rng.choice(chosen[rng.integers(PASSAGES)], 2))
            ),
        )
        for _ in range(200)
    ]
    measured(concepts, Walk(index, graph), graph, cast("list[Any]", asked))
    print(f"\n{len(index):,} passages, {len(arrays.concept):,} rows, {arrays.nbytes / 1e6:.0f} MB")


def measured(concepts: Concepts, walk: Walk, graph: Graph, asked: list[Asked]) -> None:
    index = concepts.index
    find = partial(concepts.find, limit=100, filters=EVERY)
    show("first question", taken(find, asked[0]))
    some = [index.passage_name(n) for n in range(0, len(index), max(1, len(index) // 100))]
    found: list[float] = []
    scored: list[float] = []
    linked: list[float] = []
    for one in asked:
        linked += taken(getattr, one, "mentions")
        found += taken(find, one)
        scored += taken(concepts.score, one, some[:100])
    show("linking a question", linked)
    show("concepts, find 100", found)
    show("shared-concepts, score 100", scored)
    show("graph, first walk", taken(walk.ranks, {0: 1.0}))
    walked = [taken(walk.ranks, concepts.seeds(one))[0] for one in asked]
    show("graph, PageRank", walked)


def real(kb: Path, questions: Path) -> None:
    with Engine.open(kb) as engine:
        began = time.process_time()
        index = open_concepts(engine.truth)
        print(f"built in {time.process_time() - began:.1f} s")
        lines = [line for line in questions.read_text().splitlines() if line.strip()]
        engine.linker.link(" ".join(lines[:200]))
        asked = [Asked(line, engine.encoder, engine.linker) for line in lines]
        concepts = Concepts(lambda: index, engine.lexicon)
        print("| what | p50 CPU ms | p95 CPU ms |\n|---|---|---|")
        measured(concepts, Walk(index, engine.graph), engine.graph, asked)
        source = GraphSource(concepts, lambda: engine.graph, engine.truth)
        find = partial(source.find, limit=100, filters=EVERY)
        show("graph, find 100", [taken(find, one)[0] for one in asked])
        size = f"{index.arrays.nbytes / 1e6:.1f} MB"
        print(f"\n{len(index):,} passages, {len(index.arrays.concept):,} rows, {size}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path)
    parser.add_argument("questions", type=Path, nargs="?")
    given = parser.parse_args()
    print(describe())
    if given.kb is None:
        drawn()
    else:
        real(given.kb, given.questions)


if __name__ == "__main__":
    main()
