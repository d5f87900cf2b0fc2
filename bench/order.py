"""Who should choose the first sentence: the reranker, or the language model in either of two ways.

On the pools of ``bench/dev_pools.py``: the ten best pieces of the reranker's order (MaxSim of the
piece in its place) are offered to the language model, which either says how likely the question is
after each piece, or walks the token trie of the pieces. Worth of the first piece, paired bootstrap.

    python bench/order.py [--questions 40] [--model smollm2-135m-instruct]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time

import numpy as np
from dev_pools import load
from fit_reranker import interval
from machine import describe

from kgrag.generation import load_language_model
from kgrag.reasoning.loop import OFFERED

KINDS = ("guide", "bioasq", "trials", "scifact")


def standard(values):
    values = np.asarray(values, dtype=float)
    return (values - values.mean()) / (values.std() + 1e-9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=40, help="of each kind")
    parser.add_argument("--model", default="smollm2-135m-instruct")
    options = parser.parse_args()
    model = load_language_model(options.model)
    worth: dict[str, list[float]] = {}
    seconds: dict[str, list[float]] = {"query likelihood": [], "choice in the trie": []}
    for kind in KINDS:
        pools = [p for p in load((kind,)) if p.answerable and p.gold.max() > 0]
        for pool in random.Random(5).sample(pools, min(options.questions, len(pools))):
            late = np.maximum(pool.similar, pool.place).mean(axis=1)
            order = np.argsort(-late, kind="stable")[:OFFERED]
            texts = [pool.pieces[i].text for i in order]
            placed = [". ".join(t for t in (pool.pieces[i].place, pool.pieces[i].text) if t)
                      for i in order]  # fmt: skip
            began = time.perf_counter()
            likely = model.query_likelihood(pool.question, placed)
            seconds["query likelihood"].append(time.perf_counter() - began)
            began = time.perf_counter()
            chosen = model.choose(pool.question, texts, count=1)
            seconds["choice in the trie"].append(time.perf_counter() - began)
            picks = {
                "reranker": 0,
                "query likelihood": int(np.argmax(likely)),
                "reranker and a third of query likelihood":
                    int(np.argmax(standard(late[order]) + standard(likely) / 3)),
                "choice in the trie": chosen[0] if chosen else 0,
            }  # fmt: skip
            for name, at in picks.items():
                worth.setdefault(name, []).append(float(pool.gold[order[at]]))
                worth.setdefault(f"{name}, {kind}", []).append(float(pool.gold[order[at]]))
        print(kind, len(worth["reranker"]), file=sys.stderr, flush=True)
    base = np.array(worth["reranker"])
    report = {
        "machine": describe(),
        "model": model.name,
        "worth of the first piece": {n: interval(v) for n, v in worth.items()},
        "gain over the reranker": {n: interval(np.array(worth[n]) - base) for n in
                                   ("query likelihood", "reranker and a third of query likelihood",
                                    "choice in the trie")},
        "median seconds": {n: round(float(np.median(v)), 2) for n, v in seconds.items()},
    }  # fmt: skip
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
