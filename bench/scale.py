"""The index and the truth from 1,000 to 1,000,000 passages: time, disk, memory, search, updates.

    python bench/scale.py FOLDER [--to 1000000] [--kb KB ...] [--plot-only]

Passages are made (see scale_content), their vectors drawn around those that the kbs keep: figures
are of scale, not of quality. A run may be stopped and goes on where it was; every size is one line
of FOLDER/figures.jsonl, and FOLDER/scale.png shows them all. Searching is measured in a process of
its own, as is a reader that follows while documents are added.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe
from scale_content import DIMENSIONS, PASSAGES, Content, real_vectors

from kgrag.retrieval.passages import HybridRetriever
from kgrag.stores.base import Filters, VectorIndex
from kgrag.stores.qdrant import open_index
from kgrag.stores.sql import open_truth

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
BATCH = 200  # documents of one commit of the index: 20,000 passages
QUERIES, UPDATES, EXACT = 60, 12, 20
SHAPE = "scale"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--to", type=int, default=SIZES[-1])
    parser.add_argument("--kb", type=Path, nargs="*", default=[])
    parser.add_argument("--job", choices=["grow", "measure", "follow", "plot"], default="grow")
    options = parser.parse_args()
    folder: Path = options.folder
    if options.job == "measure":
        print(json.dumps(measured(folder)))
    elif options.job == "follow":
        follow(folder)
    elif options.job == "plot":
        plot(folder)
    else:
        grow(folder, options.to, options.kb)
        plot(folder)


def content(folder: Path, kbs: list[Path] | None = None) -> Content:
    """The same for every process of a run: the real vectors are kept beside it."""
    kept = folder / "real.npy"
    if kbs and not kept.exists():
        np.save(kept, real_vectors(kbs))
    return Content(np.load(kept, mmap_mode="r") if kept.exists() else None)


def index_of(folder: Path, mode: Any) -> VectorIndex:
    return open_index(folder / "index", dimensions=DIMENSIONS, encoder=SHAPE, mode=mode)


def grow(folder: Path, until: int, kbs: list[Path]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    made = content(folder, kbs)
    print(describe())
    done = {line["passages"] for line in figures(folder)}
    for size in (s for s in SIZES if s <= until and s not in done):
        spent = fill(folder, made, size // PASSAGES)
        line = {"passages": size, **spent, **disk(folder)}
        line |= json.loads(child(folder, "measure").communicate()[0])
        line |= updates(folder, made, size)
        with (folder / "figures.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line, indent=1), flush=True)


def fill(folder: Path, made: Content, documents: int) -> dict[str, float]:
    """Truth and index hold the documents below that number; seconds of all batches until now."""
    kept = folder / "batches.jsonl"
    with open_truth(folder, mode="write", create=True) as truth:
        index = index_of(folder, "write")
        for at in range(index.stamp, documents, BATCH):
            batch = range(at, min(at + BATCH, documents))
            pairs = [made.document(number) for number in batch]
            began = time.perf_counter()
            for item, _ in pairs:
                truth.put(item)
            middle, cpu = time.perf_counter(), time.process_time()
            index.upsert(point for _, points in pairs for point in points)
            index.commit(batch.stop)
            spent = {
                "documents": batch.stop,
                "truth_s": middle - began,
                "index_s": time.perf_counter() - middle,
                "index_cpu_s": time.process_time() - cpu,
            }
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(spent) + "\n")
            print(f"  {batch.stop * PASSAGES:,} passages, {spent['index_s']:.1f} s", flush=True)
        index.close()
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    return {k: float(sum(line[k] for line in lines)) for k in ("truth_s", "index_s", "index_cpu_s")}


def disk(folder: Path) -> dict[str, float]:
    def megabytes(paths: Any) -> float:
        return sum(path.stat().st_blocks * 512 for path in paths if path.is_file()) / 1e6

    return {
        "index_mb": megabytes((folder / "index").rglob("*")),
        "truth_mb": megabytes(folder.glob("truth.sqlite*")),
    }


class Encoder:
    """Costs what the real one costs for a question, and gives the vector of a made one."""

    name, sha256, dimensions = "all-minilm-l6-v2", "scale", DIMENSIONS

    def __init__(self) -> None:
        from kgrag.encoding import load_encoder

        self._real = load_encoder("all-minilm-l6-v2")
        self.vector = np.zeros(DIMENSIONS, dtype=np.float32)

    def encode(self, texts: Any) -> np.ndarray:
        question = "In adults with type 2 diabetes, does metformin lower the risk of stroke?"
        self._real.encode([question for _ in texts])
        return np.stack([self.vector for _ in texts])


def measured(folder: Path) -> dict[str, Any]:
    """Of a process that only reads: opening, memory, latencies in ms, recall against exact."""
    made, rng = content(folder), np.random.default_rng(99)
    before = memory()
    began = time.perf_counter()
    index = index_of(folder, "read")
    found: dict[str, Any] = {"open_s": time.perf_counter() - began, "parts": parts_of(index)}
    asked = [made.question(rng) for _ in range(QUERIES)]
    from kgrag.retrieval.terms import question_terms

    words = [question_terms(text) for text, _ in asked]
    for suffix, scope in (("", Filters()), ("_one", Filters(collections=("c1",)))):
        found[f"dense{suffix}"] = times(
            [partial(index.dense, v, limit=100, filters=scope) for _, v in asked]
        )
        found[f"sparse{suffix}"] = times(
            [partial(index.sparse, t, limit=100, filters=scope) for t in words]
        )
    found["recall100"] = recall(made, index, [v for _, v in asked[:EXACT]])
    after = memory()
    found |= {f"index_{name}_mb": after[name] - before[name] for name in after}
    with open_truth(folder, mode="read") as truth:
        ids = [h.passage_id for h in index.dense(asked[0][1], limit=100, filters=Filters())]
        found["passages_by_id"] = times([lambda: truth.passages_by_id(ids)] * 20)
        encoder = Encoder()
        retriever = HybridRetriever(truth, index, encoder)

        def search(text: str, vector: np.ndarray) -> None:
            encoder.vector = vector
            assert len(retriever.search(text, limit=20)) == 20

        found["search"] = times([partial(search, *a) for a in asked])
        found["encode"] = times([lambda: encoder.encode([""])] * 20)
    index.close()
    return found


def parts_of(index: VectorIndex) -> int:
    return len(getattr(index, "_parts", ()))


def recall(made: Content, index: VectorIndex, asked: list[np.ndarray]) -> float:
    """The share of what dense search lists that is as near as the true 100 nearest, at 100 hits."""
    best = np.full((len(asked), 0), -1.0)
    for number in range(index.stamp):
        scores = np.stack(asked) @ made.vectors(number).T
        best = np.sort(np.hstack([best, scores]), axis=1)[:, -100:]
    shares = []
    for vector, floor in zip(asked, best[:, 0], strict=True):
        found = index.dense(vector, limit=100, filters=Filters())
        shares.append(sum(hit.score >= floor - 1e-6 for hit in found) / best.shape[1])
    return float(np.mean(shares))


def memory() -> dict[str, float]:
    """Megabytes of this process: its own, and pages of files that are mapped."""
    status = Path("/proc/self/status").read_text().splitlines()
    values = {line.split(":")[0]: line.split()[1] for line in status if line.startswith("Rss")}
    return {"own": int(values["RssAnon"]) / 1e3, "mapped": int(values["RssFile"]) / 1e3}


def times(calls: list[Callable[[], object]]) -> dict[str, float]:
    """p50 and p95 in ms, and CPU ms a call; the first few calls are not counted."""
    taken = []
    for call in calls[:5]:
        call()
    cpu = time.process_time()
    for call in calls:
        began = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - began))
    p50, p95 = np.quantile(taken, [0.5, 0.95])
    used = 1000 * (time.process_time() - cpu) / len(calls)
    return {"p50": float(p50), "p95": float(p95), "cpu": used}


def updates(folder: Path, made: Content, size: int) -> dict[str, Any]:
    """Documents of 20 passages added and committed one by one while another process reads."""
    reader = child(folder, "follow")
    assert reader.stdout is not None
    assert reader.stdout.readline() == "ready\n"
    index = index_of(folder, "write")
    stamp, names = index.stamp, []
    taken: list[float] = []
    for number in range(UPDATES):
        item, points = made.document(10**7 + number, passages=20)
        names.append(item.document.id)
        began = time.perf_counter()
        index.upsert(points)
        index.commit(stamp + 1 + number)
        taken.append(1000 * (time.perf_counter() - began))
    item, points = made.document(stamp - 1)
    began = time.perf_counter()
    index.delete_documents([*names, item.document.id])
    index.commit(stamp)
    removed = time.perf_counter() - began
    began = time.perf_counter()
    index.purge()
    purged = time.perf_counter() - began
    index.upsert(points)
    index.commit(stamp)
    index.close()
    told, _ = reader.communicate("stop\n", timeout=120)
    p50, p95 = np.quantile(taken, [0.5, 0.95])
    return {
        "update": {"p50": float(p50), "p95": float(p95)},
        "remove_s": removed,
        "purge_s": purged,
        "reading_meanwhile": json.loads(told),
        "passages_after": size,
    }


def follow(folder: Path) -> None:
    """Searches and follows what is published until told to stop."""
    import select

    made, rng = content(folder), np.random.default_rng(3)
    index = index_of(folder, "read")
    print("ready", flush=True)
    searches, refreshes, seen = [], [], 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        vector = made.drawn(rng, 1)[0]
        began = time.perf_counter()
        fresh = index.refresh()
        middle = time.perf_counter()
        index.dense(vector, limit=100, filters=Filters())
        searches.append(1000 * (time.perf_counter() - middle))
        if fresh:
            seen += 1
            refreshes.append(1000 * (middle - began))
        time.sleep(0.02)
    p50, p95 = np.quantile(searches, [0.5, 0.95])
    refresh = float(np.median(refreshes)) if refreshes else None
    print(json.dumps({"p50": p50, "p95": p95, "seen": seen, "refresh_ms": refresh}))


def child(folder: Path, job: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, str(folder), "--job", job]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def figures(folder: Path) -> list[dict[str, Any]]:
    path = folder / "figures.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def plot(folder: Path) -> None:
    """FOLDER/scale.png: four panels over the number of passages."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    lines = sorted(figures(folder), key=lambda line: line["passages"])
    sizes = [line["passages"] for line in lines]
    _, axes = plt.subplots(2, 2, figsize=(11, 8), constrained_layout=True)

    def draw(ax: Any, title: str, unit: str, series: dict[str, list[float]]) -> None:
        for (name, values), mark in zip(series.items(), "osv^Dx", strict=False):
            ax.plot(sizes, values, marker=mark, label=name)
        ax.set(xscale="log", yscale="log", title=title, xlabel="passages", ylabel=unit)
        ax.grid(visible=True, which="both", alpha=0.25)
        ax.legend(fontsize=8)

    def total(name: str) -> list[float]:
        return [line[name] for line in lines]

    def of(name: str, which: str) -> list[float]:
        return [line[name][which] for line in lines]

    draw(
        axes[0, 0],
        "Building, without embedding",
        "seconds",
        {"index": total("index_s"), "index, CPU": total("index_cpu_s"), "truth": total("truth_s")},
    )
    draw(
        axes[0, 1],
        "On the disk, and memory of a reading process",
        "MB",
        {
            "index on disk": [line["index_mb"] for line in lines],
            "truth on disk": [line["truth_mb"] for line in lines],
            "index, mapped pages": [max(line["index_mapped_mb"], 1) for line in lines],
            "index, memory of its own": [max(line["index_own_mb"], 1) for line in lines],
        },
    )
    draw(
        axes[1, 0],
        "Search, 100 hits a list",
        "ms",
        {
            "search p95": of("search", "p95"),
            "search p50": of("search", "p50"),
            "dense p50": of("dense", "p50"),
            "sparse p50": of("sparse", "p50"),
            "passages_by_id p50": of("passages_by_id", "p50"),
        },
    )
    draw(
        axes[1, 1],
        "Adding 20 passages while another process reads",
        "ms",
        {
            "commit p50": of("update", "p50"),
            "commit p95": of("update", "p95"),
            "reader, dense p95": of("reading_meanwhile", "p95"),
            "purge of a document": [1000 * line["purge_s"] for line in lines],
        },
    )
    plt.savefig(folder / "scale.png", dpi=110)


if __name__ == "__main__":
    main()
