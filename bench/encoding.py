"""Encoder: load time, passages a second in both number formats, and the cosine between them.

    python bench/encoding.py [--passages 48]

Run it as the only work of the machine for times; ratios hold beside other work.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import numpy as np
from machine import describe

from kgrag.encoding import load_encoder
from kgrag.models.cpu import Dtype, before_torch

SENTENCE = (
    "Adults with community-acquired pneumonia of low severity are treated with amoxicillin"
    " 500 mg every 8 hours for five days, item {n}. "
)
IMPORTS = ("torch", "transformers", "sentence_transformers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=48)
    count = parser.parse_args().passages
    before_torch()
    print(describe())
    for name in IMPORTS:
        print(f"import {name}: {_python(f'import {name}'):.2f} s in a new process")
    code = "from kgrag.encoding import load_encoder; load_encoder('all-minilm-l6-v2')"
    print(f"import and load_encoder: {_python(code):.2f} s in a new process")

    from kgrag.encoding.sentence_transformer import load_minilm

    texts = [(SENTENCE.format(n=n) * 4).strip() for n in range(count)]  # about 120 tokens each
    formats: tuple[Dtype, ...] = ("bfloat16", "float32")
    rows = {}
    for dtype in formats:
        encoder = load_minilm(dtype)
        encoder.encode(texts[:4])
        wall, used = time.perf_counter(), time.process_time()
        rows[dtype] = encoder.encode(texts)
        wall, used = time.perf_counter() - wall, time.process_time() - used
        tokens = sum(len(t) for t in encoder.encode_tokens(texts)) / count
        print(
            f"{dtype}: {count / wall:.0f} passages a second, {count / used:.0f} a CPU second"
            f" ({tokens:.0f} tokens each)"
        )
    cosine = (rows["bfloat16"] * rows["float32"]).sum(axis=1)
    print(f"cosine between the formats: smallest {cosine.min():.5f}, mean {cosine.mean():.5f}")
    hashing = load_encoder("hashing")
    used = time.process_time()
    hashing.encode(texts)
    used = time.process_time() - used
    print(f"hashing: {count / used:.0f} passages a CPU second; {np.__name__} {np.__version__}")


def _python(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
