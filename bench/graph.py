"""PageRank and three-hop paths on a generated graph of 200k concepts and 1M edges."""

from __future__ import annotations

import platform
import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from kgrag.stores.graph import Graph


def main() -> None:
    chance = np.random.default_rng(7)
    # Skewed, as concepts of literature are: a few hubs, many rare ones.
    ends = (200_000 * chance.random((1_000_000, 2)) ** 2).astype(int).tolist()
    began = time.perf_counter()
    graph = Graph(
        (f"ast_{i:024x}", f"X:{a}", "treats", f"X:{b}", 1) for i, (a, b) in enumerate(ends)
    )
    print(f"{platform.machine()}, python {platform.python_version()}, numpy {np.__version__}")
    print(
        f"build {time.perf_counter() - began:.2f} s, "
        f"{len(graph.concepts)} concepts, {len(graph)} edges"
    )
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        graph.save(Path(folder))
        saved = time.perf_counter()
        Graph.load(Path(folder))
        print(f"save {saved - began:.2f} s, load {time.perf_counter() - saved:.2f} s")
    pick = random.Random(1)
    pairs = [(pick.choice(graph.concepts), pick.choice(graph.concepts)) for _ in range(50)]
    graph.pagerank({pairs[0][0]: 1.0})
    for name, call in (
        ("pagerank", lambda a, b: graph.pagerank({a: 1.0, b: 1.0}, limit=50)),
        ("paths", lambda a, b: graph.paths([a], [b])),
    ):
        times = []
        for a, b in pairs:
            began = time.perf_counter()
            call(a, b)
            times.append((time.perf_counter() - began) * 1000)
        print(f"{name}: p50 {statistics.median(times):.1f} ms, max {max(times):.1f} ms")


if __name__ == "__main__":
    main()
