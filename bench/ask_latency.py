"""How long `ask` and `search` take, what memory they need, and how long the first answer takes.

    python bench/ask_latency.py --kb DIR --questions 60 [--of cpgqa|guide] [--compare|--profile]

Questions are of cpgQA (KGRAG_DATA), drawn with a fixed seed, or those on guidelines in ``labels``,
which need no other data. The kb is only read. The cold start is that of a fresh process, imports
and models included, files of the kb most likely in the page cache. A question is easy when its
first round answered it, hard when more rounds were looked or it was not answered. Processor seconds
are of all threads: on a busy machine they say more than the clock does. ``--profile`` tells where
the time of warm questions goes, by step and by function. With
``--compare`` settings of retrieval take turns at every question, each time another one first: on a
busy machine only such ratios mean something.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
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
from kgrag.records.answer import Answer
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


def questions(count: int, of: str = "cpgqa") -> list[str]:
    """At most ``count`` of the questions, drawn with a fixed seed."""
    if of == "guide":
        paths = sorted((Path(__file__).parent / "labels").glob("guide_questions*.jsonl"))
    else:
        paths = [Path(os.environ["KGRAG_DATA"]) / "bench" / "cpgqa" / "qa.jsonl"]
    lines = [line for p in paths for line in p.read_text(encoding="utf-8").split("\n") if line]
    rows = [json.loads(line)["question"] for line in lines]
    return random.Random(7).sample(rows, min(count, len(rows)))


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


Asked = tuple[Answer, float, float]
"""An answer, its milliseconds by the clock, and its seconds of processor time."""


def answers(engine: Engine, asked: list[str]) -> list[Asked]:
    """What ``ask`` says to each, and what it took."""
    found = []
    for question in asked:
        began, used = time.perf_counter(), time.process_time()
        answer = engine.ask(question)
        taken = (time.perf_counter() - began) * 1000
        found.append((answer, taken, time.process_time() - used))
    return found


def by_difficulty(found: list[Asked]) -> None:
    """Prints time, words and rounds of easy and of hard questions, and by what is asked."""
    groups: dict[str, list[Asked]] = {"all": found}
    for one in found:
        answer = one[0]
        easy = not answer.abstained and len(answer.rounds) == 1
        groups.setdefault("easy" if easy else "hard", []).append(one)
        if not easy:
            kind = "hard, abstained" if answer.abstained else "hard, answered"
            groups.setdefault(kind, []).append(one)
    for one in found:
        intents = one[0].analysis.intents if one[0].analysis else ()
        groups.setdefault(f"asks {intents[0] if intents else 'other'}", []).append(one)
    print("| questions | number | ms p50 | p95 | CPU s p50 | words quoted p50 | p95 | rounds | "
          "words read p50 | tokens of a model |")  # fmt: skip
    print("|" + "---|" * 10)
    for name, group in groups.items():
        ms = np.percentile([taken for _, taken, _ in group], [50, 95])
        quoted = [sum(len(s.text.split()) for s in a.statements) for a, _, _ in group]
        words = np.percentile(quoted, [50, 95])
        rounds = np.mean([len(a.rounds) for a, _, _ in group])
        read = np.median([sum(r.words for r in a.rounds) for a, _, _ in group])
        tokens = sum(r.tokens for a, _, _ in group for r in a.rounds)
        print(f"| {name} | {len(group)} | {ms[0]:.0f} | {ms[1]:.0f} | "
              f"{np.median([cpu for _, _, cpu in group]):.2f} | {words[0]:.0f} | {words[1]:.0f} | "
              f"{rounds:.2f} | {read:.0f} | {tokens} |")  # fmt: skip


def profile(engine: Engine, asked: list[str]) -> None:
    """Prints the median milliseconds of each step, and the functions that take most of it."""
    steps: dict[str, list[float]] = {}
    watch = cProfile.Profile()
    for question in asked:
        watch.enable()
        answer = engine.ask(question)
        watch.disable()
        for step, ms in answer.timings_ms.items():
            steps.setdefault(step, []).append(ms)
    print({step: round(float(np.median(ms))) for step, ms in steps.items()})
    pstats.Stats(watch).sort_stats("tottime").print_stats(15)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--of", choices=("cpgqa", "guide"), default="cpgqa")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    asked = questions(arguments.questions, arguments.of)
    print(describe())
    if arguments.compare:
        compare(arguments.kb, asked)
        return
    if arguments.profile:
        with Engine.open(arguments.kb) as engine:
            engine.warm_up()
            engine.ask(asked[0])
            profile(engine, asked[1:])
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
        found = answers(engine, asked)
        print(shown("ask", [ms for _, ms, _ in found]))
        by_difficulty(found)
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")


if __name__ == "__main__":
    main()
