"""Refusal: MedQuAD questions before and after the documents that answer them are hidden.

The kb must hold MedQuAD's answers (recipe ``medquad``). Hidden are all documents of the
question's focus, by title, so that nothing is removed from the kb. Thirty questions of general
knowledge, other than those that the threshold was fitted on, are asked too.

    KGRAG_DATA=... python bench/refusal.py --kb DIR [--questions 150]
"""

from __future__ import annotations

import argparse
import json
import os
import random
from dataclasses import replace
from pathlib import Path

from kgrag import Engine
from kgrag.reasoning.loop import Parts, ask
from kgrag.reasoning.parts import look

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


class Without:
    """A retriever that does not see some titles."""

    def __init__(self, inner, hidden):
        self.inner, self.hidden = inner, hidden

    def candidates(self, question, *, limit=20, filters=None):
        found = self.inner.candidates(question, limit=limit * 4, filters=filters)
        return [c for c in found if c.hit.document.title.lower() not in self.hidden][:limit]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kb", required=True)
    parser.add_argument("--questions", type=int, default=150)
    options = parser.parse_args()
    path = Path(os.environ["KGRAG_DATA"]) / "corpora" / "medquad" / "qa_with_answers.jsonl"
    rows = [json.loads(line) for line in path.read_text().split("\n") if line.strip()]
    chosen = random.Random(3).sample(rows, options.questions)
    before = after = wrong = 0
    with Engine.open(options.kb) as engine:
        parts = replace(Parts.of(engine), look=lambda q, o: replace(look(engine, q, o), found=()))
        for row in chosen:
            names = {row["focus"].lower(), *(s.lower() for s in row["synonyms"])}
            answer = ask(row["question"], parts)
            before += answer.abstained
            titles = [s.citations[0].document.title.lower() for s in answer.statements[:1]]
            wrong += not answer.abstained and titles[0] not in names
            hidden = replace(parts, retriever=Without(parts.retriever, names))
            after += ask(row["question"], hidden).abstained
        general = sum(ask(question, parts).abstained for question in GENERAL)
    total = len(chosen)
    print(f"answerable, wrongly abstained: {before} of {total} ({before / total:.3f})")
    print(f"answerable, first quotation from another focus: {wrong} of {total}")
    print(f"documents hidden, abstained: {after} of {total} ({after / total:.3f})")
    print(f"general knowledge, abstained: {general} of {len(GENERAL)}")


if __name__ == "__main__":
    main()
