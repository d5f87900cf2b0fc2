"""What an answer is made with: stores, models, graph and checks, each replaceable by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from kgrag.generation.base import LanguageModel
from kgrag.reasoning.paths import Path
from kgrag.records.analysis import Analysis, Patient
from kgrag.records.answer import Check, Citation, PathStep, Seed, Statement
from kgrag.records.question import AskOptions, Choice, Selection
from kgrag.retrieval.context import Citable, Found, Reads
from kgrag.retrieval.rerank import LinearReranker
from kgrag.verification.names import Links
from kgrag.verification.quotes import check_span
from kgrag.verification.verdict import check_question

if TYPE_CHECKING:
    from kgrag.engine import Engine
    from kgrag.reasoning.supersession import Past
    from kgrag.verification.entailment.base import Entailment


class Retrieves(Protocol):
    """Passages for a question: ``HybridRetriever``."""

    def candidates(
        self, question: str, *, limit: int = 20, selection: Selection | None = None
    ) -> Sequence[Found]: ...


@dataclass(frozen=True, slots=True)
class GraphView:
    """What the graph knows of the question.

    ``evidence`` maps (document, start, end) of a quotation to the id of the assertion it states,
    best first. ``beliefs`` are those of the assertions in ``paths``, in [0, 1).
    """

    seeds: tuple[Seed, ...] = ()
    evidence: Mapping[tuple[str, int, int], str] = field(default_factory=dict)
    paths: tuple[tuple[PathStep, ...], ...] = ()
    conflicts: tuple[Mapping[str, Any], ...] = ()
    found: tuple[Found, ...] = ()
    beliefs: Mapping[str, float] = field(default_factory=dict)


class Judged(Protocol):
    """Whether a quotation is for the patient: ``kgrag.reasoning.applicability.Applicability``."""

    @property
    def result(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def fact(self) -> str: ...
    @property
    def missing(self) -> tuple[str, ...]: ...


class Cautions(Protocol):
    """What a warning says of an advice: ``kgrag.reasoning.forbidding.Caution``."""

    @property
    def reason(self) -> str: ...
    @property
    def missing(self) -> tuple[str, ...]: ...


Look = Callable[[str, AskOptions], GraphView]
Analyses = Callable[[str, Sequence[Seed]], Analysis]
Near = Callable[[GraphView, AskOptions], Sequence[Found]]
Bridges = Callable[[str, GraphView, AskOptions], Sequence[Path]]
Suppose = Callable[[str, AskOptions], Sequence[str]]
Connect = Callable[[Sequence[Seed], Sequence[str], AskOptions], Sequence[Path]]
Applies = Callable[[Patient, str, Sequence[str]], Judged]
Forbids = Callable[[Patient, str, str, Sequence[str]], Cautions]
Agree = Callable[
    [Sequence[Statement], Sequence[Citable], AskOptions], tuple[Mapping[str, Any], ...]
]
Follow = Callable[[Analysis, Sequence[Any]], tuple[str, ...]]
QuestionCheck = Callable[[str, str, str], tuple[Check, ...]]
SpanCheck = Callable[[Citation, str, Reads], Check]


@dataclass(frozen=True, slots=True)
class Parts:
    """What an answer is made with. The checks may not be absent; most else may.

    ``analyse`` takes a question apart. ``look`` gives what the graph knows of it, ``near`` the
    passages that state it, ``bridges`` what leads one step on from its concepts, ``suppose`` the
    names of conditions that its findings suggest, ``connect`` the paths from its concepts to those
    of an answer, best first. ``applies`` judges a quotation for the patient, ``forbids``
    says why a warning rules out advice for the patient, or which untold fact would decide that,
    ``follow`` what to ask back; ``agree`` finds who else says the same. ``sure`` is the measured
    probability of a raw chance, None where nothing was measured; without it the raw chance is told.
    ``entailment`` checks free sentences, from the probability ``entailed`` on.
    """

    truth: Reads
    retriever: Retrieves
    reranker: LinearReranker
    look: Look | None = None
    model: LanguageModel | None = None
    choice: Choice = "rerank"
    models: Mapping[str, str] = field(default_factory=dict)
    past: Past | None = None
    linker: Links | None = None
    span_check: SpanCheck = check_span
    question_check: QuestionCheck = check_question
    analyse: Analyses | None = None
    near: Near | None = None
    bridges: Bridges | None = None
    suppose: Suppose | None = None
    connect: Connect | None = None
    applies: Applies | None = None
    forbids: Forbids | None = None
    follow: Follow | None = None
    agree: Agree | None = None
    sure: Callable[[float], float | None] | None = None
    entailment: Entailment | None = None
    entailed: float = 0.9

    @classmethod
    def of(cls, engine: Engine | Past) -> Parts:
        """The parts of an open engine, or of what it held on a day.

        The language model is loaded only when it chooses.
        """
        from kgrag.reasoning.parts_engine import parts_of

        return parts_of(engine)
