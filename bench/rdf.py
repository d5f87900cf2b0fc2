"""The RDF store: load of a million statements, two-step SPARQL, catching up, export rates.

    python bench/rdf.py [--documents 1250] [--runs 3]

Everything is generated (tests/generated_world.py). Baselines: the engine's own bulk load of a
ready file, rdflib, and a new build for the catch-up. Times are medians with the least and the
most; CPU seconds stand beside them, because the machine may be shared.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

import pyoxigraph as ox
from asserted_world import PlainNames, Said, document
from generated_world import GeneratedTruth
from machine import describe

from kgrag.stores import rdf
from kgrag.stores.rdf import names as n
from kgrag.stores.rdf.store import up_to_date
from kgrag.stores.sql import open_truth

TWO_STEPS = (
    f"PREFIX kg: <{n.BASE}> SELECT DISTINCT ?c WHERE {{ ?a kg:subject <%s> ; kg:object ?b ;"
    " kg:negated false . ?d kg:object ?b ; kg:subject ?c ; kg:negated false }"
)


def timed(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds on the clock, seconds of the processor, and what the call gave."""
    clock, cpu = time.perf_counter(), time.process_time()
    found = call()
    return time.perf_counter() - clock, time.process_time() - cpu, found


def spread(values: list[float], unit: str = "s", by: float = 1.0) -> str:
    shown = [v * by for v in values]
    return f"{statistics.median(shown):.2f} {unit} ({min(shown):.2f} to {max(shown):.2f})"


def repeated(name: str, runs: int, call: Callable[[], Any], size: int, what: str) -> Any:
    clocks, cpus, found = [], [], None
    for _ in range(runs):
        clock, cpu, found = timed(call)
        clocks.append(clock)
        cpus.append(cpu)
    rate = size / statistics.median(cpus)
    print(f"{name}: {spread(clocks)}, CPU {spread(cpus)}, {rate:,.0f} {what} a CPU second")
    return found


def fresh(folder: Path) -> Iterator[Path]:
    number = 0
    while True:
        number += 1
        yield folder / f"run-{number}"


def exports(truth: GeneratedTruth, folder: Path, runs: int) -> None:
    size = truth.counts()["assertions"]
    for form in rdf.FORMATS:
        out = folder / f"out.{form}"
        repeated(
            f"export {form}", runs, lambda f=form, o=out: rdf.export(truth, None, f, o),
            size, "assertions",
        )  # fmt: skip


def loads(truth: GeneratedTruth, folder: Path, runs: int) -> Path:
    counts = rdf.export(truth, None, "nq", folder / "kb.nq")
    rdf.export(truth, None, "nt", folder / "kb.nt")
    size = counts["statements"]
    print(f"{counts}, {(folder / 'kb.nq').stat().st_size / 2**20:.0f} MB of N-Quads")
    paths = fresh(folder)

    def raw(form: ox.RdfFormat, name: str) -> None:
        store = ox.Store(str(next(paths)))
        store.bulk_load(path=str(folder / name), format=form)

    repeated("baseline, triples loaded from a file", runs,
             lambda: raw(ox.RdfFormat.N_TRIPLES, "kb.nt"), size, "statements")  # fmt: skip
    repeated("baseline, quads loaded from a file", runs,
             lambda: raw(ox.RdfFormat.N_QUADS, "kb.nq"), size, "statements")  # fmt: skip
    store = repeated("built from the truth", runs,
                     lambda: up_to_date(truth, None, next(paths)), size, "statements")  # fmt: skip
    held = sum(p.stat().st_size for p in store.rglob("*") if p.is_file())
    print(f"on disk {held / 2**20:.0f} MB")
    return store


def steps(truth: GeneratedTruth, folder: Path, store: Path) -> None:
    opened = ox.Store.read_only(str(store))
    chance = random.Random(5)
    subjects = sorted({a.subject for a in truth.assertions()})
    picked = [rdf.concept_iri(chance.choice(subjects)) for _ in range(200)]
    times, rows = [], 0
    for iri in picked:
        seconds, _, found = timed(
            lambda q=TWO_STEPS % iri: len(list(opened.query(q, use_default_graph_as_union=True)))
        )
        times.append(seconds)
        rows += found
    cuts = statistics.quantiles(times, n=20)
    print(f"two steps, store open: p50 {1000 * statistics.median(times):.2f} ms,"
          f" p95 {1000 * cuts[-1]:.2f} ms, {rows / len(picked):.1f} rows")  # fmt: skip
    whole = []
    for iri in picked[:10]:
        query = TWO_STEPS % iri
        whole.append(timed(lambda q=query: rdf.sparql(truth, None, store.parent.parent, q,
                                                      engine="oxigraph"))[0])  # fmt: skip
    print(f"two steps, a process a query: {spread(whole, 'ms', 1000)}")
    small = GeneratedTruth(12, 20)
    rdf.export(small, None, "nt", folder / "small.nt")
    from rdflib import Graph

    dataset = Graph()
    seconds, _, _ = timed(lambda: dataset.parse(folder / "small.nt", format="nt"))
    subjects = sorted({a.subject for a in small.assertions()})
    times = []
    for subject in subjects[:30]:
        query = TWO_STEPS % rdf.concept_iri(subject)
        times.append(timed(lambda q=query: len(list(dataset.query(q))))[0])
    print(f"baseline, rdflib with {len(dataset):,} statements of {small.counts()['assertions']}"
          f" assertions: load {seconds:.2f} s, two steps p50"
          f" {1000 * statistics.median(times):.1f} ms")  # fmt: skip


def catching_up(folder: Path, runs: int) -> None:
    chance = random.Random(3)

    def said(count: int) -> list[Said]:
        found: list[Said] = []
        for at in range(count):
            one, other = (f"{x}{chance.randrange(2000)}" for x in "ab")
            found.append((one, "treats", other, False, f"{one} treats {other} ({at})."))
        return found

    with open_truth(folder / "kb", mode="write", create=True) as truth:
        for at in range(300):
            truth.put(document(f"d{at}", said(20)))
        assertions = truth.counts()["assertions"]
        clock, cpu, _ = timed(lambda: up_to_date(truth, PlainNames(), folder / "kb"))
        print(f"build over a real truth, {assertions:,} assertions of 300 documents:"
              f" {clock:.2f} s, CPU {cpu:.2f} s")  # fmt: skip
        clocks = []
        for at in range(max(5, runs)):
            truth.put(document(f"d{at}", said(20)))
            clocks.append(timed(lambda: up_to_date(truth, PlainNames(), folder / "kb"))[0])
        print(f"one document replaced, caught up: {spread(clocks)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1250)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    print(f"{describe()}, pyoxigraph {version('pyoxigraph')}, rdflib {version('rdflib')}")
    truth = GeneratedTruth(chosen.documents, 20)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = loads(truth, folder, chosen.runs)
        steps(truth, folder, store)
        exports(truth, folder, chosen.runs)
        catching_up(folder, chosen.runs)


if __name__ == "__main__":
    main()
