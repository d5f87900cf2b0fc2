"""The gate of decision 0002: our BM25 within 0.01 nDCG@10 of a public one, on the same passages.

    KGRAG_DATA=... python bench/bm25.py --kb DIR    (pip install bm25s)

The kb is that of ``kgrag eval scifact`` (in the cache folder, ``eval/scifact/kb``). Both sides rank
the texts that the index holds, and a document by its best passage.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import bm25s
import snowballstemmer
from machine import describe

from kgrag import Engine
from kgrag.evaluation import Rankings, Suite, baselines, compare, estimate, load_suite, measure
from kgrag.evaluation.run import DEPTH, owners
from kgrag.retrieval.index import indexed_text

ALLOWED = 0.01


def reference(engine: Engine, suite: Suite) -> Rankings:
    """The rankings of bm25s with Snowball stems and its own tokens (k1 1.2, b 0.75)."""
    stemmer = snowballstemmer.stemmer("english")

    def tokens(some: list[str]) -> object:
        return bm25s.tokenize(
            some,
            stopwords="en",
            stemmer=lambda words: [stemmer.stemWord(w) for w in words],
            show_progress=False,
        )

    owner = owners(engine, suite)
    texts: list[str] = []
    homes: list[str] = []
    for identifier, home in owner.items():
        document = engine.truth.document(identifier)
        for passage in engine.truth.passages(identifier):
            texts.append(indexed_text(document, passage))
            homes.append(home)
    index = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    index.index(tokens(texts), show_progress=False)
    found, _ = index.retrieve(tokens([q.text for q in suite.queries]), k=DEPTH, show_progress=False)
    return {
        query.id: tuple(dict.fromkeys(homes[at] for at in row))
        for query, row in zip(suite.queries, found, strict=True)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    kb = parser.parse_args().kb
    suite = load_suite("scifact")
    with Engine.open(kb) as engine:
        theirs = measure(suite, reference(engine, suite))["nDCG@10"]
        ours = measure(suite, baselines(engine, suite)["bm25"])["nDCG@10"]
    difference = compare(ours, theirs)
    print(describe())
    print(
        f"{len(suite.queries)} claims, nDCG@10: reference {estimate(theirs)}, ours {estimate(ours)}"
    )
    print(f"ours minus reference: {difference}")
    if difference.difference < -ALLOWED:
        raise SystemExit(f"more than {ALLOWED} below the reference")


if __name__ == "__main__":
    main()
