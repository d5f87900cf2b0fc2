"""Ways to answer: ``ask``, and quotations chosen plainly from the passages that it found."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from kgrag.errors import BadQuestion
from kgrag.evaluation.answers import STATEMENTS, WORDS
from kgrag.reasoning.coverage import content_words
from kgrag.records.answer import Hit
from kgrag.records.question import Choice
from kgrag.records.text import Span
from kgrag.sentences import sentences

if TYPE_CHECKING:
    from kgrag.encoding.base import Encoder
    from kgrag.engine import Engine

PASSAGES: Final = 20
OURS: Final = "ask"
CHOSEN: Final = "ask, the model chooses"


@dataclass(frozen=True, slots=True)
class Given:
    """The quotations of one answer, best first, each with its place; none when it abstained."""

    quotations: tuple[str, ...]
    ms: float

    @property
    def words(self) -> int:
        return sum(len(q.split()) for q in self.quotations)


Way = Callable[[str, Sequence[Hit]], list[str]]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a passage; ``passage`` counts passages from 0."""

    passage: int
    span: Span
    text: str


def baseline_ways(encoder: Encoder) -> Mapping[str, Way]:
    """The ways that stand beside ``ask``, by name.

    ``nearest``: the sentences nearest to the question by the encoder; ``nearest, filled``: the
    same, each with the sentences around it up to the limit of words; ``bm25 sentence``: the same
    by BM25 over the sentences; ``best passage``: the first sentences of the best passage, and
    ``three passages`` of the best three, as many as fit.
    """

    def nearest(question: str, hits: Sequence[Hit]) -> list[_Sentence]:
        pieces = _cut(hits)
        if not pieces:
            return []
        vectors = encoder.encode([question, *(p.text for p in pieces)])
        order = np.argsort(-(vectors[1:] @ vectors[0]), kind="stable")
        return [pieces[int(i)] for i in order]

    def plain(question: str, hits: Sequence[Hit]) -> list[str]:
        return [p.text for p in nearest(question, hits)[:STATEMENTS]]

    def filled(question: str, hits: Sequence[Hit]) -> list[str]:
        return _filled(nearest(question, hits), hits)

    def lexical(question: str, hits: Sequence[Hit]) -> list[str]:
        pieces = _cut(hits)
        scores = _bm25(question, [p.text for p in pieces])
        order = sorted(range(len(pieces)), key=lambda i: -scores[i])
        return [pieces[i].text for i in order[:STATEMENTS]]

    return {
        "nearest": plain,
        "nearest, filled": filled,
        "bm25 sentence": lexical,
        "best passage": lambda _, hits: _beginnings(hits[:1]),
        "three passages": lambda _, hits: _beginnings(hits[:STATEMENTS]),
    }


def ask_way(engine: Engine, question: str, choice: Choice | None = None) -> Given:
    """What ``ask`` quotes under the suite's limits; nothing when it abstains or cannot be asked.

    ``choice`` says who orders the statements; None is what the settings say.
    """
    began = time.perf_counter()
    try:
        answer = engine.ask(question, statements=STATEMENTS, words=WORDS, choice=choice)
        said = tuple(s.text for s in answer.statements if s.kind != "notice")
    except BadQuestion:
        said = ()
    return Given(said, (time.perf_counter() - began) * 1000)


def _cut(hits: Sequence[Hit]) -> list[_Sentence]:
    return [
        _Sentence(at, span, span.of(hit.text))
        for at, hit in enumerate(hits)
        for span in sentences(hit.text)
        if len(span.of(hit.text).split()) <= WORDS
    ]


def _filled(order: Sequence[_Sentence], hits: Sequence[Hit]) -> list[str]:
    """The first sentences of ``order`` widened over their neighbours, none said twice."""
    said: list[tuple[int, Span]] = []
    for piece in order:
        if any(at == piece.passage and span.start <= piece.span.start and piece.span.end <= span.end
               for at, span in said):  # fmt: skip
            continue
        text = hits[piece.passage].text
        spans = sentences(text)
        first = last = next(i for i, s in enumerate(spans) if s.start == piece.span.start)
        while True:
            # What follows first, then what stands before, as long as it fits.
            for low, high in ((first, last + 1), (first - 1, last)):
                if low < 0 or high >= len(spans):
                    continue
                if len(text[spans[low].start : spans[high].end].split()) <= WORDS:
                    first, last = low, high
                    break
            else:
                break
        said.append((piece.passage, Span(spans[first].start, spans[last].end)))
        if len(said) == STATEMENTS:
            break
    return [span.of(hits[at].text) for at, span in said]


def _beginnings(hits: Sequence[Hit]) -> list[str]:
    """The first sentences of each passage, as many as fit the limit of words."""
    found = []
    for hit in hits:
        end = 0
        for span in sentences(hit.text):
            if len(hit.text[: span.end].split()) > WORDS:
                break
            end = span.end
        if end:
            found.append(hit.text[:end].strip())
    return found


def _bm25(question: str, texts: Sequence[str], k1: float = 1.2, b: float = 0.75) -> list[float]:
    words = [content_words(t) for t in texts]
    mean = sum(map(len, words)) / max(1, len(words)) or 1.0
    held = Counter(w for listed in words for w in set(listed))
    asked = set(content_words(question))
    scores = []
    for listed in words:
        counts = Counter(w for w in listed if w in asked)
        norm = k1 * (1 - b + b * len(listed) / mean)
        scores.append(
            sum(
                math.log(1 + (len(texts) - held[w] + 0.5) / (held[w] + 0.5)) * n * (k1 + 1)
                / (n + norm)
                for w, n in counts.items()
            )
        )  # fmt: skip
    return scores
