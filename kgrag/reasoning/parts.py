"""What an answer is made with: stores, models, graph and checks, each replaceable by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from kgrag.generation.base import LanguageModel
from kgrag.records.answer import Check, Citation, PathStep, Seed
from kgrag.records.question import AskOptions, Choice, Selection
from kgrag.retrieval.context import Found, Reads
from kgrag.retrieval.rerank import LinearReranker
from kgrag.retrieval.seeds import Links
from kgrag.verification.quotes import check_span
from kgrag.verification.verdict import check_question

if TYPE_CHECKING:
    from kgrag.engine import Engine
    from kgrag.reasoning.supersession import Past


class Retrieves(Protocol):
    """Passages for a question: ``HybridRetriever``."""

    def candidates(
        self, question: str, *, limit: int = 20, selection: Selection | None = None
    ) -> Sequence[Found]: ...


@dataclass(frozen=True, slots=True)
class GraphView:
    """What the graph knows of the question.

    ``evidence`` maps (document, start, end) of a quotation to the id of the assertion it states.
    """

    seeds: tuple[Seed, ...] = ()
    evidence: Mapping[tuple[str, int, int], str] = field(default_factory=dict)
    paths: tuple[tuple[PathStep, ...], ...] = ()
    conflicts: tuple[Mapping[str, Any], ...] = ()
    found: tuple[Found, ...] = ()


Look = Callable[[str, AskOptions], GraphView]
QuestionCheck = Callable[[str, str, str], tuple[Check, ...]]
SpanCheck = Callable[[Citation, str, Reads], Check]


@dataclass(frozen=True, slots=True)
class Parts:
    """What an answer is made with. ``look`` and ``model`` may be absent, the checks may not."""

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

    @classmethod
    def of(cls, engine: Engine | Past) -> Parts:
        """The parts of an open engine, or of what it held on a day.

        The language model is loaded only when it chooses.
        """
        from kgrag.reasoning.parts_engine import parts_of

        return parts_of(engine)
