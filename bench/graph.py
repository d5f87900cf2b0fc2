"""Time and memory of a generated graph of 200,000 concepts and 1,000,000 edges.

    python bench/graph.py [--seeds 50] [--json OUT]

Concepts are drawn with a skew, as those of literature are: a few hubs of thousands of edges, many
rare ones. Every step is timed by the clock and by the processor, because machines are shared;
medians and the 95th percentile. Paths are asked for three ways: between concepts drawn at random,
between ones that a walk of three edges joins, and between hubs, which is the worst case. Targets:
PageRank under 100 ms, paths under 20 ms, under 1 GB.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe

from kgrag.stores.graph import Graph
from kgrag.stores.graph_arrays import StatedRow

CONCEPTS, EDGES, PER_DOCUMENT = 200_000, 1_000_000, 20
PREDICATES = ("treats", "causes", "has_phenotype", "contraindicated_in")


def rows(seed: int = 7) -> Iterator[StatedRow]:
    """Documents of twenty assertions each; one in twenty is negated."""
    chance = np.random.default_rng(seed)
    ends = (CONCEPTS * chance.random((EDGES, 2)) ** 2).astype(int).tolist()
    for i, (a, b) in enumerate(ends):
        yield StatedRow(
            f"doc_{i // PER_DOCUMENT:024x}", f"ast_{i:024x}", f"MESH:D{a:06}", PREDICATES[i % 4],
            f"MESH:D{b:06}", i % 20 == 0, 1 + i % 3,
        )  # fmt: skip


def timed(calls: list[Callable[[], Any]]) -> dict[str, float]:
    """Milliseconds by the processor and by the clock."""
    clock, processor = [], []
    for call in calls:
        began, used = time.perf_counter(), time.process_time()
        call()
        processor.append((time.process_time() - used) * 1000)
        clock.append((time.perf_counter() - began) * 1000)
    return {
        "cpu_p50": statistics.median(processor),
        "cpu_p95": float(np.percentile(processor, 95)),
        "cpu_max": max(processor),
        "clock_p50": statistics.median(clock),
        "clock_p95": float(np.percentile(clock, 95)),
    }


def joined(graph: Graph, start: str, chance: random.Random) -> str:
    """A concept that a walk of three edges leads to."""
    at = start
    for _ in range(3):
        edge = chance.choice(graph.neighbours(at))
        at = edge.object if edge.subject == at else edge.subject
    return at


def memory() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    print(f"{describe()}, numpy {version('numpy')}, scipy {version('scipy')}")
    empty = memory()
    results: dict[str, dict[str, float]] = {}
    made: list[Graph] = []
    results["build"] = timed([lambda: made.append(Graph.of(rows(), stamp=1))])
    print(f"memory after building: {memory():.0f} MB ({empty:.0f} before)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results["save"] = timed([lambda: made[0].save(folder)])
        results["load"] = timed([lambda: made.append(Graph.load(folder))])
        print(f"file: {sum(p.stat().st_size for p in folder.iterdir()) / 1e6:.0f} MB")
    graph = made.pop()
    made.clear()
    print(f"{len(graph.concepts)} concepts, {len(graph)} edges; {graph.arrays.nbytes / 1e6:.0f} MB")
    results["first pagerank"] = timed([lambda: graph.pagerank({graph.concepts[0]: 1.0}, limit=50)])
    chance = random.Random(1)
    some = [chance.choice(graph.concepts) for _ in range(arguments.seeds)]
    other = [chance.choice(graph.concepts) for _ in range(arguments.seeds)]
    far = [joined(graph, start, chance) for start in some]
    hubs = sorted(graph.concepts, key=graph.degree)[-20:]
    print(f"hubs: {graph.degree(hubs[0])} to {graph.degree(hubs[-1])} edges")
    results["pagerank, 2 seeds"] = timed(
        [lambda a=a, b=b: graph.pagerank({a: 1.0, b: 1.0}, limit=50)
         for a, b in zip(some, other, strict=True)]
    )  # fmt: skip
    results["pagerank, 5 hubs"] = timed(
        [lambda: graph.pagerank(dict.fromkeys(chance.sample(hubs, 5), 1.0), limit=50)] * 10
    )
    found: list[int] = []
    for label, pairs in (
        ("paths, random", list(zip(some, other, strict=True))),
        ("paths, joined by 3 edges", list(zip(some, far, strict=True))),
        ("paths, between hubs", [tuple(chance.sample(hubs, 2)) for _ in range(20)]),
    ):
        found.clear()
        results[label] = timed(
            [lambda a=a, b=b: found.append(len(graph.paths([a], [b]))) for a, b in pairs]
        )
        print(f"{label}: {sum(1 for n in found if n)} of {len(pairs)} pairs have a path")
    names = [f"doc_{chance.randrange(EDGES // PER_DOCUMENT):024x}" for _ in range(20)]
    results["remove a document"] = timed(
        [lambda n=n: graph.exchanged({n: []}, stamp=2) for n in names]
    )
    new = [
        [r._replace(document=f"doc_new{k}", assertion=f"ast_n{k:02}{i:021x}", subject=f"NEW:{k}")
         for i, r in zip(range(PER_DOCUMENT), rows(100 + k), strict=False)]
        for k in range(5)
    ]  # fmt: skip
    results["add a document"] = timed(
        [lambda k=k, r=r: graph.exchanged({f"doc_new{k}": r}, stamp=2) for k, r in enumerate(new)]
    )
    print(f"{'':28}{'cpu p50':>10}{'cpu p95':>10}{'cpu max':>10}{'clock p50':>11}{'clock p95':>11}")
    for label, one in results.items():
        print(
            f"{label:28}{one['cpu_p50']:10.1f}{one['cpu_p95']:10.1f}{one['cpu_max']:10.1f}"
            f"{one['clock_p50']:11.1f}{one['clock_p95']:11.1f}"
        )
    print(f"most memory held: {memory():.0f} MB")
    if arguments.json:
        arguments.json.write_text(json.dumps({"memory_mb": memory(), "ms": results}, indent=1))


if __name__ == "__main__":
    main()
