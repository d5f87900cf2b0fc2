"""Whole `search` of a kb of made passages with all that the default parts read: ms and CPU.

    python bench/scale_search.py FOLDER --kb KB [--passages 100000]

FOLDER becomes a kb: documents of 100 passages (see scale_content), vectors and token states drawn
from those of the real KB, in every passage some of its concepts, as frequent as they are there.
Questions are four made words with names of two concepts. Figures are of scale, not of quality; what
there is in FOLDER already is measured again. Assertions are not made.
"""

from __future__ import annotations

import argparse
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from machine import describe
from numpy.typing import NDArray
from scale_content import DIMENSIONS, Content, real_vectors

from kgrag import Engine
from kgrag.encoding import load_encoder
from kgrag.ids import sha256
from kgrag.records.concepts import Mention
from kgrag.retrieval.index import cache_name, open_states, shape, titled
from kgrag.stores.base import Ingested
from kgrag.stores.qdrant import open_index
from kgrag.stores.sql import open_truth

BATCH, MENTIONS, SAMPLE, QUESTIONS = 100, 12, 300, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=100_000)
    options = parser.parse_args()
    print(describe())
    made, often = Content(real_vectors([options.kb])), concepts(options.kb)
    if not options.folder.exists():
        fill(options.folder, options.kb, made, often, options.passages // 100)
    measure(options.folder, made, often)


def concepts(kb: Path) -> list[str]:
    """CURIEs that passages of the kb mention, one for each mention."""
    with closing(sqlite3.connect(f"file:{kb / 'truth.sqlite'}?mode=ro", uri=True)) as truth:
        return [c for (c,) in truth.execute("select concept from postings order by doc, position")]


def states(kb: Path) -> list[NDArray[np.uint8]]:
    """Packed token states of passages of the kb."""
    with closing(sqlite3.connect(f"file:{kb / 'truth.sqlite'}?mode=ro", uri=True)) as truth:
        ids = [
            i for (i,) in truth.execute("select id from passages order by id limit ?", (SAMPLE,))
        ]
    kept = open_states(kb / "tokens", load_encoder("all-minilm-l6-v2"), mode="read")
    return [codes.copy() for codes in kept.get(ids) if codes is not None]


def mentioning(item: Ingested, often: list[str], rng: np.random.Generator) -> Ingested:
    """The document with mentions of concepts at its first words of every passage."""
    text, found = item.document.text, list[Mention]()
    for passage in item.passages:
        start = passage.start
        for at in rng.integers(0, len(often), MENTIONS).tolist():
            end = text.index(" ", start)
            found.append(Mention(start, end, text[start:end], often[at], "disease"))
            start = end + 1
    return replace(item, mentions=tuple(found))


def fill(folder: Path, kb: Path, made: Content, often: list[str], documents: int) -> None:
    """FOLDER is a kb of so many documents, with index, states, vectors and concepts."""
    encoder, packed, rng = load_encoder("all-minilm-l6-v2"), states(kb), np.random.default_rng(5)
    began = time.perf_counter()
    with open_truth(folder, mode="write", create=True) as truth:
        truth.put_setting("encoder", encoder.name)
        index = open_index(
            folder / "index", dimensions=DIMENSIONS, encoder=shape(encoder), mode="write"
        )
        kept = open_states(folder / "tokens", encoder, mode="write")
        for first in range(0, documents, BATCH):
            for number in range(first, min(first + BATCH, documents)):
                plain, points = made.document(number)
                item = mentioning(plain, often, rng)
                truth.put(item)
                index.upsert(points)
                document, text = item.document, item.document.text
                digests = [
                    sha256(titled(document.metadata.title, (), text[p.start : p.end]).encode())
                    for p in item.passages
                ]
                vectors = {d: p.vector for d, p in zip(digests, points, strict=True)}
                owners = {d: [document.id] for d in digests}
                truth.put_embeddings(cache_name(encoder), vectors, owners=owners)
                chosen = rng.integers(0, len(packed), len(points)).tolist()
                pairs = zip(points, chosen, strict=True)
                kept.put((p.passage_id, p.document_id, packed[at]) for p, at in pairs)
            index.commit(truth.generation)
            kept.commit(truth.generation)
            print(f"  {100 * (first + BATCH):,}, {time.perf_counter() - began:.0f} s", flush=True)
        index.close()
        kept.close()
    with Engine.open(folder, mode="write") as engine:
        engine.catch_up()
    print(f"made in {time.perf_counter() - began:.0f} s")


def questions(made: Content, often: list[str], engine: Engine) -> Iterator[str]:
    rng = np.random.default_rng(99)
    for _ in range(QUESTIONS):
        words, _ = made.question(rng, words=4)
        names = [engine.name_of(often[at]) for at in rng.integers(0, len(often), 2).tolist()]
        yield f"Does {words} in {names[0]} lower the risk of {names[1]}?"


def measure(folder: Path, made: Content, often: list[str]) -> None:
    """Opening, p50 and p95 and CPU of a search with 20 hits, and what each part takes."""
    began = time.perf_counter()
    with Engine.open(folder) as engine:
        engine.warm_up()
        print(f"opened and warm in {time.perf_counter() - began:.1f} s")
        asked = list(questions(made, often, engine))
        for text in asked[:10]:
            engine.search(text, limit=20)
        taken, cpu = [], []
        for text in asked[10:]:
            began, busy = time.perf_counter(), time.process_time()
            assert len(engine.search(text, limit=20)) == 20
            taken.append(1000 * (time.perf_counter() - began))
            cpu.append(1000 * (time.process_time() - busy))
        p50, p95 = np.quantile(taken, [0.5, 0.95])
        count = engine.truth.counts()["passages"]
        print(f"{count:,} passages: search p50 {p50:.1f} ms, p95 {p95:.1f} ms, ", end="")
        print(
            f"CPU p50 {np.median(cpu):.1f} ms; parts {', '.join(engine.settings.retrieval.parts)}"
        )


if __name__ == "__main__":
    main()
