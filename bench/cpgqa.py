"""cpgQA: recall of ``search``, and how often the quotations of ``ask`` hold the gold answer.

The kb must hold cpgQA's own passages (recipe ``cpgqa``); what else it holds are distractors.
Beside ``ask``, under the same limit of words: the first 60 words of the best passage, and the
sentence nearest by the encoder. Every citation is compared with the stored text.

With ``--compare`` only ``ask`` is measured, under several settings of retrieval that take turns
question by question, with paired differences from the first of them (``bench/ask_parts.py``).

    KGRAG_DATA=... python bench/cpgqa.py --kb DIR [--questions 600] [--compare]
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
from ask_parts import BEFORE, name_of, opened, table

from kgrag import Engine
from kgrag.reasoning.loop import ask
from kgrag.records.question import AskOptions
from kgrag.retrieval.context import build_context
from kgrag.sentences import sentences

WORDS = 60
COMPARED = ((BEFORE, 20), (None, 20), (None, 10))


def flat(text: str) -> str:
    return " ".join(text.lower().split())


def interval(values: list[float], rounds: int = 2000) -> str:
    rng = np.random.default_rng(1)
    array = np.array(values, dtype=float)
    means = array[rng.integers(0, len(array), (rounds, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{array.mean():.3f} [{low:.3f}, {high:.3f}]"


def records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().split("\n") if line.strip()]


def compare(kb: Path, questions: list[dict], out: Path | None) -> None:
    """Prints what ``ask`` quotes under the settings ``COMPARED``."""
    made, said = opened(kb, COMPARED), defaultdict(lambda: defaultdict(list))
    kept = out.open("w", encoding="utf-8") if out else None
    for question in questions:
        gold = [flat(a["text"]) for a in question["answers"]]
        for parts, passages in COMPARED:
            own = made[parts]
            own.reranker.orders = []
            answer = ask(question["question"], own, AskOptions(passages=passages))
            quotes = [flat(s.text) for s in answer.statements]
            pieces = [flat(r.citable.text) for r in own.reranker.orders[-1]]
            values = {
                "abstained": answer.abstained,
                "first quotation holds the gold": any(g in q for q in quotes[:1] for g in gold),
                "the quotations hold the gold": any(g in q for q in quotes for g in gold),
                "words quoted": sum(len(q.split()) for q in quotes),
                "some citable piece holds the gold": any(g in p for p in pieces for g in gold),
                "rounds": len(own.reranker.orders),
            }
            for what, value in values.items():
                said[name_of(parts, passages)][what].append(float(value))
            if kept:
                print(json.dumps({"setting": name_of(parts, passages), **values}), file=kept,
                      flush=True)  # fmt: skip
    print(f"{len(questions)} questions")
    table(said)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kb", required=True)
    parser.add_argument("--questions", type=int, default=600)
    parser.add_argument("--answers", type=Path, help="keep the answers, for bench/fidelity.py")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--values", type=Path, help="with --compare: a line of JSON an answer")
    options = parser.parse_args()
    folder = Path(os.environ["KGRAG_DATA"]) / "bench" / "cpgqa"
    corpus = {r["_id"]: flat(r["text"]) for r in records(folder / "corpus.jsonl")}
    questions = records(folder / "qa.jsonl")
    if options.questions < len(questions):
        questions = random.Random(1).sample(questions, options.questions)
    if options.compare:
        compare(options.kb, questions, options.values)
        return
    scores: dict[str, list[float]] = {}
    answers: list[str] = []
    sound = cited = 0

    def note(name: str, value: float) -> None:
        scores.setdefault(name, []).append(value)

    with Engine.open(options.kb) as engine:
        for question in questions:
            text = question["question"]
            gold = [flat(a["text"]) for a in question["answers"]]
            home = corpus[question["context_id"]]
            hits = engine.search(text, limit=5)
            right = [flat(h.text) in home or home in flat(h.text) for h in hits]
            note("search recall@1", any(right[:1]))
            note("search recall@5", any(right))
            found = engine.retriever.candidates(text, limit=20)
            best = " ".join(hits[0].text.split()[:WORDS]) if hits else ""
            note("baseline: first 60 words of the best passage holds the gold",
                 any(g in flat(best) for g in gold))  # fmt: skip
            note("baseline words of the best passage", len(best.split()))
            three = [" ".join(h.text.split()[:WORDS]) for h in hits[:3]]
            note("baseline: first 60 words of the three best passages hold the gold",
                 any(g in flat(t) for t in three for g in gold))  # fmt: skip
            note("baseline words of the three best passages", sum(len(t.split()) for t in three))
            pieces = [s.of(c.hit.text) for c in found for s in sentences(c.hit.text)]
            pieces = [p for p in pieces if len(p.split()) <= WORDS]
            vectors = engine.encoder.encode([text, *pieces])
            near = pieces[int(np.argmax(vectors[1:] @ vectors[0]))] if pieces else ""
            note("baseline: nearest sentence by the encoder holds the gold",
                 any(g in flat(near) for g in gold))  # fmt: skip
            note("baseline words of the nearest sentence", len(near.split()))
            order = np.argsort(-(vectors[1:] @ vectors[0]), kind="stable")[:3] if pieces else []
            nearest = [pieces[int(i)] for i in order]
            note("baseline: the three nearest sentences hold the gold",
                 any(g in flat(t) for t in nearest for g in gold))  # fmt: skip
            note("baseline words of the three nearest", sum(len(t.split()) for t in nearest))
            answer = engine.ask(text)
            answers.append(json.dumps(answer.to_json(), ensure_ascii=False))
            quotes = [s.text for s in answer.statements]
            note("ask: abstained", answer.abstained)
            note("ask: first quotation holds the gold",
                 any(g in flat(q) for q in quotes[:1] for g in gold))  # fmt: skip
            note("ask: the quotations hold the gold",
                 any(g in flat(q) for q in quotes for g in gold))  # fmt: skip
            note("ask words quoted", sum(len(q.split()) for q in quotes))
            note("ask ms", answer.timings_ms["total"])
            pool = build_context(found, engine.truth).citables
            note("bound: some citable piece holds the gold",
                 any(g in flat(c.text) for c in pool for g in gold))  # fmt: skip
            for statement in answer.statements:
                for c in statement.citations:
                    stored = engine.truth.document(c.document.id).text
                    cited += 1
                    whole = statement.kind == "path" or c.quote == statement.text
                    sound += whole and stored[c.start : c.end] == c.quote
    if options.answers:
        options.answers.write_text("\n".join(answers) + "\n", encoding="utf-8")
    print(f"{len(questions)} questions")
    for name, values in scores.items():
        print(f"{name}: {interval(values)}")
    print(f"citations equal to the stored text: {sound} of {cited}")
    if sound != cited:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
