"""Fits the weights by which retrieval joins its parts, and writes ``kgrag/retrieval/fusion.json``.

    KGRAG_DATA=... python bench/fit_fusion.py scifact=KB bioasq=KB medquad=KB [--questions 300]
        [--write]

Only development halves are read. A grid of few values, since weights near the best are as good;
every suite counts the same. "Left out" is what a suite gets from the weights that the others
choose. The weight of BM25's share is 1; ``--write`` scales all so that the joined score of the
sources has the spread of standard scores, which weights of other parts were measured beside.
What is told of messages and of encoders that are not known stays as it is in the file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from machine import describe

from kgrag import Engine
from kgrag.config import parse_settings
from kgrag.evaluation import Suite, estimate, load_suite, measure
from kgrag.evaluation.run import owners
from kgrag.records.answer import Hit
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.feedback import Feedback
from kgrag.retrieval.fusion import FITTED, Fusion, scaled
from kgrag.retrieval.late import late_of
from kgrag.retrieval.passages import HybridRetriever

DENSE, LATE, FEEDBACK = (1.0, 2.0, 3.0, 4.0), (0.0, 4.0, 6.0, 8.0, 10.0), (0.0, 0.5, 1.0)
RESCORED = 100
# Of the joined score of two lists, beside the spread of 1 of each: what it was before.
SPREAD = 0.85


@dataclass
class Pool:
    """The passages of one question, in order of id, with what the parts say of each."""

    asked: Asked
    hits: Sequence[Hit]
    names: Sequence[str]
    share: np.ndarray
    dense: np.ndarray
    late: np.ndarray

    def joined(self, dense: float, late: float) -> np.ndarray:
        """Scores; those of the passages beyond the first ``RESCORED`` of the sources below all."""
        first = self.share + dense * self.dense
        head = np.argsort(-first, kind="stable")[:RESCORED]
        scores = first - 1000
        scores[head] = first[head] + late * self.late[head]
        return scores

    def ranking(self, scores: np.ndarray) -> list[str]:
        order = np.argsort(-scores, kind="stable")
        return list(dict.fromkeys(self.names[at] for at in order))


def pools(engine: Engine, suite: Suite) -> list[Pool]:
    everything = Fusion(weights={"bm25": 1.0, "dense": 1.0}, rescored=400)
    retriever = HybridRetriever(
        engine.truth, engine.index, engine.encoder, linker=engine.linker,
        scorers=[late_of(engine)], fusion=everything,
    )  # fmt: skip
    home = owners(engine, suite)
    made = []
    for at, query in enumerate(suite.queries):
        found = sorted(retriever.candidates(query.text, limit=400), key=lambda c: c.hit.passage_id)
        said = {}
        for name in ("bm25", "dense", "late"):
            given = [c.scores[name] for c in found if name in c.scores]
            said[name] = np.array([c.scores.get(name, min(given, default=0.0)) for c in found])
        made.append(
            Pool(
                Asked(query.text, engine.encoder, engine.linker), [c.hit for c in found],
                [home.get(c.hit.document.id, c.hit.document.id) for c in found],
                scaled(said["bm25"], "share"), said["dense"], said["late"],
            )
        )  # fmt: skip
        if at % 50 == 0:
            print(suite.name, at, len(suite.queries), file=sys.stderr, flush=True)
    return made


def looked_back(pool: Pool, scores: np.ndarray, weight: float, unit: float, feedback: Feedback):
    """``scores`` and ``weight`` times the feedback on their order."""
    if not weight:
        return scores
    head = np.argsort(-scores, kind="stable")[:RESCORED]
    hits = [replace(pool.hits[at], score=float(unit * scores[at])) for at in head]
    back = feedback.score(pool.asked, hits)
    told = scores.copy()
    told[head] += weight * np.where(np.isnan(back), np.nanmin(back, initial=0.0), back)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kbs", nargs="+", metavar="SUITE=KB")
    parser.add_argument("--questions", type=int, default=300, help="of each suite")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    worth: dict[str, dict[tuple[float, float, float], np.ndarray]] = {}
    spreads: list[float] = []
    for pair in options.kbs:
        name, _, kb = pair.partition("=")
        suite = load_suite(name).of("dev", limit=options.questions)
        # With the part named, the states that the kb keeps are read and not made anew.
        settings = parse_settings(
            {"retrieval": {"parts": ["bm25", "dense", "late"]}}, origin="the fit"
        )
        with Engine.open(Path(kb), settings=settings) as engine:
            encoder, feedback = engine.encoder.name, Feedback(engine.truth, engine.encoder)
            made = pools(engine, suite)
            spreads += [float((p.share + 2 * p.dense).std()) for p in made]
            unit = SPREAD / float(np.mean(spreads))
            cells = worth.setdefault(name, {})
            for cell in product(DENSE, LATE, FEEDBACK):
                dense, late, back = cell
                ranked = {
                    query.id: pool.ranking(
                        looked_back(pool, pool.joined(dense, late), back, unit, feedback)
                    )
                    for query, pool in zip(suite.queries, made, strict=True)
                }
                cells[cell] = measure(suite, ranked)["nDCG@10"]
    mean = {n: {cell: float(v.mean()) for cell, v in cells.items()} for n, cells in worth.items()}
    best = chosen(mean, tuple(mean))
    report = {"dense, late, feedback beside 1 for the share of BM25": best, "nDCG@10": {}}
    for name in mean:
        others = tuple(n for n in mean if n != name) or (name,)
        left = chosen(mean, others)
        report["nDCG@10"][name] = {
            "questions": len(worth[name][best]),
            "chosen by all": str(estimate(worth[name][best])),
            "left out": str(estimate(worth[name][left])) + f" by {left}",
            "without feedback": str(estimate(worth[name][(*best[:2], 0.0)])),
            "without late and feedback": str(estimate(worth[name][(best[0], 0.0, 0.0)])),
        }
    print(json.dumps({"machine": describe(), **report}, indent=1))
    if options.write:
        write(encoder, best, SPREAD / float(np.mean(spreads)), report)


def chosen(mean, suites) -> tuple[float, float, float]:
    """The cell with the best mean over suites, the smaller weights among equals."""
    cells = sorted(mean[suites[0]])
    return max(cells, key=lambda cell: round(float(np.mean([mean[n][cell] for n in suites])), 4))


def write(encoder: str, best: tuple[float, float, float], unit: float, report: dict) -> None:
    values = json.loads(FITTED.read_text(encoding="utf-8"))
    own = values["fitted"][encoder]
    bm25, dense, late, back = (round(unit * weight, 1) for weight in (1.0, *best))
    own["sources"] |= {"bm25": bm25, "dense": dense}
    own["scorers"] |= {"late": late, "feedback": back}
    values["provenance"]["fitted"] = {"script": "bench/fit_fusion.py", **report}
    FITTED.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
