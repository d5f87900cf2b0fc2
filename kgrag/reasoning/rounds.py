"""The state of one question on its way, and one round of looking for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from kgrag.errors import KgragError
from kgrag.reasoning.answerable import answer_features
from kgrag.reasoning.parts import GraphView, Parts
from kgrag.records.question import AskOptions
from kgrag.retrieval.context import Context, Found, build_context
from kgrag.retrieval.rerank import Ranked, probability

logger = logging.getLogger(__name__)


class BrokenCheckError(Exception):
    """Something that an answer rests on raised; ``layer`` names it. Never leaves ``ask``."""

    def __init__(self, layer: str) -> None:
        super().__init__(layer)
        self.layer = layer


@contextmanager
def guarded(layer: str, passing: type[KgragError] | tuple[()] = ()) -> Iterator[None]:
    """Whatever breaks ends the answer; errors of the kind ``passing`` speak for themselves."""
    try:
        yield
    except BrokenCheckError:
        raise
    except passing:
        raise
    except Exception as error:  # whatever broke, nothing may leave
        # The message may hold text of documents or of the question: the type alone is logged.
        logger.error("the check %s broke: %s", layer, type(error).__name__)
        raise BrokenCheckError(layer) from error


class Clock:
    """Milliseconds by step."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """What is done inside is counted under ``name``."""
        began = time.perf_counter()
        try:
            yield
        finally:
            taken = (time.perf_counter() - began) * 1000
            self.steps[name] = round(self.steps.get(name, 0.0) + taken, 2)

    def elapsed(self) -> float:
        """Milliseconds since the question came."""
        return round((time.perf_counter() - self.began) * 1000, 2)

    def all(self) -> dict[str, float]:
        """The steps, and ``total``."""
        return {**self.steps, "total": self.elapsed()}


@dataclass(slots=True)
class Draft:
    """The state of one question on its way."""

    question: str
    id: str
    options: AskOptions
    clock: Clock = field(default_factory=Clock)
    view: GraphView = field(default_factory=GraphView)
    found: Sequence[Found] = ()
    context: Context = field(default_factory=lambda: Context((), {}))
    ranked: list[Ranked] = field(default_factory=list)
    chance: float = 0.0


def find(draft: Draft, parts: Parts, limit: int) -> None:
    """Passages, context, order and the chance that the best piece answers."""
    with draft.clock.step("search"):
        selection = draft.options.selection
        listed = parts.retriever.candidates(draft.question, limit=limit, selection=selection)
        known = {c.hit.passage_id for c in listed}
        extra = [c for c in draft.view.found if c.hit.passage_id not in known]
        draft.found = [*listed, *extra]
    with draft.clock.step("context"):
        draft.context = build_context(draft.found, parts.truth, words=draft.options.words)
    with draft.clock.step("rerank"):
        evidence = frozenset(draft.view.evidence)
        draft.ranked = parts.reranker.rank(
            draft.question, draft.context.citables, evidence=evidence
        )
        draft.chance = chance_of(draft.question, parts, draft.ranked)


def chance_of(question: str, parts: Parts, ranked: Sequence[Ranked]) -> float:
    """The probability, in [0, 1], that the first of ``ranked`` answers."""
    if not ranked:
        return 0.0
    features = answer_features(question, ranked)
    return probability(parts.reranker.weights.answer, features)
