"""How long `ask` and `search` take, what memory they need, and how long the first answer takes.

    python bench/ask_latency.py --kb /tmp/big-kb --questions 60 [--compare]

Questions are of cpgQA (KGRAG_DATA), drawn with a fixed seed. The cold start is that of a fresh
process, imports and models included, files of the kb most likely in the page cache. With
``--compare`` settings of retrieval take turns at every question, each time another one first: on a
busy machine only such ratios mean something.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ask_parts import BEFORE, interval, name_of, opened
from machine import describe

from kgrag import Engine
from kgrag.reasoning.loop import ask
from kgrag.records.question import AskOptions

COMPARED = ((BEFORE, 20), (None, 20), (None, 15), (None, 10))

_COLD = """
import sys, time
began = time.perf_counter()
from kgrag import Engine
with Engine.open(sys.argv[1]) as engine:
    opened = time.perf_counter()
    getattr(engine, sys.argv[2])(sys.argv[3])
    print(opened - began, time.perf_counter() - began)
"""


def questions(count: int) -> list[str]:
    path = Path(os.environ["KGRAG_DATA"]) / "bench" / "cpgqa" / "qa.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row["question"] for row in random.Random(7).sample(rows, count)]


def times(call: Callable[[str], object], asked: list[str]) -> list[float]:
    found = []
    for question in asked:
        began = time.perf_counter()
        call(question)
        found.append((time.perf_counter() - began) * 1000)
    return found


def shown(name: str, ms: list[float]) -> str:
    p50, p95 = np.percentile(ms, [50, 95])
    return f"| `{name}` warm, ms | {p50:.0f} | {p95:.0f} | {len(ms)} |"


def compare(kb: Path, asked: list[str]) -> None:
    """Prints the milliseconds of ``ask`` by step, and ratios to the first setting."""
    made = opened(kb, COMPARED, remember=False)
    totals: dict[str, list[float]] = {}
    steps: dict[str, list[dict[str, float]]] = {}
    for parts, passages in COMPARED:
        ask(asked[0], made[parts], AskOptions(passages=passages))
    for at, question in enumerate(asked):
        turn = at % len(COMPARED)
        for parts, passages in (*COMPARED[turn:], *COMPARED[:turn]):
            began = time.perf_counter()
            answer = ask(question, made[parts], AskOptions(passages=passages))
            name = name_of(parts, passages)
            totals.setdefault(name, []).append((time.perf_counter() - began) * 1000)
            steps.setdefault(name, []).append(dict(answer.timings_ms))
    base = np.array(totals[name_of(*COMPARED[0])])
    for parts, passages in COMPARED:
        name = name_of(parts, passages)
        ratio = np.log(np.array(totals[name]) / base)
        print(shown(name, totals[name]))
        print(f"log of the ratio to the first: {interval(list(ratio))}")
        print({s: round(float(np.median([t.get(s, 0.0) for t in steps[name]])))
               for s in ("graph", "search", "context", "rerank", "verification")})  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--compare", action="store_true")
    arguments = parser.parse_args()
    asked = questions(arguments.questions)
    print(describe())
    if arguments.compare:
        compare(arguments.kb, asked)
        return
    for name in ("search", "ask"):
        command = [sys.executable, "-c", _COLD, arguments.kb, name, asked[0]]
        runs = []
        for _ in range(3):
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            runs.append([float(part) for part in done.stdout.split()[-2:]])
        opened, first = np.median(np.array(runs), axis=0)
        print(f"cold `{name}`: kb opened after {opened:.2f} s, first result after {first:.2f} s")
    with Engine.open(arguments.kb) as engine:
        print(f"passages: {engine.stats()['passages']:,}")
        engine.warm_up()
        engine.ask(asked[0])
        print("| what | p50 | p95 | questions |\n|---|---|---|---|")
        print(shown("search", times(engine.search, asked)))
        print(shown("ask", times(engine.ask, asked)))
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")


if __name__ == "__main__":
    main()
