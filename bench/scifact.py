"""Claims to abstracts: our BM25, dense and joined rankings beside a reference BM25.

    KGRAG_DATA=... python bench/scifact.py

The gate of decision 0002: our sparse ranking within 0.01 nDCG@10 of the reference's.
"""

from __future__ import annotations

import json

import bm25s
import snowballstemmer
from machine import describe
from retrieval import data, embed, indexed, interval, ndcg

from kgrag.encoding import load_encoder
from kgrag.retrieval.fusion import Fusion, fuse
from kgrag.retrieval.terms import question_terms
from kgrag.stores.base import Filters


def main() -> None:
    encoder = load_encoder("all-minilm-l6-v2")
    with data("bench/scifact/corpus.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    with data("bench/scifact/claims_train.jsonl").open() as file:
        claims = {str(r["id"]): r["claim"] for r in map(json.loads, file)}
    gold: dict[str, dict[str, int]] = {}
    for line in data("bench/scifact/qrels/train.tsv").read_text().splitlines()[1:]:
        claim, document, grade = line.split("\t")
        gold.setdefault(claim, {})[document] = int(grade)
    ids = [r["_id"] for r in rows]
    texts = [f"{r['title']}\n{r['text']}" for r in rows]
    asked = [c for c in claims if c in gold]
    questions = [claims[c] for c in asked]
    vectors = embed("scifact", encoder, texts)
    wanted = embed("scifact-claims", encoder, questions)
    print(describe())
    print(f"{len(texts)} abstracts, {len(asked)} claims, nDCG@10 with 95% interval")

    def show(name: str, rankings: list[list[str]]) -> None:
        values = [ndcg(r, gold[c]) for r, c in zip(rankings, asked, strict=True)]
        print(f"| {name} | {interval(values)} |")

    show("BM25, reference (bm25s, Snowball stems)", reference(ids, texts, questions))
    with indexed([(i, i) for i in ids], texts, vectors) as index:
        every = Filters()
        lexical = [index.sparse(question_terms(q), limit=100, filters=every) for q in questions]
        dense = [index.dense(v, limit=100, filters=every) for v in wanted]
    show("BM25, ours in the vector index", [[h.passage_id for h in hits] for hits in lexical])
    show("cosine", [[h.passage_id for h in hits] for hits in dense])
    for weight in (0.3, 0.4, 0.5, 0.6, 0.7):
        joined = [
            [i for i, _ in fuse(a, b, Fusion(dense_weight=weight))]
            for a, b in zip(lexical, dense, strict=True)
        ]
        show(f"sum of z-scores, dense weight {weight}", joined)


def reference(ids: list[str], texts: list[str], questions: list[str]) -> list[list[str]]:
    """The ten best of a public BM25 with its own tokens (k1 1.2, b 0.75)."""
    stemmer = snowballstemmer.stemmer("english")

    def tokens(some: list[str]) -> object:
        return bm25s.tokenize(
            some,
            stopwords="en",
            stemmer=lambda words: [stemmer.stemWord(w) for w in words],
            show_progress=False,
        )

    engine = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    engine.index(tokens(texts), show_progress=False)
    found, _ = engine.retrieve(tokens(questions), k=10, show_progress=False)
    return [[ids[at] for at in row] for row in found]


if __name__ == "__main__":
    main()
