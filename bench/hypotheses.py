"""Simulated patients: what retrieval through hypotheses finds, and what each piece of it adds.

    KGRAG_DATA=... python bench/hypotheses.py KB dev|test [--out FILE.json]

KB holds MedQuAD's answers (``kgrag eval patients`` makes it). The lexicon must hold the findings of
diseases (``kgrag vocab build``). Prints recall@10 as the share of right answers found and as the
share of cases with one at least, the place of the true condition among the hypotheses, and seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import kgrag.retrieval.hypotheses as part
from kgrag import Engine
from kgrag.evaluation.compare import compare, estimate
from kgrag.evaluation.measures import measure
from kgrag.evaluation.once import Once
from kgrag.evaluation.patients import patients
from kgrag.evaluation.run import Finder, baseline_finders, rank_all
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.fusion import fuse
from kgrag.retrieval.hypotheses import Hypotheses, hypotheses_of
from kgrag.retrieval.hypotheses_findings import read_findings
from kgrag.retrieval.terms import question_terms
from kgrag.stores.base import Filters, IndexHit

WEIGHT = 4.0  # of hypotheses beside 0.5 of BM25 and dense, by standard scores
DEPTH = 100


@contextmanager
def constants(**values: float):  # type: ignore[no-untyped-def]
    """The part's constants are others for a while."""
    before = {name: getattr(part, name) for name in values}
    for name, value in values.items():
        setattr(part, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(part, name, value)


def finders(engine: Engine, source: Hypotheses) -> dict[str, Finder]:
    every = Filters()

    def asked(text: str) -> Asked:
        return Asked(text, engine.encoder, engine.linker)

    def lists(question: Asked) -> dict[str, list[IndexHit]]:
        return {
            "bm25": engine.index.sparse(question.terms, limit=DEPTH, filters=every),
            "dense": engine.index.dense(question.vector, limit=DEPTH, filters=every),
        }

    def alone(**values: float) -> Finder:
        def find(text: str) -> list[tuple[str, str]]:
            with constants(**values):
                hits = source.find(asked(text), limit=DEPTH, filters=every)
            return [(h.passage_id, h.document_id) for h in hits]

        return find

    def joined(text: str) -> list[tuple[str, str]]:
        question = asked(text)
        found = {**lists(question), "hypotheses": source.find(question, limit=DEPTH, filters=every)}
        home = {h.passage_id: h.document_id for hits in found.values() for h in hits}
        ranked = fuse(found, {"bm25": 0.5, "dense": 0.5, "hypotheses": WEIGHT})
        return [(p, home[p]) for p, _ in ranked[:DEPTH]]

    def findings_only(text: str) -> list[tuple[str, str]]:
        question = asked(text)
        words = read_findings(question.text, question.mentions).text
        found = {
            "bm25": engine.index.sparse(question_terms(words), limit=DEPTH, filters=every),
            "dense": engine.index.dense(
                engine.encoder.encode([words])[0], limit=DEPTH, filters=every
            ),
        }
        home = {h.passage_id: h.document_id for hits in found.values() for h in hits}
        return [(p, home[p]) for p, _ in fuse(found, {"bm25": 0.5, "dense": 0.5})[:DEPTH]]

    return {
        "findings alone, no hypotheses": findings_only,
        "hypotheses without annotations": alone(_ANNOTATED=0.0),
        "hypotheses without names": alone(_NAMED=0.0),
        "hypotheses": alone(),
        "bm25 + dense + hypotheses": joined,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kb", type=Path)
    parser.add_argument("half", choices=("dev", "test"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with Engine.open(options.kb) as engine:
        suite = patients(Path(os.environ["KGRAG_DATA"]), engine.lexicon).of(options.half)
        source = hypotheses_of(engine, engine.index)
        once = Once(engine)
        every: dict[str, Finder] = {**baseline_finders(once), **finders(engine, source)}
        rankings = rank_all(engine, suite, every, forget=once.forget)
        scores = {name: measure(suite, found, ("R@10", "S@10")) for name, found in rankings.items()}
        print(f"{len(suite.queries)} cases ({options.half}); {'; '.join(suite.notes)}")
        for name, values in scores.items():
            against = compare(values["R@10"], scores["dense"]["R@10"])
            print(
                f"{name:32s} R@10 {estimate(values['R@10'])} S@10 {estimate(values['S@10'])}"
                f" | R@10 - dense {against}"
            )
        for name in ("bm25", "rrf", "zsum"):
            for ours in ("hypotheses", "bm25 + dense + hypotheses"):
                r = compare(scores[ours]["R@10"], scores[name]["R@10"])
                s = compare(scores[ours]["S@10"], scores[name]["S@10"])
                print(f"{ours} - {name}: R@10 {r}; S@10 {s}")
        print(f"silent on {sum(_silent(engine, q.text) for q in suite.queries)} of the cases")
        _seconds(engine, source, [q.text for q in suite.queries])
        if options.out:
            kept = {n: {m: list(map(float, v)) for m, v in s.items()} for n, s in scores.items()}
            options.out.write_text(json.dumps(kept, indent=1))


def _silent(engine: Engine, text: str) -> bool:
    return not read_findings(text, engine.linker.link(text)).is_patient


def _seconds(engine: Engine, source: Hypotheses, texts: list[str]) -> None:
    """The source against the encoding of the question, which every search needs."""
    ours, encoding = [], []
    timed: Callable[[], float] = time.perf_counter
    for text in texts:
        asked = Asked(text, engine.encoder, engine.linker)
        _ = asked.mentions
        began = timed()
        engine.encoder.encode([text])
        encoding.append(timed() - began)
        began = timed()
        source.find(asked, limit=DEPTH, filters=Filters())
        ours.append(timed() - began)
    print(
        f"find: median {np.median(ours) * 1e3:.0f} ms, encoding the question"
        f" {np.median(encoding) * 1e3:.0f} ms"
    )


if __name__ == "__main__":
    main()
