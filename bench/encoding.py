"""Encoder: passages a second against sentence-transformers' own float32 encode, and the cosine.

    python bench/encoding.py [--passages 32] [--rounds 5]

Every round runs every way once, one after the other, and the best of the rounds is shown: ratios
hold beside other work, times do not. Passages are sentences of several lengths, 20 to 240 tokens.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from machine import describe

from kgrag.encoding import load_encoder
from kgrag.models.cpu import before_torch

SENTENCE = (
    "Adults with community-acquired pneumonia of low severity are treated with amoxicillin"
    " 500 mg every 8 hours for five days, item {n}."
)
IMPORTS = ("torch", "transformers", "sentence_transformers")
QUESTION = "Does metformin lower the risk of stroke in adults with type 2 diabetes?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    before_torch()
    print(describe())
    for name in IMPORTS:
        print(f"import {name}: {_python(f'import {name}'):.2f} s in a new process")
    code = "from kgrag.encoding import load_encoder; load_encoder('all-minilm-l6-v2').encode(['x'])"
    print(f"import, load and first text: {_python(code):.2f} s in a new process")
    throughput(made(options.passages), options.rounds)


def made(count: int) -> list[str]:
    """Passages of one to nine sentences, in no order."""
    chance = random.Random(0)
    return [
        " ".join(SENTENCE.format(n=chance.random()) for _ in range(chance.randint(1, 9)))
        for _ in range(count)
    ]


def throughput(texts: list[str], rounds: int) -> None:
    from sentence_transformers import SentenceTransformer

    from kgrag.encoding.sentence_transformer import load_minilm
    from kgrag.models.catalogue import model_path

    plain = SentenceTransformer(
        str(model_path("all-minilm-l6-v2")), device="cpu", local_files_only=True
    )
    plain.max_seq_length = 256
    full, half = load_minilm("float32"), load_minilm("bfloat16")
    ways: dict[str, Callable[[], np.ndarray]] = {
        "sentence-transformers, float32": lambda: np.asarray(plain.encode(texts)),
        "ours, float32": lambda: full.encode(texts),
        "ours, bfloat16": lambda: half.encode(texts),
        "ours, bfloat16, with token states": lambda: half.encode_both(texts)[0],
        "one question, bfloat16": lambda: half.encode([QUESTION]),
    }
    best: dict[str, float] = {}
    rows: dict[str, np.ndarray] = {}
    for _ in range(rounds):
        for name, work in ways.items():
            began = time.perf_counter()
            rows[name] = work()
            best[name] = min(best.get(name, 1e9), time.perf_counter() - began)
    first, *others, question = ways
    print(f"{len(texts)} passages, best of {rounds} rounds\n| | a second | ratio | cosine |")
    print(f"|---|---|---|---|\n| {first} | {len(texts) / best[first]:.1f} | 1 | |")
    for name in others:
        cosine = (rows[first] * rows[name]).sum(axis=1).min()
        speed, ratio = len(texts) / best[name], best[first] / best[name]
        print(f"| {name} | {speed:.1f} | {ratio:.2f} | at least {cosine:.5f} |")
    print(f"{question}: {1000 * best[question]:.1f} ms")
    hashing = load_encoder("hashing")
    used = time.process_time()
    hashing.encode(texts)
    print(f"hashing: {len(texts) / (time.process_time() - used):.0f} passages a CPU second")


def _python(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
