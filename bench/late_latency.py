"""Milliseconds of the part ``late`` over a large store of token states, drawn around real ones.

    python bench/late_latency.py --kb DIR [--passages 100000]

States of the kb's passages are packed once and put again under other ids until there are enough.
The question has 20 tokens. Prints build, opening and scoring, for 40 and 100 passages drawn anew
each time, so that most pages of the files are not the last ones read.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from machine import describe

from kgrag import Engine
from kgrag.encoding.base import TokenEncoder
from kgrag.encoding.late import StateCode
from kgrag.records.answer import CitedDocument, Hit
from kgrag.retrieval.index import indexed_text, open_states
from kgrag.retrieval.late import LateInteraction

SAMPLE, BATCH, ROUNDS = 300, 2_048, 200


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kb", required=True)
    parser.add_argument("--passages", type=int, default=100_000)
    options = parser.parse_args()
    print(describe())
    with Engine.open(options.kb) as engine:
        encoder = engine.encoder
        assert isinstance(encoder, TokenEncoder)
        texts: list[str] = []
        for info in engine.truth.documents():
            document = engine.truth.document(info.id)
            texts += [indexed_text(document, p) for p in engine.truth.passages(info.id)]
            if len(texts) >= SAMPLE:
                break
    code = StateCode(encoder.dimensions)
    began = time.perf_counter()
    states = encoder.encode_tokens(texts[:SAMPLE])
    encoded = time.perf_counter() - began
    began = time.perf_counter()
    packed = [code.pack(s) for s in states]
    packing = time.perf_counter() - began
    tokens = sum(map(len, packed))
    print(
        f"{tokens / len(packed):.0f} tokens and {tokens * code.width / len(packed) / 1000:.1f} KB"
    )
    print(f"encoding {len(packed)} passages {encoded:.1f} s, packing {packing:.2f} s")
    rng = np.random.default_rng(0)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        store = open_states(root, encoder, mode="write")
        began = time.perf_counter()
        for at in range(0, options.passages, BATCH):
            numbers = range(at, min(at + BATCH, options.passages))
            store.put((f"pas_{n}", f"doc_{n // 10}", packed[n % len(packed)]) for n in numbers)
            store.commit(at + 1)
        store.close()
        size = sum(p.stat().st_size for p in root.iterdir()) / 1e6
        took_s = time.perf_counter() - began
        print(f"{options.passages:,} passages written in {took_s:.1f} s, {size:,.0f} MB")
        for mode in ("read", "write"):
            began = time.perf_counter()
            store = open_states(root, encoder, mode=cast("Any", mode))
            print(f"opened to {mode} in {1000 * (time.perf_counter() - began):.0f} ms")
            if mode == "read":
                store.close()
        part = LateInteraction(cast("Any", None), encoder, store)
        question = encoder.encode_tokens(texts[:1])[0][:20]
        asked = cast("Any", SimpleNamespace(states=question))
        cited = CitedDocument("doc", "uri", "title")
        for count in (40, 100):
            took, worked = [], []
            for _ in range(ROUNDS):
                chosen = rng.choice(options.passages, count, replace=False)
                hits = [Hit(cited, f"pas_{n}", "", 0, 0, 0.0) for n in chosen]
                began, busy = time.perf_counter(), time.thread_time()
                part.score(asked, hits)
                took.append(1000 * (time.perf_counter() - began))
                worked.append(1000 * (time.thread_time() - busy))
            p50, p95 = np.quantile(took, [0.5, 0.95])
            cpu = np.median(worked)
            print(f"late over {count}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, CPU p50 {cpu:.1f} ms")
        began = time.perf_counter()
        store.delete_documents(["doc_1"])
        store.commit(options.passages + 1)
        store.purge()
        print(f"removing a document and purging: {time.perf_counter() - began:.1f} s")
        store.close()


if __name__ == "__main__":
    main()
