"""Answers: statements with their verdicts and citations, or an abstention with its reason.

``to_json`` gives the public contract; names there are fixed, fields may be added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from kgrag.records.text import Metadata, Source

if TYPE_CHECKING:
    from kgrag.records.analysis import Analysis

StatementKind = Literal["quote", "template", "path", "paraphrase", "notice"]
Verdict = Literal["supported", "contradicted", "not_enough_info"]
CheckResult = Literal["pass", "fail", "not_applicable"]
RoundAction = Literal["first", "passages", "graph", "hypotheses", "part", "bridge"]


class Described(Protocol):
    """What a ``Document`` and a ``DocumentInfo`` say of themselves."""

    @property
    def id(self) -> str: ...
    @property
    def uri(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def source(self) -> Source: ...
    @property
    def metadata(self) -> Metadata: ...


@dataclass(frozen=True, slots=True)
class CitedDocument:
    """The document of a citation, as its source describes itself."""

    id: str
    uri: str
    title: str
    version: str | None = None
    publisher: str | None = None
    date: str | None = None
    licence: str | None = None
    collection: str | None = None
    retracted: str | None = None

    @classmethod
    def of(cls, item: Described) -> CitedDocument:
        """The citable description of a document, or of what a store says of it.

        A date that the document does not state, as the day on which a PDF was made, is not told.
        """
        stated = "date_from" not in dict(item.metadata.extra)
        return cls(
            item.id,
            item.uri,
            item.title,
            item.metadata.version,
            item.metadata.publisher,
            item.metadata.date if stated else None,
            item.metadata.licence,
            item.source.collection,
            item.metadata.retracted,
        )


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quotation stands: stored text ``[start:end]`` of the document equals ``quote``."""

    document: CitedDocument
    passage_id: str
    section: tuple[str, ...]
    page: int | None
    start: int
    end: int
    quote: str

    def __post_init__(self) -> None:
        if self.end - self.start != len(self.quote) or not self.quote:
            raise ValueError(f"the quotation does not fit [{self.start}, {self.end})")

    @property
    def document_id(self) -> str:
        return self.document.id


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one verification layer; ``hallucination`` names the kind on failure."""

    layer: str
    result: CheckResult
    detail: str = ""
    hallucination: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that the answer says. ``confidence`` is in [0, 1], None when not calibrated.

    ``part`` is the place in ``Answer.analysis.parts`` of the question that it answers; None when
    the question has several and this answers it as a whole.
    """

    text: str
    kind: StatementKind
    verdict: Verdict
    confidence: float | None
    citations: tuple[Citation, ...]
    assertions: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    part: int | None = 0


@dataclass(frozen=True, slots=True)
class Inapplicable:
    """A verified statement that what the question says of the patient contradicts: no answer.

    ``fact`` is what contradicts it ("age", "pregnant", ...), ``reason`` says how.
    """

    statement: Statement
    reason: str
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of looking did for a question or a part of it.

    ``action`` is what was looked at beyond the rounds before it: "first" nothing, "passages" more
    of them, "graph" sentences that state assertions about the question's concepts, "hypotheses"
    passages about conditions that the findings suggest, "part" one question of several, "bridge"
    a concept that joins two of the question's. ``passages`` and ``pieces`` count what there was
    to quote from after it; ``chance``, in [0, 1], is that the best piece answers; ``missing``
    names the parts of the question that had no answer yet. ``words`` is the length of the pieces
    that were put in order, ``tokens`` what a language model read and wrote.
    """

    action: RoundAction
    question: str
    passages: int
    pieces: int
    chance: float
    missing: tuple[str, ...] = ()
    ms: float = 0.0
    words: int = 0
    tokens: int = 0
    part: int = 0


@dataclass(frozen=True, slots=True)
class PathStep:
    """One edge of a path: an assertion with one of its quotations, in its own direction."""

    assertion: str
    subject: str
    subject_name: str
    predicate: str
    object: str
    object_name: str
    negated: bool
    citation: Citation


@dataclass(frozen=True, slots=True)
class Seed:
    """A concept of the question: its characters there and the concept they are linked to."""

    start: int
    end: int
    text: str
    concept: str
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that retrieval found; ``score`` has no unit, higher is better."""

    document: CitedDocument
    passage_id: str
    text: str
    start: int
    end: int
    score: float
    section: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class EvidenceChain:
    """What the answer was made from: seeds, graph paths and passages, best first.

    With an abstention the passages are the nearest evidence, and no answer.
    """

    seeds: tuple[Seed, ...] = ()
    paths: tuple[tuple[PathStep, ...], ...] = ()
    passages: tuple[Hit, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Verified statements, or ``abstained`` with a ``reason``; never both empty.

    ``inapplicable`` is shown beside an answer and is none. ``agreements`` are statements that
    sources make in common. ``follow_up`` asks for what would change the answer.
    """

    id: str
    question: str
    abstained: bool
    reason: str | None
    statements: tuple[Statement, ...] = ()
    evidence: EvidenceChain = field(default_factory=EvidenceChain)
    conflicts: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    analysis: Analysis | None = None
    rounds: tuple[Round, ...] = ()
    inapplicable: tuple[Inapplicable, ...] = ()
    agreements: tuple[Mapping[str, Any], ...] = ()
    follow_up: tuple[str, ...] = ()

    @property
    def difficulty(self) -> Literal["easy", "hard"]:
        """Whether one round of looking was enough."""
        return "easy" if len(self.rounds) <= 1 else "hard"

    def __post_init__(self) -> None:
        if self.abstained and (self.statements or not self.reason):
            raise ValueError("an abstention has a reason and no statements")
        if not self.abstained and not self.statements:
            raise ValueError("an answer without statements is an abstention")

    def to_json(self) -> dict[str, Any]:
        """The answer as the contract's JSON object (plain dicts, lists, strings, numbers)."""
        return to_plain(self)  # type: ignore[no-any-return]

    def show(self) -> None:
        """Print the answer with its citations, as ``kgrag ask`` does."""
        from kgrag.render import answer_text

        print(answer_text(self))

    def to_markdown(self) -> str:
        """The answer as Markdown; nothing of a source can become markup."""
        from kgrag.render import answer_markdown

        return answer_markdown(self)

    def to_html(self) -> str:
        """The answer as one whole HTML page, without script, link or anything from elsewhere."""
        from kgrag.render import answer_page

        return answer_page(self)

    def _repr_html_(self) -> str:
        from kgrag.render import answer_html

        return answer_html(self)


def to_plain(value: Any) -> Any:
    """Dataclasses as dicts and tuples as lists, all the way down."""
    if hasattr(value, "__dataclass_fields__"):
        return to_plain(asdict(value))
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value
