"""Fit ``kgrag/retrieval/weights.json`` on BioASQ questions; cpgQA and MedQuAD are left unseen.

Each question's pool is the sentences of its best snippets (BM25 over the snippet corpus). A
sentence's worth is that of a gold snippet times the F1 of its new content words with the ideal
answer. The linear models maximise the softmax likelihood of the worth. The answer model separates
each question from itself with its gold documents removed, and from questions of general
knowledge. Every fifth question is held out and reported.

    KGRAG_DATA=... python bench/fit_reranker.py [--questions 160]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from kgrag.encoding import TokenEncoder, load_encoder
from kgrag.ids import sha256
from kgrag.reasoning.answerable import answer_features
from kgrag.reasoning.coverage import content_words
from kgrag.records.answer import Seed
from kgrag.records.text import Span
from kgrag.retrieval.context import Citable
from kgrag.retrieval.rerank import ANSWER_FEATURES, SHORTLIST, WEIGHTS, Ranked
from kgrag.retrieval.rerank_features import CHEAP, NAMES, cheap_features
from kgrag.sentences import sentences

# Development questions of general knowledge; bench/refusal.py reports on others.
GENERAL = """Who painted the ceiling of the Sistine Chapel?
What is the capital of Mongolia?
How many strings does a violin have?
When did the Berlin Wall fall?
What is the boiling point of iron?
Who wrote the novel Moby Dick?
How do I change a bicycle tyre?
Which planet has the most moons?
What is the exchange rate of the yen?
How long should I boil an egg?
Who won the football world cup in 1998?
What does a compiler do?
Which river flows through Budapest?
How do you play the Sicilian defence?
What is the tallest building in Dubai?
Who invented the telephone?
What is the speed limit on German motorways?
How are diamonds cut?
What is a sonnet?
When should tomatoes be planted?""".splitlines()


class Lexical:
    """BM25 over the snippets, as plain posting lists."""

    def __init__(self, texts: list[str]) -> None:
        self.postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        words = [content_words(t) for t in texts]
        mean = sum(map(len, words)) / len(words)
        for at, listed in enumerate(words):
            norm = 1.2 * (0.25 + 0.75 * len(listed) / mean)
            for word, n in Counter(listed).items():
                self.postings[word].append((at, n * 2.2 / (n + norm)))
        self.total = len(texts)

    def top(self, question: str, without: set[int], limit: int) -> list[tuple[int, float]]:
        scores: Counter[int] = Counter()
        for word in set(content_words(question)):
            posting = self.postings.get(word, [])
            idf = math.log(1 + (self.total - len(posting) + 0.5) / (len(posting) + 0.5))
            for at, value in posting:
                if at not in without:
                    scores[at] += idf * value
        return scores.most_common(limit)


class Cached:
    """Token states and sentence vectors by text, each made once."""

    def __init__(self) -> None:
        encoder = load_encoder("all-minilm-l6-v2")
        assert isinstance(encoder, TokenEncoder)
        self.encoder, self.name = encoder, encoder.name
        self.tokens: dict[str, np.ndarray] = {}
        self.vectors: dict[str, np.ndarray] = {}

    def encode_tokens(self, texts: list[str]) -> list[np.ndarray]:
        new = [t for t in dict.fromkeys(texts) if t not in self.tokens]
        if new:
            self.tokens.update(zip(new, self.encoder.encode_tokens(new), strict=True))
        return [self.tokens[t] for t in texts]

    def encode(self, texts: list[str]) -> np.ndarray:
        new = [t for t in dict.fromkeys(texts) if t not in self.vectors]
        if new:
            self.vectors.update(zip(new, self.encoder.encode(new), strict=True))
        return np.stack([self.vectors[t] for t in texts])


def pool(question, snippets, lexical, without, encoder):
    """Citable sentences of the best snippets, as the engine would make them."""
    top = lexical.top(question, without, 20)
    if not top:
        return []
    asked = encoder.encode([question])[0]
    cosines = encoder.encode([snippets[i]["text"][:1000] for i, _ in top]) @ asked
    found = []
    for rank, ((at, score), cosine) in enumerate(zip(top, cosines, strict=True)):
        text = snippets[at]["text"]
        spans = [s for s in sentences(text) if len(s.of(text).split()) >= 4]
        for i, span in enumerate(spans):
            if len(span.of(text).split()) <= 60:
                found.append(
                    Citable(len(found), snippets[at]["pmid"], str(at), span.start, span.end,
                            span.of(text), Span(span.start, span.end), "paragraph", (), "", None,
                            " ".join(s.of(text) for s in spans[max(0, i - 4) : i]), 0.0, rank,
                            score, score, float(cosine))
                )  # fmt: skip
    return found


def worth(citable, question, gold, ideals):
    if citable.passage_id not in gold:
        return 0.0
    asked = set(content_words(question))
    mine = set(content_words(citable.text)) - asked
    best = 0.0
    for ideal in ideals:
        wanted = set(content_words(ideal)) - asked
        if wanted and mine:
            shared = len(wanted & mine)
            best = max(best, 2 * shared / (len(wanted) + len(mine)))
    return 0.05 + best


def late(question, citables, encoder):
    from kgrag.retrieval.rerank_features import late_features

    return late_features(question, citables, encoder)


def fit_ranker(groups, names, l2=0.002):
    """Weights of the greatest softmax likelihood of the worth; ``evidence`` stays at its prior."""
    prior = np.array([0.3 if n == "evidence" else 0.0 for n in names])

    def loss(w):
        total, gradient = 0.0, np.zeros(len(names))
        for rows, value in groups:
            z = rows @ w
            z = z - z.max()
            p = np.exp(z) / np.exp(z).sum()
            total -= float(value @ np.log(p + 1e-12))
            gradient += rows.T @ (p - value)
        n = len(groups)
        return total / n + l2 * ((w - prior) ** 2).sum(), gradient / n + 2 * l2 * (w - prior)

    return minimize(loss, prior, jac=True, method="L-BFGS-B").x


def fit_logistic(rows, labels, l2=0.002):
    x = np.hstack([np.ones((len(rows), 1)), rows])
    y = np.asarray(labels, dtype=float)
    share = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))

    def loss(w):
        z = x @ w
        p = 1 / (1 + np.exp(-z))
        value = (share * (np.logaddexp(0, z) - y * z)).mean() + l2 * (w[1:] ** 2).sum()
        gradient = x.T @ (share * (p - y)) / len(y)
        gradient[1:] += 2 * l2 * w[1:]
        return value, gradient

    # No feature may speak against its own meaning: more coverage is never less covered.
    bounds = [(None, None)] + [(0, None)] * rows.shape[1]
    return minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x


def seeds_of(question, linker):
    return tuple(
        Seed(m.start, m.end, m.text, m.concept, m.text, m.score) for m in linker.link(question)
    )


def records(path):
    # Not splitlines: the texts hold line separators of Unicode.
    return [json.loads(line) for line in path.read_text().split("\n") if line.strip()]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--questions", type=int, default=160)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    folder = Path(os.environ["KGRAG_DATA"]) / "bench" / "bioasq_golden"
    questions = records(folder / "questions.jsonl")
    snippets = records(folder / "snippet_corpus.jsonl")
    of_pmid, of_text = defaultdict(set), defaultdict(set)
    for at, snippet in enumerate(snippets):
        of_pmid[snippet["pmid"]].add(at)
        of_text[snippet["text"].strip()].add(at)
    chosen = random.Random(options.seed).sample(questions, options.questions)
    lexical, encoder = Lexical([s["text"] for s in snippets]), Cached()
    from kgrag.linking import Linker
    from kgrag.vocabulary.lexicon import Lexicon, default_path

    linker = Linker(Lexicon.open(default_path()))
    data = []
    for number, question in enumerate(chosen):
        text = question["question"]
        gold = {str(i) for s in question["snippets"] for i in of_text[s["text"].strip()]}
        removed = {i for d in question["documents"] for i in of_pmid[d.rsplit("/", 1)[-1]]}
        removed |= {int(i) for i in gold}
        for label, without in ((1, set()), (0, removed)):
            pieces = pool(text, snippets, lexical, without, encoder)
            if pieces:
                values = [worth(c, text, gold, question["ideal_answer"]) for c in pieces]
                data.append((number, label, text, pieces, cheap_features(text, pieces), values))
        if number % 20 == 19:
            print(f"{number + 1} of {len(chosen)} questions", file=sys.stderr, flush=True)
    for number, text in enumerate(GENERAL):
        pieces = pool(text, snippets, lexical, set(), encoder)
        if pieces:
            features = cheap_features(text, pieces)
            data.append((number, 0, text, pieces, features, [0.0] * len(pieces)))

    def held_out(number):
        return number % 5 == 0

    trained = [
        (rows, np.array(v) / sum(v))
        for n, label, _, _, rows, v in data
        if label and not held_out(n) and sum(v)
    ]
    cheap = fit_ranker(trained, CHEAP)
    full_groups, everything = [], []
    for n, label, text, pieces, rows, values in data:
        head = np.argsort(-(rows @ cheap), kind="stable")[:SHORTLIST]
        short = [pieces[i] for i in head]
        full = np.hstack([rows[head], late(text, short, encoder)])
        value = np.array([values[i] for i in head])
        everything.append((n, label, text, short, full, value))
        if label and not held_out(n) and value.sum():
            full_groups.append((full, value / value.sum()))
    weights = fit_ranker(full_groups, NAMES)
    report = measure(everything, cheap, weights, held_out)
    rows, labels, test_rows, test_labels = [], [], [], []
    for n, label, text, short, full, _ in everything:
        order = np.argsort(-(full @ weights), kind="stable")
        ranked = [Ranked(short[i], 0.0, dict(zip(NAMES, full[i], strict=True))) for i in order]
        features = answer_features(text, ranked, seeds_of(text, linker))
        target = (test_rows, test_labels) if held_out(n) else (rows, labels)
        target[0].append([features[name] for name in ANSWER_FEATURES])
        target[1].append(label)
    answer = fit_logistic(np.array(rows), labels)

    def chances(r):
        return 1 / (1 + np.exp(-(answer[0] + np.array(r) @ answer[1:])))

    p, y = chances(rows), np.array(labels)
    # The threshold at which answerable kept and unanswerable refused are nearest to equal.
    grid = np.linspace(0.05, 0.95, 181)
    gaps = [abs((p[y == 1] >= t).mean() - (p[y == 0] < t).mean()) for t in grid]
    threshold = float(grid[int(np.argmin(gaps))])
    q, z = chances(test_rows), np.array(test_labels)
    report["answered_when_answerable"] = round(float((q[z == 1] >= threshold).mean()), 3)
    report["abstained_when_removed_or_general"] = round(float((q[z == 0] < threshold).mean()), 3)
    values = {
        "provenance": {
            "script": "bench/fit_reranker.py", "data": "BioASQ golden questions and snippets",
            "questions_sha256": sha256((folder / "questions.jsonl").read_bytes()),
            "questions": options.questions, "seed": options.seed, "encoder": encoder.name,
            "not_fitted": "evidence keeps its prior of 0.3: the pools have no assertions",
            "held_out": report,
        },
        "cheap": named(CHEAP, cheap), "full": named(NAMES, weights),
        "answer": named(("bias", *ANSWER_FEATURES), answer), "threshold": round(threshold, 4),
    }  # fmt: skip
    options.out.write_text(json.dumps(values, indent=1) + "\n")
    print(json.dumps(values, indent=1))


def named(names, values):
    return {n: round(float(v), 4) for n, v in zip(names, values, strict=True)}


def measure(everything, cheap, weights, held_out):
    """Mean worth of the first piece on held-out questions, by order; the best possible beside."""
    test = [e for e in everything if e[1] and held_out(e[0]) and e[5].sum()]
    first = {
        "passage order": lambda rows: rows[:, CHEAP.index("passage_rank")],
        "maxsim alone": lambda rows: rows[:, NAMES.index("maxsim")],
        "cheap": lambda rows: rows[:, : len(CHEAP)] @ cheap,
        "full": lambda rows: rows @ weights,
    }
    report = {
        name: round(float(np.mean([v[np.argmax(score(r))] for *_, r, v in test])), 4)
        for name, score in first.items()
    }
    best = round(float(np.mean([e[5].max() for e in test])), 4)
    return {"questions": len(test), "first_worth": report | {"best possible": best}}


if __name__ == "__main__":
    main()
