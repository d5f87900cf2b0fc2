"""A small kb in memory with all that answers are made with, and ways to break each part of it."""

from __future__ import annotations

import dataclasses
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from asserted_world import PlainNames, Said, curie, document

from kgrag.generation.allowed import ClosedSet
from kgrag.generation.allowed import Said as Reply
from kgrag.reasoning.analysis import analyse
from kgrag.reasoning.applicability import judge
from kgrag.reasoning.follow_up import questions
from kgrag.reasoning.forbidding import forbids
from kgrag.reasoning.loop import Parts
from kgrag.reasoning.parts_engine import agree, bridges, connect, look, near
from kgrag.records.answer import Check, CitedDocument, Hit
from kgrag.records.concepts import Mention
from kgrag.records.question import Selection
from kgrag.records.text import Document
from kgrag.retrieval.passages import Candidate
from kgrag.retrieval.rerank import LinearReranker
from kgrag.stores.graph import build_graph
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.verification.entailment import Entailed

GUIDE: list[Said] = [
    ("metformin", "treats", "diabetes", False,
     "For adults metformin is the first choice as a treatment of diabetes."),
    ("insulin", "treats", "diabetes", False,
     "In children insulin is the treatment of diabetes from the first day."),
    ("metformin", "causes", "deficiency", False,
     "After some years metformin causes a deficiency of vitamin B12."),
    ("metformin", "contraindicated_in", "acidosis", False,
     "Never give metformin in acidosis of any cause."),
]  # fmt: skip
OTHER: list[Said] = [
    ("obesity", "risk_factor_for", "diabetes", False,
     "By far obesity is a risk factor for diabetes."),
    ("diabetes", "causes", "nephropathy", False, "Within years diabetes causes nephropathy."),
    ("cyanocobalamin", "treats", "deficiency", False,
     "In most people cyanocobalamin 1 mg a day is the treatment of the deficiency."),
    ("metformin", "treats", "diabetes", False,
     "Here too metformin is the first choice as a treatment of diabetes for adults."),
    ("metformin", "treats", "obesity", True, "So far metformin never was a treatment of obesity."),
    ("metformin", "contraindicated_in", "diabetes", False,
     "In pregnancy metformin is contraindicated as a treatment of diabetes."),
]  # fmt: skip
QUESTIONS = (
    "What is the treatment of diabetes in adults?",
    "What is the treatment of diabetes and what causes nephropathy?",
    "How is obesity connected with nephropathy?",
    "What is the dose of cyanocobalamin for the deficiency?",
    "What is the treatment of the deficiency that metformin causes?",
    "A 6-year-old boy has diabetes. What is the treatment?",
    "A pregnant woman has diabetes. What is the treatment?",
    "Who painted the ceiling of the chapel?",
)
_NAMES = ("metformin", "diabetes", "insulin", "deficiency", "acidosis", "obesity", "nephropathy",
          "cyanocobalamin")  # fmt: skip

_DRUGS = ("metformin", "insulin", "cyanocobalamin")


class Linked:
    """Finds the names of the world."""

    def link(self, text: str, start: int = 0, end: int | None = None) -> tuple[Mention, ...]:
        found = re.finditer("|".join(_NAMES), text[start:end], re.IGNORECASE)
        return tuple(
            Mention(
                start + m.start(), start + m.end(), m[0], curie(m[0].lower()),
                "drug" if m[0].lower() in _DRUGS else "disease",
            )
            for m in found
        )  # fmt: skip


class Named(PlainNames):
    """The names of the world, which has no hierarchy."""

    def equivalents(self, curie: str) -> tuple[str, ...]:
        return (curie,)

    def descendants(
        self, curie: str, *, depth: int | None = None, limit: int = 10
    ) -> tuple[str, ...]:
        return ()


class Listed:
    """Every passage, those first that share most words with the question."""

    def __init__(self, truth: MemoryTruth) -> None:
        self._truth = truth

    def candidates(
        self, question: str, *, limit: int = 20, selection: Selection | None = None
    ) -> Sequence[Candidate]:
        asked = set(question.lower().split())
        found = []
        for info in self._truth.documents():
            held = self._truth.document(info.id)
            for p in self._truth.passages(info.id):
                text = held.text[p.start : p.end]
                share = len(asked & set(text.lower().split())) / len(asked)
                hit = Hit(CitedDocument.of(held), p.id, text, p.start, p.end, share)
                found.append(Candidate(hit, {"bm25": 10 * share, "dense": share}))
        return sorted(found, key=lambda c: -c.hit.score)[:limit]


class Writer:
    """A language model that chooses the first candidates and writes true and false sentences."""

    name, sha256 = "writer", "0" * 64

    def query_likelihood(self, question: str, candidates: Sequence[str]) -> list[float]:
        return [0.0 for _ in candidates]

    def choose(self, question: str, candidates: Sequence[str], *, count: int) -> list[int]:
        return list(range(min(count, len(candidates))))

    def compose(self, question: str, sentences: Sequence[str], allowed: ClosedSet) -> Reply | None:
        return allowed.read(allowed.texts(limit=100)[0])

    def generate(self, prompt: str, *, max_tokens: int, told: str = "fluent") -> str:
        first = prompt.partition("\n")[0].partition("] ")[2]
        return f"{first} Metformin 5 g cures all diabetes within a day. {first.replace('the ', '')}"

    def warnings(self) -> tuple[str, ...]:
        return ()


class Agreeing:
    """A checker of entailment that finds everything entailed."""

    name, sha256 = "agreeing", "0" * 64

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Entailed]:
        return [Entailed(0.99, 0.0) for _ in pairs]


def world() -> tuple[Parts, Mapping[str, Document]]:
    """The parts of a sound kb in memory, and its documents, which nothing below can change."""
    truth = MemoryTruth()
    for name, said in (("guide", GUIDE), ("other", OTHER)):
        truth.put(document(name, said))
    engine: Any = SimpleNamespace(
        truth=truth, graph=build_graph(truth), lexicon=Named(), linker=Linked()
    )
    parts = Parts(
        truth=truth,
        retriever=Listed(truth),
        reranker=LinearReranker(),
        look=lambda q, o: look(engine, q, o),
        model=Writer(),
        linker=Linked(),
        analyse=lambda q, seeds: analyse(q, Linked(), Named(), seeds=seeds),
        near=lambda v, o: near(engine, v, o),
        bridges=lambda q, v, o: bridges(engine, q, v, o),
        suppose=lambda q, o: ["nephropathy"],
        connect=lambda s, c, o: connect(engine, s, c, o),
        applies=judge,
        forbids=lambda patient, advice, warning, place: forbids(
            patient, advice, warning, place, linker=Linked(), names=Named()
        ),
        follow=questions,
        sure=lambda raw: raw / 2,
        agree=lambda s, p, o: agree(engine, s, p, o),
        entailment=Agreeing(),
    )
    return parts, {i.id: truth.document(i.id) for i in truth.documents()}


# Ways to break what a part gives ---------------------------------------------------------------


class Broken(Exception):
    """What a broken part raises; its message is text that must not get out."""


def _raise(value: Any) -> Any:
    raise Broken("the secret text of a document")


def _slow(value: Any) -> Any:
    time.sleep(0.03)
    return value


_ELSE = "Metformin cures everything. " * 20


def _each(change: Callable[[str, Any], Any]) -> Callable[[Any], Any]:
    """``change(name, value)`` of every field of every record in a value, however deep."""

    def walk(value: Any, name: str = "") -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            changed = {
                f.name: walk(getattr(value, f.name), f.name) for f in dataclasses.fields(value)
            }
            return replace(value, **changed)
        if isinstance(value, Mapping):
            return {walk(k, "key"): walk(v, str(k)) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(walk(item, name) for item in value)
        return change(name, value)

    return walk


def _moved(name: str, value: Any) -> Any:
    return value + 1 if name in ("start", "end") and type(value) is int else value


def _else(name: str, value: Any) -> Any:
    texts = ("text", "quote", "reason", "detail")
    return _ELSE[: len(value)] if name in texts and isinstance(value, str) else value


def _more(name: str, value: Any) -> Any:
    return f"{value}." if name in ("text", "quote") and isinstance(value, str) else value


def _nan(name: str, value: Any) -> Any:
    return math.nan if type(value) is float else value


def _passing(name: str, value: Any) -> Any:
    return "pass" if name == "result" else value


FAULTS: Mapping[str, Callable[[Any], Any]] = {
    "raises": _raise,
    "is slow": _slow,
    "none": lambda value: None,
    "empty": lambda value: type(value)() if isinstance(value, list | tuple | str | dict) else 0,
    "number": lambda value: 7,
    "text": lambda value: _ELSE,
    "object": lambda value: object(),
    "texts": lambda value: [_ELSE, _ELSE],
    "twice": lambda value: value + value if isinstance(value, list | tuple | str) else value,
    "backwards": lambda value: value[::-1] if isinstance(value, list | tuple) else value,
    "moved": _each(_moved),
    "other words": _each(_else),
    "more words": _each(_more),
    "not a number": _each(_nan),
    "all passed": _each(_passing),
    "passed": lambda value: Check("span", "pass"),
}


class Faulty:
    """``inner`` whose calls give something else from the ``after``-th on, for ``lasting`` calls."""

    def __init__(self, inner: Any, fault: str, after: int = 0, lasting: int = 10**6) -> None:
        self._inner, self._change = inner, FAULTS[fault]
        self._from, self._calls, self._lasting = after, 0, lasting

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._broken(found) if callable(found) else found

    def __call__(self, *values: Any, **named: Any) -> Any:
        return self._broken(self._inner)(*values, **named)

    def _broken(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*values: Any, **named: Any) -> Any:
            self._calls += 1
            value = call(*values, **named)
            wrong = self._from < self._calls <= self._from + self._lasting
            return self._change(value) if wrong else value

        return changed


class FaultyTruth(Faulty):
    """A truth that breaks. It may not lie all the time: what it always says is the truth."""
