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
from dataclasses import replace
from pathlib import Path

import answer_pools
import numpy as np
from dev_pools import load
from scipy.optimize import minimize

from kgrag.reasoning.answerable import answer_features
from kgrag.retrieval.rerank import (
    ANSWER_FEATURES,
    FINDING_FEATURES,
    SHORTLIST,
    WEIGHTS,
    Ranked,
    Weights,
    standard,
    tells_findings,
)
from kgrag.retrieval.rerank_features import (
    CHEAP,
    NAMES,
    asks_finding,
    cheap_features,
    late_rows,
)

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
FINDING = ("maxsim", "telling", "aim", "found", "passage_score", "new_words", "length",
           "covered_before", "rank")  # fmt: skip
ANSWERABLE = ("guide", "pubmedqa-evidence", "bioasq-factoid", "evidence-inference")
REMOVED = ("general", *(f"{name}-removed" for name in ANSWERABLE))
LATE = ("best_maxsim", "passage_late", "passage_gap")
# The threshold is chosen on questions of the kind that kgrag is for. Encyclopaedia pages, of which
# the next one on the same disease is never an answer, would have it refuse half of them.
GUIDE = "guide"
ASKING_SETS = ("guide", "bioasq", "medquad", "general")
# That of questions for findings is chosen where the same questions are asked with and without their
# documents.
REGIME = (*ANSWERABLE, *REMOVED[1:])


def features(pool):
    similar = np.maximum(pool.similar, pool.place)
    late = late_rows(similar, pool.cosine)
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


def fit_logistic(rows, labels, kinds=None, l2=0.002):
    """Answerable and not weigh alike; with ``kinds`` those of each too, penalised by spread."""
    spread = np.ones(rows.shape[1]) if kinds is None else rows.std(axis=0)
    kinds = np.zeros(len(rows)) if kinds is None else kinds
    x = np.hstack([np.ones((len(rows), 1)), rows / spread])
    y = np.asarray(labels, dtype=float)
    share = np.zeros(len(y))
    for label in (0, 1):
        present = sorted(set(kinds[y == label]))
        for kind in present:
            chosen = (y == label) & (kinds == kind)
            share[chosen] = len(y) * 0.5 / len(present) / chosen.sum()

    def loss(w):
        logits = x @ w
        p = 1 / (1 + np.exp(-logits))
        value = (share * (np.logaddexp(0, logits) - y * logits)).mean() + l2 * (w[1:] ** 2).sum()
        gradient = x.T @ (share * (p - y)) / len(y)
        gradient[1:] += 2 * l2 * w[1:]
        return value, gradient

    # No feature may speak against its own meaning: more coverage is never less covered.
    bounds = [(None, None)] + [(0, None)] * rows.shape[1]
    found = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    return found / np.array([1.0, *spread])


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


def listed(pool):
    """The pieces of an answer pool that the encoder reads in ``ask``, with features and worth."""
    cheap = cheap_features(pool.question, pool.pieces)
    weights = np.array([Weights.load().cheap[n] for n in CHEAP])
    best = set(np.argsort(-(standard(cheap) @ weights), kind="stable")[:SHORTLIST])
    keep = [at for at, i in enumerate(pool.short) if i in best]
    chosen = pool.short[keep]
    late = late_rows(np.maximum(pool.own, pool.place)[keep], pool.cosine[keep])
    told = pool.late[~np.isnan(pool.late)]
    late_of = {"best_late": float(told.max()), "best_gap": float(told.max() - told.mean())} \
        if len(told) else {}  # fmt: skip
    pieces = [replace(pool.pieces[i], **late_of) for i in chosen]
    return pieces, np.hstack([cheap[chosen], late]), pool.gold[chosen]


def mass(groups, names, l2=0.02):
    """Weights by name of the greatest probability of right pieces, all kinds of pools alike."""
    at = [NAMES.index(n) for n in names]
    rows = [(standard(x)[:, at], y, share) for x, y, share in groups if y.max() > 0]

    def loss(w):
        total, gradient = 0.0, np.zeros(len(at))
        for x, y, share in rows:
            e = np.exp((scores := x @ w) - scores.max())
            right = (e * y).sum() / e.sum()
            total -= share * np.log(right + 1e-12)
            gradient -= share * (x.T @ (e * y / max((e * y).sum(), 1e-12) - e / e.sum()))
        return total + l2 * (w @ w), gradient + 2 * l2 * w

    weights = np.zeros(len(NAMES))
    weights[at] = minimize(loss, np.zeros(len(at)), jac=True, method="L-BFGS-B").x
    weights[NAMES.index("evidence")] = EVIDENCE
    return weights


def finding(pools, made, full):
    """The report and weights of the order of what studies found, on five parts in turn."""
    use = [i for i, p in enumerate(pools) if p.answerable and asks_finding(p.question)
           and tells_findings(made[i][1]) and made[i][2].max() > 0]  # fmt: skip
    kinds = [pools[i].kind for i in use]
    share = {k: 1 / kinds.count(k) / len(set(kinds)) for k in kinds}

    def groups(indexes):
        return [(*made[i][1:], share[pools[i].kind]) for i in indexes]

    worth = {"full": [], "finding": []}
    for fold in range(5):
        weights = mass(groups(i for i in use if pools[i].fold != fold), FINDING)
        for i in use:
            if pools[i].fold == fold:
                for name, w in (("full", full), ("finding", weights)):
                    order = np.argsort(-(standard(made[i][1]) @ w), kind="stable")
                    gold = made[i][2][order]
                    worth[name].append((pools[i].kind, gold[0], gold[:3].max()))
    report = {"questions": len(use)}
    for place, what in ((1, "first"), (2, "first three")):
        for name, values in worth.items():
            report[f"{name}, {what}"] = interval([v[place] for v in values])
        pairs = zip(worth["finding"], worth["full"], strict=True)
        report[f"gain, {what}"] = interval([a[place] - b[place] for a, b in pairs])
    weights = mass(groups(use), FINDING)
    # The loop keeps what scores at most so much less than the first: on the scale of the others.
    spread = [[(standard(made[i][1]) @ w).std() for i in use] for w in (full, weights)]
    weights *= np.mean(spread[0]) / np.mean(spread[1])
    weights[NAMES.index("evidence")] = EVIDENCE
    return report, weights


def threshold_of(chances, labels):
    """Where the share of answerable kept and of unanswerable refused are nearest to equal."""
    grid = np.linspace(0.05, 0.95, 181)
    gaps = [abs((chances[labels == 1] >= t).mean() - (chances[labels == 0] < t).mean())
            for t in grid]  # fmt: skip
    return float(grid[int(np.argmin(gaps))])


def answering(pools, rows, weights):
    """The report, the logistic model of whether the best piece answers, and its threshold."""
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
        own = (half != side) & (kinds == GUIDE)
        kept[half == side] = chances[half == side] >= threshold_of(chances[own], y[own])
    report = {"answered_when_answerable": interval(kept[y == 1]),
              "abstained_when_not": interval(~kept[y == 0])}  # fmt: skip
    for kind in ASKING_SETS:
        for label in (1, 0):
            chosen = (kinds == kind) & (y == label)
            if chosen.any():
                name = f"{kind}, {'answered' if label else 'abstained'}"
                report[name] = interval(kept[chosen] == bool(label))
    own = kinds == GUIDE
    return report, fit_logistic(x, y), threshold_of(unseen[own], y[own])


def answering_findings(pools, made, full, found):
    """The same for questions that studies could answer, of questions of all kinds."""
    x, y, use = [], [], []
    for i, pool in enumerate(pools):
        pieces, rows, gold = made[i]
        studies = asks_finding(pool.question) and tells_findings(rows)
        scores = standard(rows) @ (found if studies else full)
        order = np.argsort(-scores, kind="stable")
        if pool.answerable and gold[order][:3].max() == 0:
            continue  # it teaches nothing about either
        ranked = [Ranked(pieces[j], float(scores[j]), dict(zip(NAMES, rows[j], strict=True)))
                  for j in order]  # fmt: skip
        features = answer_features(pool.question, ranked)
        x.append([features[n] for n in FINDING_FEATURES])
        y.append(int(pool.answerable))
        use.append(i)
    x, y = np.array(x), np.array(y)
    fold, kinds = np.array([pools[i].fold for i in use]), np.array([pools[i].kind for i in use])
    columns = x[y == 1].mean(axis=0)[[FINDING_FEATURES.index(n) for n in LATE]]
    unseen = np.zeros(len(use))
    for side in range(5):
        model = fit_logistic(x[fold != side], y[fold != side], kinds[fold != side])
        unseen[fold == side] = 1 / (1 + np.exp(-(model[0] + x[fold == side] @ model[1:])))
    own = np.isin(kinds, REGIME)
    threshold = threshold_of(unseen[own], y[own])
    report = {"threshold": round(threshold, 3), "auc": round(auc(unseen, y), 3),
              "of answerable": named(LATE, columns)}  # fmt: skip
    for kind in sorted(set(kinds)):
        both = y[kinds == kind]
        if 0 < both.sum() < len(both):
            report[f"{kind}, auc"] = round(auc(unseen[kinds == kind], both), 3)
        for label, what in ((1, "answered"), (0, "abstained")):
            chosen = (kinds == kind) & (y == label)
            if chosen.any():
                kept = unseen[chosen] >= threshold
                report[f"{kind}, {what}"] = interval(kept == bool(label))
    return report, fit_logistic(x, y, kinds), threshold


def auc(chances, labels):
    """How often an answerable question has the higher chance of the two, ties as half."""
    gaps = chances[labels == 1][:, None] - chances[labels == 0][None, :]
    return float((gaps > 0).mean() + (gaps == 0).mean() / 2)


def named(names, values):
    return {n: round(float(v), 4) for n, v in zip(names, values, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    pools = load()
    for pool in pools:
        # Made without late interaction, some before a piece could tell of it.
        pool.pieces = [replace(c, best_late=None, best_gap=0.0) for c in pool.pieces]
    rows = [features(p) for p in pools]
    report, cheap, full = ranking(pools, rows)
    refusing, answer, threshold = answering(pools, rows, full)
    asked = answer_pools.load((*ANSWERABLE, *REMOVED))
    made = [listed(p) for p in asked]
    gains, found = finding(asked, made, full)
    refused, studies, own = answering_findings(asked, made, full, found)
    # Both models are judged by one threshold.
    studies[0] += np.log(threshold / (1 - threshold)) - np.log(own / (1 - own))
    values = {
        "provenance": {
            "script": "bench/fit_reranker.py on the pools of bench/dev_pools.py and "
                      "bench/answer_pools.py",
            "data": "order: BioASQ, SciFact, Evidence Inference, guide; "
                    "answer: guide, BioASQ, MedQuAD, general; threshold: guide; "
                    "order of findings: the development halves of PubMedQA, Evidence Inference, "
                    "BioASQ, and guide; answer to questions for findings: these with and without "
                    "the documents of their answers, general",
            "encoder": "all-minilm-l6-v2",
            "not_fitted": f"evidence keeps its prior of {EVIDENCE}: the pools have no assertions",
            "cross_fitted": {"ranking": report, "finding": gains, "answering": refusing,
                             "answering findings": refused},
        },
        "cheap": named(CHEAP, cheap[: len(CHEAP)]), "full": named(NAMES, full),
        "finding": named(NAMES, found),
        "answer": named(("bias", *ANSWER_FEATURES), answer),
        "answer_finding": named(("bias", *FINDING_FEATURES), studies),
        "threshold": round(threshold, 4),
    }  # fmt: skip
    options.out.write_text(json.dumps(values, indent=1) + "\n")
    print(json.dumps(values, indent=1))


if __name__ == "__main__":
    main()
