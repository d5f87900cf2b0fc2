"""What each round of the loop brings, and what time and words a question costs, by difficulty.

Questions of ``labels/guide_questions.jsonl`` are asked of a kb of the corpora with and without the
document of their sentence (``cpgqa`` is never found), with questions of general knowledge beside
them; with ``--bioasq`` BioASQ questions of a kb of their snippets. A question that the first round
settles is easy. For the others every round that there is gets its turn, until one settles it: a
round is worth the answers that it made right, and costs those that it made wrong.

    python bench/loop.py --kb DIR [--bioasq DIR] --half dev|test [--questions 66] [--rounds 5]

``dev`` is the half of questions with crc32(id) even.
"""

from __future__ import annotations

import argparse
import json
import os
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ask_parts import Barring, interval
from dev_pools import GENERAL, QUESTIONS, flat, records, sentence_of
from machine import describe

from kgrag import Engine
from kgrag.reasoning.loop import Parts, ask
from kgrag.records.answer import Answer
from kgrag.records.question import AskOptions

WIDEN = ("bridge", "passages", "graph", "hypotheses")
RUNS = Path(__file__).parent / ".cache" / "loop.jsonl"


@dataclass(frozen=True)
class Asked:
    """A question of one kind; ``gold`` are texts one of which a right quotation meets."""

    kind: str
    question: str
    gold: tuple[str, ...]
    without: tuple[str, ...] = ()


def is_dev(key: str) -> bool:
    return zlib.crc32(key.encode()) % 2 == 0


def guide(engine: Engine, limit: int, dev: bool) -> Iterator[Asked]:
    barred = tuple(d.id for d in engine.truth.documents(collection="cpgqa"))
    sources = {(d.source.collection, d.source.identifier): d.id for d in engine.truth.documents()}
    chosen = [r for r in records(QUESTIONS) if is_dev(r["question"]) is dev][:limit]
    for label in chosen:
        home = sources[label["collection"], label["identifier"]]
        document = engine.truth.document(home)
        span = sentence_of(document, label)
        if span is None:
            continue
        gold = (flat(span.of(document.text)),)
        yield Asked("guide", label["question"], gold, barred)
        if not label["elsewhere"]:
            yield Asked("guide, removed", label["question"], (), (*barred, home))
    for question in [q for q in GENERAL if is_dev(q) is dev][: limit // 3]:
        yield Asked("general", question, (), barred)


def bioasq(limit: int, dev: bool) -> Iterator[Asked]:
    path = Path(os.environ["KGRAG_DATA"]) / "bench" / "bioasq_golden" / "questions.jsonl"
    rows = [r for r in records(path) if is_dev(r["id"]) is dev][:limit]
    for row in rows:
        yield Asked("bioasq", row["question"], tuple(flat(s["text"]) for s in row["snippets"]))


def right(answer: Answer, gold: tuple[str, ...]) -> bool:
    """Whether a quotation holds a gold text, or lies in one."""
    quotes = [flat(c.quote) for s in answer.statements for c in s.citations]
    return any(q in g or g in q for q in quotes for g in gold)


def run(parts: Parts, asked: Asked, rounds: int) -> dict[str, object]:
    own = replace(parts, retriever=Barring(parts.retriever, asked.without))
    if parts.near is not None:
        barred = set(asked.without)
        near = parts.near
        own = replace(
            own, near=lambda v, o: [f for f in near(v, o) if f.hit.document.id not in barred]
        )
    answer = ask(asked.question, own, AskOptions(rounds=rounds, widen=WIDEN))
    return {
        "kind": asked.kind, "question": asked.question, "abstained": answer.abstained,
        "right": right(answer, asked.gold), "difficulty": answer.difficulty,
        "parts": len(answer.analysis.parts) if answer.analysis else 1,
        "rounds": [[r.action, r.chance, r.ms, r.words] for r in answer.rounds],
        "settled_by": None if answer.abstained else answer.rounds[-1].action,
        "ms": dict(answer.timings_ms), "inapplicable": len(answer.inapplicable),
        "words": sum(len(s.text.split()) for s in answer.statements),
    }  # fmt: skip


def report(rows: list[dict[str, object]]) -> None:
    by_kind = defaultdict(list)
    for row in rows:
        by_kind[row["kind"]].append(row)
    base = float(np.median([r["ms"]["total"] for r in rows if r["difficulty"] == "easy"]))
    print("| kind | difficulty | questions | answered | right | words | time, of the easy median |")
    print("|---|---|---|---|---|---|---|")
    for kind, own in by_kind.items():
        for difficulty in ("easy", "hard"):
            some = [r for r in own if r["difficulty"] == difficulty]
            if not some:
                continue
            told = [r for r in some if not r["abstained"]]
            words = np.median([r["words"] for r in told]) if told else 0
            time = np.median([r["ms"]["total"] for r in some]) / base
            print(f"| {kind} | {difficulty} | {len(some)} | {len(told)} | "
                  f"{sum(r['right'] for r in told)} | {words:.0f} | {time:.2f} |")  # fmt: skip
    for kind, own in by_kind.items():
        print(kind, "easy:", interval([float(r["difficulty"] == "easy") for r in own]))
    print("settled by a round after the first (right, not right):")
    for kind, own in by_kind.items():
        hard = [r for r in own if r["difficulty"] == "hard" and r["parts"] == 1]
        made = Counter((r["settled_by"], r["right"]) for r in hard if not r["abstained"])
        print(kind, dict(made), "tried:", dict(Counter(x[0] for r in hard for x in r["rounds"])))
    steps = sorted({s for r in rows for s in r["ms"]})
    print("median ms by step, easy:",
          {s: round(float(np.median([r["ms"].get(s, 0.0) for r in rows
                                     if r["difficulty"] == "easy"]))) for s in steps})  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path)
    parser.add_argument("--bioasq", type=Path)
    parser.add_argument("--half", choices=("dev", "test"), default="dev")
    parser.add_argument("--questions", type=int, default=66)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    dev = arguments.half == "dev"
    rows = []
    RUNS.parent.mkdir(exist_ok=True)
    with RUNS.open("w", encoding="utf-8") as out:
        for folder in filter(None, (arguments.kb, arguments.bioasq)):
            with Engine.open(folder) as engine:
                engine.warm_up()
                parts = Parts.of(engine)
                limit = arguments.questions
                some = guide(engine, limit, dev) if folder == arguments.kb else bioasq(limit, dev)
                for asked in some:
                    rows.append(run(parts, asked, arguments.rounds))
                    print(json.dumps(rows[-1]), file=out, flush=True)
    print(describe())
    report(rows)


if __name__ == "__main__":
    main()
