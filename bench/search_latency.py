"""The index at 100,000 points: fill, commit, open, dense and sparse search; made-up content.

python bench/search_latency.py [POINTS]
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from machine import describe

from kgrag.ids import passage_id
from kgrag.stores.base import Filters, Point
from kgrag.stores.qdrant import open_index

DIMENSIONS, QUERIES, VOCABULARY = 384, 100, 50_000


def main(count: int) -> None:
    rng = np.random.default_rng(0)
    # Zipf-like word frequencies; a passage has about 70 different terms, as ours do.
    chances = 1 / np.arange(1, VOCABULARY + 1)
    cumulative = np.cumsum(chances / chances.sum())

    def words(number: int) -> list[int]:
        return sorted(set(np.searchsorted(cumulative, rng.random(number)).tolist()))

    def unit() -> np.ndarray:
        made = rng.standard_normal(DIMENSIONS).astype(np.float32)
        return made / np.linalg.norm(made)

    def points(start: int, number: int) -> Iterator[Point]:
        for at in range(start, start + number):
            terms = dict.fromkeys(words(110), 1.0)
            document = f"doc_{at // 20:024x}"
            yield Point(passage_id(document, at, at + 1), document, f"c{at % 2}", unit(), terms)

    def timed(name: str, work: Callable[[], object]) -> None:
        began = time.perf_counter()
        work()
        print(f"| {name} | {time.perf_counter() - began:.2f} s |")

    print(describe())
    print(f"{count} points of {DIMENSIONS} dimensions\n| what | time |\n|---|---|")
    with TemporaryDirectory() as folder:
        root = Path(folder) / "index"
        index = open_index(root, dimensions=DIMENSIONS, encoder="bench", mode="write")
        timed("fill (with the making of the points)", lambda: index.upsert(points(0, count)))
        timed("first commit", lambda: index.commit(1))

        def one_more() -> None:
            index.upsert(points(count, 20))
            index.commit(2)

        timed("a document of 20 passages added and committed", one_more)
        index.delete_documents([f"doc_{3:024x}"])
        index.commit(3)
        timed("purge after a removal", index.purge)
        index.close()
        began = time.perf_counter()
        reader = open_index(root, dimensions=DIMENSIONS, encoder="bench", mode="read")
        print(f"| open for reading, every file verified | {time.perf_counter() - began:.2f} s |")
        for label, scope in (("", Filters()), (", one collection", Filters(collections=("c1",)))):
            latency(
                f"dense, 100 hits{label}",
                lambda s=scope: reader.dense(unit(), limit=100, filters=s),
            )
            latency(
                f"sparse, 100 hits{label}",
                lambda s=scope: reader.sparse(dict.fromkeys(words(10), 1.0), limit=100, filters=s),
            )
        reader.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"| peak memory of writer and reader in one process | {peak:.2f} GB |")


def latency(name: str, work: Callable[[], object]) -> None:
    times = []
    for _ in range(QUERIES):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    p50, p95 = np.quantile(times[5:], [0.5, 0.95])
    print(f"| {name} | p50 {p50:.1f} ms, p95 {p95:.1f} ms |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
