"""Refusal: the same questions before and after the documents that hold their answers are removed.

    KGRAG_DATA=... python bench/refusal.py --kb DIR --copy SCRATCH [--questions 150]

The kb holds cpgQA's passages (recipe ``cpgqa``) beside other corpora. 150 of its questions whose
gold answer has at least four words are asked. Then, in a copy of the kb, every current document
whose text holds the gold answer of any of them is really removed, and they are asked again.
Thirty questions of general knowledge, other than those of any fit, are asked too. Other guidelines
on the same subject stay in the kb, so an answer after the removal is not always a wrong one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
from machine import describe

from kgrag import Engine

GENERAL = """Who composed the Goldberg Variations?
What is the currency of Norway?
How high is Mount Kilimanjaro?
Who was the first person on the Moon?
How do I prune an apple tree?
What is the melting point of gold?
Which country has the longest coastline?
When was the printing press invented?
How does a diesel engine work?
What language is spoken in Brazil?
Who wrote Pride and Prejudice?
How many players are in a rugby team?
What is the square root of 144?
How do I bake sourdough bread?
Which ocean is the largest?
Who directed the film Casablanca?
What is the plot of Hamlet?
When did the Roman Empire fall?
How do solar panels make electricity?
What are the rules of chess castling?
Which city hosted the 2012 Olympic Games?
How far is the Sun from the Earth?
What is the highest waterfall in the world?
Who discovered penguins in Antarctica?
How do I tie a bowline knot?
What colour do blue and yellow make?
How is parchment made?
What is a haiku?
Which metal is used in light bulb filaments?
How does a sailing boat sail against the wind?""".splitlines()
WORDS_OF_GOLD = 4


def flat(text: str) -> str:
    return " ".join(text.lower().split())


def share(values: list[bool]) -> str:
    rng = np.random.default_rng(1)
    array = np.array(values, dtype=float)
    means = array[rng.integers(0, len(array), (2000, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{array.mean():.3f} [{low:.3f}, {high:.3f}] of {len(values)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--copy", type=Path, required=True, help="a folder to make the copy in")
    parser.add_argument("--questions", type=int, default=150)
    options = parser.parse_args()
    path = Path(os.environ["KGRAG_DATA"]) / "bench" / "cpgqa" / "qa.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    long = [r for r in rows if all(len(a["text"].split()) >= WORDS_OF_GOLD for a in r["answers"])]
    chosen = random.Random(11).sample(long, options.questions)
    golds = {flat(a["text"]) for r in chosen for a in r["answers"]}
    asked = [r["question"] for r in chosen]
    print(describe())
    with Engine.open(options.kb) as engine:
        holding = [
            info.id
            for info in engine.truth.documents()
            if any(g in flat(engine.truth.document(info.id).text) for g in golds)
        ]
        before = [engine.ask(q).abstained for q in asked]
        general = [engine.ask(q).abstained for q in GENERAL]
    print(f"answerable questions wrongly abstained: {share(before)}", flush=True)
    print(f"general knowledge abstained: {share(general)}", flush=True)
    shutil.copytree(options.kb, options.copy)
    with Engine.open(options.copy, mode="write") as engine:
        # One purge and one new index for all of them.
        for identifier in holding[:-1]:
            engine.truth.remove(identifier)
        engine.remove(holding[-1])
        print(f"documents removed: {len(holding)}", flush=True)
        after = [engine.ask(q) for q in asked]
    print(f"abstained after the removal: {share([a.abstained for a in after])}")
    wrong = [a for a in after if not a.abstained]
    repeated = sum(any(g in flat(s.text) for g in golds for s in a.statements) for a in wrong)
    print(f"answers after the removal that repeat a removed gold answer: {repeated}")


if __name__ == "__main__":
    main()
