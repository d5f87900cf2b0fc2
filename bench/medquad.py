"""Questions to the page that answers them, over all answer pages; the question is not indexed.

    KGRAG_DATA=... python bench/medquad.py

A page is ranked by its best passage. The pages are indexed by their answer text alone, without
the topic that the source names for them. Pages with the same answer text count as one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from machine import describe
from retrieval import data, embed, indexed, interval

from kgrag.encoding import load_encoder
from kgrag.ids import passage_id, sha256
from kgrag.records.text import Block, Document, Source
from kgrag.retrieval.fusion import Fusion, fuse
from kgrag.retrieval.terms import question_terms
from kgrag.stores.base import Filters
from kgrag_ingest.passages import passages

QUESTIONS, SEED, DEPTH = 200, 20260101, 300


def pieces(answer: str) -> list[str]:
    """The passages of an answer page."""
    lines = [" ".join(line.split()) for line in answer.splitlines() if line.strip()]
    blocks, at = [], 0
    for line in lines:
        blocks.append(Block("paragraph", at, at + len(line)))
        at += len(line) + 2
    text = "\n\n".join(lines)
    document = Document(
        "d", Source("b", "d"), "d", "text/plain", "", "bench", text, blocks=tuple(blocks)
    )
    return [text[p.start : p.end] for p in passages(document)]


def main() -> None:
    encoder = load_encoder("all-minilm-l6-v2")
    with data("corpora/medquad/qa_with_answers.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    texts: list[str] = []
    names: list[tuple[str, str]] = []
    for page, answer in {sha256(r["answer"].encode()): r["answer"] for r in rows}.items():
        for at, text in enumerate(pieces(answer)):
            texts.append(text)
            names.append((passage_id(page, at, at + 1), page))
    chosen = random.Random(SEED).sample(rows, QUESTIONS)
    gold = [sha256(r["answer"].encode()) for r in chosen]
    questions = [r["question"] for r in chosen]
    vectors = embed("medquad", encoder, texts)
    wanted = embed("medquad-questions", encoder, questions)
    owner = dict(names)
    print(describe())
    print(f"{len(rows)} pages, {len(texts)} passages, {QUESTIONS} questions (seed {SEED})")

    def pages(ranked: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(owner[i] for i in ranked))

    def show(name: str, rankings: list[list[str]]) -> None:
        cells = " | ".join(
            interval([float(g in r[:k]) for r, g in zip(rankings, gold, strict=True)])
            for k in (1, 10)
        )
        print(f"| {name} | {cells} |")

    print("| ranking | recall@1 | recall@10 |\n|---|---|---|")
    with indexed(names, texts, vectors) as index:
        every = Filters()
        lexical = [index.sparse(question_terms(q), limit=DEPTH, filters=every) for q in questions]
        dense = [index.dense(v, limit=DEPTH, filters=every) for v in wanted]
    show("BM25", [pages([h.passage_id for h in hits]) for hits in lexical])
    show("cosine", [pages([h.passage_id for h in hits]) for hits in dense])
    for depth, weight in ((100, 0.3), (100, 0.4), (100, 0.5), (100, 0.6), (100, 0.7), (300, 0.5)):
        joined = [
            pages([i for i, _ in fuse(a[:depth], b[:depth], Fusion(depth, weight))])
            for a, b in zip(lexical, dense, strict=True)
        ]
        show(f"sum of z-scores, depth {depth}, dense weight {weight}", joined)


if __name__ == "__main__":
    main()
