"""What the parts of retrieval and the number of passages do to ``ask``: questions of development.

The questions of ``labels/guide_questions.jsonl`` are asked of a kb of the corpora with and without
the document of their sentence, under each setting: parts of retrieval and passages of the first
round. Without its document a question for which reading found another answer (``elsewhere``) is
left out. Passages of the collection ``cpgqa`` are never found. An answer is worth 1 when a
quotation overlaps the sentence or holds it. Settings take turns question by question; token states
of pieces are made once for all, so that milliseconds here are only of the search.

    python bench/ask_parts.py --kb DIR [--questions 66]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from dev_pools import QUESTIONS, flat, records, sentence_of
from machine import describe

from kgrag import Engine
from kgrag.config import Settings
from kgrag.encoding.base import TokenEncoder
from kgrag.reasoning.answerable import answer_features
from kgrag.reasoning.loop import Parts, ask
from kgrag.records.question import AskOptions, Selection
from kgrag.retrieval.rerank import LinearReranker, probability

BEFORE = ("bm25", "dense")
GRID = ((BEFORE, 20), (None, 20), (None, 15), (None, 10))
"""Parts (None: the defaults) and passages; the first line is what the others are compared with."""


@dataclass
class Barring:
    """A retriever that never finds some documents."""

    inner: Any
    without: Sequence[str] = ()

    def candidates(self, question: str, *, limit: int = 20, selection: Selection | None = None):
        return self.inner.candidates(
            question, limit=limit, selection=selection, without_documents=self.without
        )


class Remembering:
    """A token encoder that makes the states of each text once."""

    def __init__(self, inner: TokenEncoder) -> None:
        self.inner, self.known = inner, {}
        self.name, self.dimensions, self.sha256 = inner.name, inner.dimensions, inner.sha256

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def encode(self, texts, **how):
        return self.inner.encode(texts, **how)

    def encode_tokens(self, texts):
        new = [t for t in dict.fromkeys(texts) if t not in self.known]
        if new:
            self.known.update(zip(new, self.inner.encode_tokens(new), strict=True))
        return [self.known[t] for t in texts]


class Noting(LinearReranker):
    """The reranker, which keeps each order that it gave for the question."""

    def rank(self, question, citables, **how):
        ranked = super().rank(question, citables, **how)
        self.orders.append(ranked)
        return ranked


def interval(values: Sequence[float]) -> str:
    array = np.array(values, dtype=float)
    rng = np.random.default_rng(1)
    means = array[rng.integers(0, len(array), (4000, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{array.mean():.3f} [{low:.3f}, {high:.3f}]"


def paired(values: Sequence[float], base: Sequence[float]) -> str:
    """The mean difference, its interval, and p by signs changed at random."""
    gaps = np.array(values, dtype=float) - np.array(base, dtype=float)
    signs = np.random.default_rng(2).choice([-1.0, 1.0], (10_000, len(gaps)))
    extreme = int((np.abs((signs * gaps).mean(axis=1)) >= abs(gaps.mean()) - 1e-12).sum())
    return f"{interval(gaps)}, p {(extreme + 1) / 10_001:.4f}"


def opened(
    kb: Path, grid: Sequence[tuple[tuple[str, ...] | None, int]], *, remember: bool = True
) -> dict[Any, Parts]:
    """What ``ask`` is made with over the kb, by the parts of retrieval in ``grid``.

    With ``remember`` all share one ``Noting`` reranker. The engines stay open until the process
    ends.
    """
    made: dict[Any, Parts] = {}
    for parts in dict.fromkeys(parts for parts, _ in grid):
        settings = Settings()
        if parts is not None:
            retrieval = settings.retrieval.model_copy(update={"parts": parts})
            settings = settings.model_copy(update={"retrieval": retrieval})
        engine = Engine.open(kb, settings=settings)
        made[parts] = Parts.of(engine)
    if not remember:
        return made
    reranker = Noting(Remembering(engine.encoder))
    return {parts: replace(own, reranker=reranker) for parts, own in made.items()}


def name_of(parts: tuple[str, ...] | None, passages: int) -> str:
    return f"{'the defaults' if parts is None else ' '.join(parts)}, {passages}"


def table(said: dict[str, dict[str, list[float]]]) -> None:
    """Prints each setting's means, and the paired differences from the first."""
    base = next(iter(said.values()))
    for name, values in said.items():
        for what, each in values.items():
            print(f"{name} | {what} | {interval(each)} | {len(each)} | {paired(each, base[what])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=66)
    parser.add_argument("--out", type=Path, help="keep every value, a line of JSON each")
    options = parser.parse_args()
    said: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    out = options.out.open("w", encoding="utf-8") if options.out else None
    print(describe())
    made = opened(options.kb, GRID)
    truth = made[BEFORE].truth
    barred = [d.id for d in truth.documents(collection="cpgqa")]
    sources = {(d.source.collection, d.source.identifier): d.id for d in truth.documents()}
    for count, label in enumerate(records(QUESTIONS)[: options.questions]):
        home = sources[label["collection"], label["identifier"]]
        place = sentence_of(truth.document(home), label)
        if place is None:
            print(f"{label['identifier']} was cut otherwise, left out", file=sys.stderr)
            continue
        wanted = flat(place.of(truth.document(home).text))
        for answerable in (True, False):
            if not answerable and label["elsewhere"]:
                continue
            without = (*barred, *(() if answerable else (home,)))
            for parts, passages in GRID:
                ready = replace(made[parts], retriever=Barring(made[parts].retriever, without))
                ready.reranker.orders = []
                answer = ask(label["question"], ready, AskOptions(passages=passages))
                worth = [
                    any(
                        wanted in flat(s.text)
                        or (c.document.id == home and c.start < place.end and place.start < c.end)
                        for c in s.citations
                    )
                    for s in answer.statements
                ]
                name = name_of(parts, passages)
                note = said[name]
                if answerable:
                    note["answered with its document"].append(not answer.abstained)
                    note["first quotation is the sentence"].append(any(worth[:1]))
                    note["a quotation is the sentence"].append(any(worth))
                else:
                    note["abstained without it"].append(answer.abstained)
                note["log ms of search"].append(math.log(answer.timings_ms["search"]))
                rounds = []
                for ranked in ready.reranker.orders:
                    gold = [
                        wanted in flat(c.text)
                        or (c.document_id == home and c.start < place.end and place.start < c.end)
                        for c in (r.citable for r in ranked)
                    ]
                    found = answer_features(label["question"], ranked)
                    rounds.append({
                        "features": found, "pieces": len(ranked),
                        "chance": probability(ready.reranker.weights.answer, found),
                        "gold": [i for i, g in enumerate(gold) if g],
                    })  # fmt: skip
                if answerable:
                    note["the sentence is among the pieces"].append(bool(rounds[-1]["gold"]))
                line = {"question": label["question"], "answerable": answerable, "setting": name,
                        "abstained": answer.abstained, "worth": worth,
                        "rounds": rounds, "ms": answer.timings_ms}  # fmt: skip
                if out is not None:
                    print(json.dumps(line), file=out, flush=True)
        if count % 10 == 9:
            print(count + 1, file=sys.stderr, flush=True)
    table(said)


if __name__ == "__main__":
    main()
