"""Refusal: the same questions before and after the documents that hold their answers are removed.

    KGRAG_DATA=... python bench/refusal.py --kb DIR --copy SCRATCH [--questions 150]

The kb holds cpgQA's passages (recipe ``cpgqa``) beside other corpora. 150 of its questions whose
gold answer has at least four words are asked. Then, in a copy of the kb, every current document
whose text holds the gold answer of any of them is really removed, and they are asked again.
Sixty questions of general knowledge, other than those of any fit, are asked too. Other guidelines
on the same subject stay in the kb, so an answer after the removal is not always a wrong one.
Beside the settings' threshold it is told what others would have kept and refused, by the chance
that the last round saw.
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
How does a sailing boat sail against the wind?
Who built the Suez Canal?
What is the largest desert on Earth?
How do I knit a scarf?
Which composer wrote The Magic Flute?
What is the fastest train in Japan?
When did the Titanic sink?
What is the difference between a comet and an asteroid?
How do I repair a dripping tap?
Who was the first woman to fly across the Atlantic?
What is the capital of Australia?
How is paper recycled?
Which country invented gunpowder?
What is the best opening move in draughts?
How many keys does a piano have?
Why is the sky blue?
Who founded the Red Cross?
How do I plant tulip bulbs?
What is the highest mountain in Europe?
When was the euro introduced?
How does a microwave oven work?
What is the longest novel ever written?
Which sport is played at Wimbledon?
How do I calculate compound interest?
What causes the tides?
Who painted Guernica?
What is the risk of a mortgage with a variable rate?
How should leather shoes be treated against rain?
What is the recommended temperature for a wine cellar?
When should a car battery be replaced?
What are the side effects of inflation on savings?""".splitlines()
WORDS_OF_GOLD = 4


def flat(text: str) -> str:
    return " ".join(text.lower().split())


def share(values: list[bool]) -> str:
    rng = np.random.default_rng(1)
    array = np.array(values, dtype=float)
    means = array[rng.integers(0, len(array), (2000, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{array.mean():.3f} [{low:.3f}, {high:.3f}] of {len(values)}"


def chance(answer) -> float:
    """That the best piece answers, as the last round saw it; 0 when nothing was looked for."""
    return max((r.chance for r in answer.rounds), default=0.0)


def curve(before: list, after: list, general: list) -> None:
    """What each threshold would keep and refuse, and the area under the curve of both."""
    kept, gone, other = (np.array([chance(a) for a in of]) for of in (before, after, general))
    print("| threshold | answerable kept | refused after the removal | general refused |")
    print("|---|---|---|---|")
    for at in np.linspace(0.1, 0.9, 17):
        shares = ((kept >= at).mean(), (gone < at).mean(), (other < at).mean())
        print(f"| {at:.2f} | " + " | ".join(f"{s:.3f}" for s in shares) + " |")
    gaps = kept[:, None] - gone[None, :]
    print(f"AUC of the chance: {(gaps > 0).mean() + (gaps == 0).mean() / 2:.3f}")


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
        before = [engine.ask(q) for q in asked]
        general = [engine.ask(q) for q in GENERAL]
    said = share([a.abstained for a in before])
    print(f"answerable questions wrongly abstained: {said}", flush=True)
    print(f"general knowledge abstained: {share([a.abstained for a in general])}", flush=True)
    shutil.copytree(options.kb, options.copy)
    with Engine.open(options.copy, mode="write") as engine:
        # One purge and one new index for all of them.
        for identifier in holding[:-1]:
            engine.truth.remove(identifier)
        engine.remove(holding[-1])
        print(f"documents removed: {len(holding)}", flush=True)
        after = [engine.ask(q) for q in asked]
    print(f"abstained after the removal: {share([a.abstained for a in after])}")
    curve(before, after, general)
    wrong = [a for a in after if not a.abstained]
    repeated = sum(any(g in flat(s.text) for g in golds for s in a.statements) for a in wrong)
    print(f"answers after the removal that repeat a removed gold answer: {repeated}")


if __name__ == "__main__":
    main()
