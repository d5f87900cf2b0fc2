"""The state of one question on its way, and one round of looking for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from kgrag.errors import BrokenInvariant, KgragError
from kgrag.reasoning.answerable import answer_features
from kgrag.reasoning.parts import GraphView, Judged, Parts
from kgrag.reasoning.paths import Path
from kgrag.reasoning.persons import impersonal
from kgrag.records.analysis import Analysis
from kgrag.records.answer import Citation, CitedDocument, Hit, Inapplicable, Round, RoundAction
from kgrag.records.question import AskOptions
from kgrag.retrieval.context import Citable, Context, Found, Refusal, build_context
from kgrag.retrieval.rerank import Ranked, probability

logger = logging.getLogger(__name__)


class BrokenCheckError(Exception):
    """Something that an answer rests on raised; ``layer`` names it. Never leaves ``ask``."""

    def __init__(self, layer: str) -> None:
        super().__init__(layer)
        self.layer = layer


@contextmanager
def guarded(layer: str, passing: type[KgragError] | tuple[()] = ()) -> Iterator[None]:
    """Whatever breaks ends the answer; errors of the kind ``passing`` speak for themselves.

    A broken invariant never does: the caller can do nothing about it.
    """
    try:
        yield
    except BrokenCheckError:
        raise
    except Exception as error:  # whatever broke, nothing may leave
        if isinstance(error, passing) and not isinstance(error, BrokenInvariant):
            raise
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
class Strand:
    """One question on its way to statements: the whole one, or a part of it.

    ``part`` is its place among the parts, None for the whole of a question that has several.
    ``asked`` is what retrieval was last asked; ``bridge`` the edge over which that was reached.
    ``repeating`` are quotations that only say again what the question takes as known.
    """

    question: str
    part: int | None = 0
    found: list[Found] = field(default_factory=list)
    context: Context = field(default_factory=lambda: Context((), {}))
    ranked: list[Ranked] = field(default_factory=list)
    chance: float = 0.0
    tried: list[RoundAction] = field(default_factory=list)
    asked: str = ""
    bridge: Path | None = None
    repeating: tuple[Citation, ...] = ()


@dataclass(slots=True)
class Draft:
    """The state of one question on its way."""

    question: str
    id: str
    options: AskOptions
    threshold: float
    clock: Clock = field(default_factory=Clock)
    analysis: Analysis | None = None
    view: GraphView = field(default_factory=GraphView)
    strands: list[Strand] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    inapplicable: list[Inapplicable] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def whole(self) -> Strand:
        """The strand of the whole question, which every question has."""
        return self.strands[0]

    @property
    def answering(self) -> list[Strand]:
        """The strands that the answer is made of: the parts, or the whole where there are none."""
        return self.strands[1:] or self.strands

    def settled(self, strand: Strand) -> bool:
        """Whether the best piece of the strand is likely enough to answer."""
        return bool(strand.ranked) and strand.chance >= self.threshold

    def matter(self, question: str) -> str:
        """What a piece must cover: the question, or a part of it, without who it is about."""
        return impersonal(question, self.analysis.patient) if self.analysis else question

    def missing(self) -> tuple[str, ...]:
        """The questions that have no likely answer yet, in their order."""
        return tuple(s.question for s in self.answering if not self.settled(s))

    @property
    def late(self) -> bool:
        """Whether the time for the question has run out."""
        limit = self.options.seconds
        return limit is not None and self.clock.elapsed() > limit * 1000

    @property
    def context(self) -> Context:
        """The contexts of all strands as one; the pieces are numbered by strand."""
        if len(self.strands) == 1:
            return self.strands[0].context
        pieces: dict[tuple[str, int, int], Citable] = {}
        documents: dict[str, CitedDocument] = {}
        refused: dict[Refusal, int] = {}
        concerns: dict[str, None] = {}
        for context in (s.context for s in self.strands):
            pieces.update({(c.document_id, c.start, c.end): c for c in context.citables})
            documents.update(context.documents)
            for reason, count in context.refused.items():
                refused[reason] = max(refused.get(reason, 0), count)
            concerns.update(dict.fromkeys(context.concerns))
        return Context(tuple(pieces.values()), documents, refused, tuple(concerns))

    @property
    def hits(self) -> list[Hit]:
        """The passages of all strands, each once."""
        return list({f.hit.passage_id: f.hit for s in self.strands for f in s.found}.values())


def look_round(
    draft: Draft,
    strand: Strand,
    parts: Parts,
    action: RoundAction,
    *,
    limit: int = 0,
    asked: str = "",
    extra: Sequence[Found] = (),
    fit: Callable[[Citable], bool] | None = None,
) -> None:
    """One round, recorded: passages, context, order and the chance that the best piece answers.

    ``limit`` passages are retrieved for ``asked``, by default the strand's question; none when it
    is 0. What the strand had found stays, and ``extra`` is added behind. Only pieces that are
    ``fit`` may answer.
    """
    began = draft.clock.elapsed()
    strand.asked = asked or strand.question
    strand.tried.append(action)
    listed: Sequence[Found] = ()
    with draft.clock.step("search"), guarded("retrieval", passing=KgragError):
        if limit:
            selection = draft.options.selection
            listed = parts.retriever.candidates(strand.asked, limit=limit, selection=selection)
        # A longer list of the same question is the better order of what is known.
        same = action == "passages"
        joined = [*listed, *strand.found] if same else [*strand.found, *listed]
        found: dict[str, Found] = {}
        for one in (*joined, *extra):
            found.setdefault(one.hit.passage_id, one)
        strand.found = list(found.values())
    with draft.clock.step("context"), guarded("context", passing=KgragError):
        strand.context = build_context(strand.found, parts.truth, words=draft.options.words)
    with draft.clock.step("rerank"), guarded("rerank", passing=KgragError):
        question = strand.asked if action == "bridge" else strand.question
        pieces = strand.context.citables
        strand.ranked = parts.reranker.rank(
            question, pieces, evidence=frozenset(draft.view.evidence)
        )
        if not all(pieces[r.citable.number] == r.citable for r in strand.ranked):
            raise BrokenInvariant("the reranker gave a piece that it was not given")
        strand.ranked = [
            r
            for r in strand.ranked
            if not repeats(r.citable, strand.repeating) and (fit is None or fit(r.citable))
        ]
        strand.chance = chance_of(draft.matter(question), parts, strand.ranked)
    draft.rounds.append(
        Round(
            action, strand.asked, len(strand.found), len(pieces), round(strand.chance, 4),
            draft.missing(), round(draft.clock.elapsed() - began, 2),
            sum(c.words for c in pieces), 0, strand.part or 0,
        )
    )  # fmt: skip


class Placed(Protocol):
    """Characters ``[start, end)`` of a document: a piece or a citation."""

    @property
    def document_id(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def overlap(one: Placed, other: Placed) -> bool:
    """Whether the two share characters."""
    same = one.document_id == other.document_id
    return same and one.start < other.end and other.start < one.end


def repeats(piece: Citable, quoted: Iterable[Citation]) -> bool:
    """Whether the piece shares characters with any of the quotations."""
    return any(overlap(piece, citation) for citation in quoted)


def chance_of(question: str, parts: Parts, ranked: Sequence[Ranked]) -> float:
    """The probability, in [0, 1], that the first of ``ranked`` answers."""
    if not ranked:
        return 0.0
    features = answer_features(question, ranked)
    chance = probability(parts.reranker.weights.answer, features)
    if not 0.0 <= chance <= 1.0:
        raise BrokenInvariant("the chance of an answer is no probability")
    return chance
