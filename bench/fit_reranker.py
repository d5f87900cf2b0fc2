"""Fit ``kgrag/retrieval/weights.json`` on the pools of ``bench/dev_pools.py``; cpgQA is not read.

Half of the questions (by a hash of their key) are fitted on, half held out, and the other way
round: every figure is of questions that its model did not see. A linear model ships only if its
first piece is worth more than that of MaxSim in its place with a paired bootstrap interval above 0.
The answer model separates questions of which one of the first three pieces is gold from the same
questions with their gold removed, and from questions of general knowledge. An answerable question
without gold among its first three pieces teaches nothing about either.

    KGRAG_DATA=... python bench/dev_pools.py KIND    (each kind; then)
    python bench/fit_reranker.py
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from dev_pools import load
from scipy.optimize import minimize

from kgrag.reasoning.answerable import answer_features
from kgrag.retrieval.rerank import ANSWER_FEATURES, WEIGHTS, Ranked, standard
from kgrag.retrieval.rerank_features import CHEAP, NAMES, cheap_features, weakest

SETS = {
    "maxsim in place": ("maxsim",),
    "maxsim and bm25": ("maxsim", "bm25", "passage_bm25", "passage_cosine"),
    "linear": ("maxsim", "cosine", "bm25", "covered_before", "new_words", "passage_bm25",
               "passage_cosine", "amount", "list"),
    "linear, all": tuple(n for n in NAMES if n != "evidence"),
    "cheap": ("bm25", "covered", "covered_before", "new_words", "length", "passage_bm25",
              "passage_cosine", "passage_rank", "amount", "list"),
}  # fmt: skip
EVIDENCE = 0.3
# The threshold is chosen on questions of the kind that kgrag is for. Encyclopaedia pages, of which
# the next one on the same disease is never an answer, would have it refuse half of them.
REGIME = "guide"
ASKING_SETS = ("guide", "bioasq", "medquad", "general")


def features(pool):
    similar = np.maximum(pool.similar, pool.place)
    late = np.column_stack([similar.mean(axis=1), pool.cosine, [weakest(s) for s in similar]])
    return np.hstack([cheap_features(pool.question, pool.pieces), late])


def fit_ranker(groups, names, l2=0.02):
    """Weights by name, of the greatest softmax likelihood of the worth; other names weigh 0."""
    at = [NAMES.index(n) for n in names]
    groups = [(standard(rows)[:, at], gold / gold.sum()) for rows, gold in groups if gold.sum()]

    def loss(w):
        total, gradient = 0.0, np.zeros(len(at))
        for rows, gold in groups:
            scores = rows @ w
            p = np.exp(scores - scores.max())
            p /= p.sum()
            total -= float(gold @ np.log(p + 1e-12))
            gradient += rows.T @ (p - gold)
        return total / len(groups) + l2 * (w @ w), gradient / len(groups) + 2 * l2 * w

    weights = np.zeros(len(NAMES))
    weights[at] = minimize(loss, np.zeros(len(at)), jac=True, method="L-BFGS-B").x
    weights[NAMES.index("evidence")] = EVIDENCE
    return weights


def fit_logistic(rows, labels, l2=0.002):
    x = np.hstack([np.ones((len(rows), 1)), rows])
    y = np.asarray(labels, dtype=float)
    share = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))

    def loss(w):
        logits = x @ w
        p = 1 / (1 + np.exp(-logits))
        value = (share * (np.logaddexp(0, logits) - y * logits)).mean() + l2 * (w[1:] ** 2).sum()
        gradient = x.T @ (share * (p - y)) / len(y)
        gradient[1:] += 2 * l2 * w[1:]
        return value, gradient

    # No feature may speak against its own meaning: more coverage is never less covered.
    bounds = [(None, None)] + [(0, None)] * rows.shape[1]
    return minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x


def interval(values, rounds=4000):
    values = np.asarray(values, dtype=float)
    rng = np.random.default_rng(1)
    means = values[rng.integers(0, len(values), (rounds, len(values)))].mean(axis=1)
    return [round(float(v), 3) for v in (values.mean(), *np.quantile(means, [0.025, 0.975]))]


def ranking(pools, rows):
    """The report, the names of the set that ships, and the weights fitted on all questions."""
    use = [i for i, p in enumerate(pools) if p.answerable and p.kind != "medquad" and p.gold.max()]
    groups = {i: (rows[i], pools[i].gold) for i in use}
    first = {name: [] for name in SETS}
    order = []
    for half in (False, True):
        unseen = [i for i in use if pools[i].held_out == half]
        order += unseen
        seen = [groups[i] for i in use if pools[i].held_out != half]
        for name, names in SETS.items():
            weights = fit_ranker(seen, names)
            first[name] += [
                pools[i].gold[np.argmax(standard(rows[i]) @ weights)] for i in unseen
            ]  # fmt: skip
    shipping = "maxsim in place"
    base = np.array(first[shipping])
    gain = {n: interval(np.array(v) - base) for n, v in first.items() if n != shipping}
    alone = np.array([pools[i].gold[np.argmax(pools[i].similar.mean(axis=1))] for i in order])
    report = {
        "questions": len(use),
        "first_worth": {n: interval(v) for n, v in first.items()},
        "gain_over_maxsim_in_place": gain,
        "maxsim_of_the_piece_alone": interval(alone),
        "gain_of_the_place": interval(base - alone),
        "gain_of_the_place_by_kind": {
            kind: interval((base - alone)[[pools[i].kind == kind for i in order]])
            for kind in sorted({pools[i].kind for i in order})
        },
        "best_possible": round(float(np.mean([pools[i].gold.max() for i in use])), 3),
    }
    winners = [n for n in gain if gain[n][1] > 0 and n != "cheap"]
    shipped = max(winners, key=lambda n: gain[n][0]) if winners else shipping
    every = list(groups.values())
    return (
        report | {"shipped": shipped},
        fit_ranker(every, SETS["cheap"]),
        fit_ranker(every, SETS[shipped]),
    )


def threshold_of(chances, labels):
    """Where the share of answerable kept and of unanswerable refused are nearest to equal."""
    grid = np.linspace(0.05, 0.95, 181)
    gaps = [abs((chances[labels == 1] >= t).mean() - (chances[labels == 0] < t).mean())
            for t in grid]  # fmt: skip
    return float(grid[int(np.argmin(gaps))])


def answering(pools, rows, weights):
    orders = [np.argsort(-(standard(r) @ weights), kind="stable") for r in rows]
    use = [i for i, p in enumerate(pools) if p.kind in ASKING_SETS
           and (not p.answerable or p.gold[orders[i][:3]].max() > 0)]  # fmt: skip
    x, y = [], np.array([int(pools[i].answerable) for i in use])
    for i in use:
        pool, order = pools[i], orders[i]
        ranked = [Ranked(pool.pieces[j], 0.0, dict(zip(NAMES, rows[i][j], strict=True)))
                  for j in order]  # fmt: skip
        found = answer_features(pool.question, ranked)
        x.append([found[n] for n in ANSWER_FEATURES])
    x, kept = np.array(x), np.zeros(len(use), dtype=bool)
    half = np.array([pools[i].held_out for i in use])
    kinds = np.array([pools[i].kind for i in use])
    unseen = np.zeros(len(use))
    for side in (False, True):
        model = fit_logistic(x[half != side], y[half != side])
        chances = 1 / (1 + np.exp(-(model[0] + x @ model[1:])))
        unseen[half == side] = chances[half == side]
        own = (half != side) & (kinds == REGIME)
        kept[half == side] = chances[half == side] >= threshold_of(chances[own], y[own])
    report = {"answered_when_answerable": interval(kept[y == 1]),
              "abstained_when_not": interval(~kept[y == 0])}  # fmt: skip
    for kind in ASKING_SETS:
        for label in (1, 0):
            chosen = (kinds == kind) & (y == label)
            if chosen.any():
                name = f"{kind}, {'answered' if label else 'abstained'}"
                report[name] = interval(kept[chosen] == bool(label))
    own = kinds == REGIME
    return report, fit_logistic(x, y), threshold_of(unseen[own], y[own])


def named(names, values):
    return {n: round(float(v), 4) for n, v in zip(names, values, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    pools = load()
    rows = [features(p) for p in pools]
    report, cheap, full = ranking(pools, rows)
    refusing, answer, threshold = answering(pools, rows, full)
    values = {
        "provenance": {
            "script": "bench/fit_reranker.py on the pools of bench/dev_pools.py",
            "data": "order: BioASQ, SciFact, Evidence Inference, guide; "
                    "answer: guide, BioASQ, MedQuAD, general; threshold: guide",
            "encoder": "all-minilm-l6-v2",
            "not_fitted": f"evidence keeps its prior of {EVIDENCE}: the pools have no assertions",
            "cross_fitted": {"ranking": report, "answering": refusing},
        },
        "cheap": named(CHEAP, cheap[: len(CHEAP)]), "full": named(NAMES, full),
        "answer": named(("bias", *ANSWER_FEATURES), answer), "threshold": round(threshold, 4),
    }  # fmt: skip
    options.out.write_text(json.dumps(values, indent=1) + "\n")
    print(json.dumps(values, indent=1))


if __name__ == "__main__":
    main()
