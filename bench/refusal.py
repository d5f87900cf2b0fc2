"""Refusal: the same questions with and without the documents that hold their answers.

    KGRAG_DATA=... python bench/refusal.py --kb DIR [--questions 300] [--rows FILE]
    KGRAG_DATA=... python bench/refusal.py --kb DIR --copy SCRATCH [--questions 150]

The kb holds cpgQA's passages (recipe ``cpgqa``) beside other corpora. Questions whose gold answers
have at least four words are asked, the first ones in the order of a hash of their ids. Then each is
asked again while every document whose text holds a gold answer of it is kept from retrieval. With
``--copy`` the documents of all of them are really removed, in a copy of the kb: fewer of the same
guideline are then left to mislead. Sixty questions of general knowledge, other than those of any
fit, are asked too. Other guidelines on the same subject stay in the kb, so an answer without the
documents is not always a wrong one. Beside the settings' threshold it is told what others would
have kept and refused, by the best chance that a round saw.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from ask_parts import Barring
from machine import describe

from kgrag import Engine
from kgrag.reasoning.loop import ask
from kgrag.reasoning.parts import Parts
from kgrag.records.question import AskOptions

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


def told(answer, golds) -> dict:
    """What is kept of an answer: no text of it."""
    said = [flat(s.text) for s in answer.statements]
    return {
        "abstained": answer.abstained,
        "chance": round(chance(answer), 4),
        "words": sum(len(t.split()) for t in said),
        "gold": any(g in t for g in golds for t in said),
    }


def curve(before: list, after: list, general: list) -> None:
    """What each threshold would keep and refuse, and the area under the curve of both."""
    kept, gone, other = (np.array([a["chance"] for a in of]) for of in (before, after, general))
    print("| threshold | answerable kept | of these with the gold | refused without their documents"
          " | general refused |")  # fmt: skip
    print("|---|---|---|---|---|")
    gold = np.array([a["gold"] for a in before])
    for at in np.linspace(0.1, 0.9, 17):
        told = kept >= at
        right = gold[told].mean() if told.any() else float("nan")
        shares = (told.mean(), right, (gone < at).mean(), (other < at).mean())
        print(f"| {at:.2f} | " + " | ".join(f"{s:.3f}" for s in shares) + " |")
    gaps = kept[:, None] - gone[None, :]
    print(f"AUC of the chance: {(gaps > 0).mean() + (gaps == 0).mean() / 2:.3f}")


def removed(kb: Path, copy: Path, chosen: list[dict], holding: dict[str, list[str]]) -> list[dict]:
    """What is told in a copy of the kb from which the documents of all questions are removed."""
    gone = sorted({d for ids in holding.values() for d in ids})
    shutil.copytree(kb, copy)
    with Engine.open(copy, mode="write") as engine:
        # One purge and one new index for all of them.
        for identifier in gone[:-1]:
            engine.truth.remove(identifier)
        engine.remove(gone[-1])
        print(f"documents removed: {len(gone)}", flush=True)
        return [told(engine.ask(r["question"]), r["golds"]) for r in chosen]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--copy", type=Path, help="a folder to make the copy in")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--rows", type=Path, help="a line of JSON a question, as it is asked")
    options = parser.parse_args()
    path = Path(os.environ["KGRAG_DATA"]) / "bench" / "cpgqa" / "qa.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    for row in rows:
        row["golds"] = [flat(a["text"]) for a in row["answers"]]
    long = [r for r in rows if all(len(g.split()) >= WORDS_OF_GOLD for g in r["golds"])]
    long.sort(key=lambda r: (zlib.crc32(b"limit" + str(r["id"]).encode()), str(r["id"])))
    chosen = long[: options.questions]
    print(describe())
    kept = options.rows.open("w", encoding="utf-8") if options.rows else None
    before, after, general = [], [], []
    with Engine.open(options.kb) as engine:
        engine.warm_up()
        own = Parts.of(engine)
        texts = {d.id: flat(engine.truth.document(d.id).text) for d in engine.truth.documents()}
        holding = {
            r["question"]: [i for i, text in texts.items() if any(g in text for g in r["golds"])]
            for r in chosen
        }
        for row in chosen:
            before.append(told(engine.ask(row["question"]), row["golds"]))
            if options.copy is None:
                without = Barring(own.retriever, tuple(holding[row["question"]]))
                parts = replace(own, retriever=without)
                after.append(told(ask(row["question"], parts, AskOptions()), row["golds"]))
            if kept:
                line = {"id": row["id"], "before": before[-1], "after": after[-1:]}
                print(json.dumps(line), file=kept, flush=True)
        general = [told(engine.ask(q), ()) for q in GENERAL]
    if options.copy is not None:
        after = removed(options.kb, options.copy, chosen, holding)
    print(f"answerable questions kept: {share([not a['abstained'] for a in before])}")
    print(f"refused without their documents: {share([a['abstained'] for a in after])}")
    print(f"general knowledge refused: {share([a['abstained'] for a in general])}")
    repeated = sum(a["gold"] for a in after)
    print(f"answers without the documents that repeat a gold answer: {repeated}")
    curve(before, after, general)


if __name__ == "__main__":
    main()
