"""From a question to an answer: look, find, quote, check, keep or drop, or say why not.

Nothing leaves but quotations whose characters were read again from the truth and that passed
every check. A check that breaks ends the answer: it becomes an abstention that names the layer.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from kgrag.errors import KgragError
from kgrag.generation.base import LanguageModel
from kgrag.reasoning.answerable import answer_features, speaks_to
from kgrag.reasoning.coverage import content_words, coverage
from kgrag.reasoning.notices import is_emergency, notice
from kgrag.reasoning.paths import asks_for_connection, is_chain, path_text
from kgrag.records.answer import (
    Answer,
    Check,
    Citation,
    EvidenceChain,
    Hit,
    PathStep,
    Seed,
    Statement,
    to_plain,
)
from kgrag.records.question import AskOptions, Choice, Selection
from kgrag.retrieval.context import (
    DOUBTFUL,
    Citable,
    Context,
    Found,
    Reads,
    build_context,
    may_show,
    speaks_to_model,
)
from kgrag.retrieval.rerank import LinearReranker, Ranked, probability
from kgrag.retrieval.seeds import Links
from kgrag.verification.quotes import check_span
from kgrag.verification.units import has_dose
from kgrag.verification.verdict import check_question

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kgrag.engine import Engine
    from kgrag.reasoning.supersession import Past

logger = logging.getLogger(__name__)

MARGIN: Final = 3.0
"""A further statement scores at most this much less than the first (in log odds)."""
FOLLOWING: Final = 0.75
"""The share of the threshold that a further statement must reach: the first one carries the
question's subject, and what goes on from it often does not name it again."""
LEAST_SUBJECT: Final = 0.2
"""The least share of the question's subject words that a quotation and its place must name."""
OFFERED: Final = 10
"""How many pieces the language model chooses from, when it chooses."""
NEAREST: Final = 3
_ASKS_A_DOSE: Final = re.compile(
    r"\b(?:what|which)\b(?:\W+\w+){0,4}?\W+(?:dos(?:e|es|age)|dosing)\b|\bhow much\b", re.IGNORECASE
)
# "The dose is halved in renal impairment" answers too.
_TELLS_A_DOSE: Final = re.compile(r"\bdos(?:e|es|age|ages|ing)\b", re.IGNORECASE)


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
        from kgrag.reasoning.parts import parts_of

        return parts_of(engine)


class _BrokenCheckError(Exception):
    """A check raised; ``layer`` names it. Never leaves this module."""

    def __init__(self, layer: str) -> None:
        super().__init__(layer)
        self.layer = layer


class _Clock:
    """Milliseconds by step."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            taken = (time.perf_counter() - began) * 1000
            self.steps[name] = round(self.steps.get(name, 0.0) + taken, 2)

    def all(self) -> dict[str, float]:
        total = round((time.perf_counter() - self.began) * 1000, 2)
        return {**self.steps, "total": total}


@dataclass(slots=True)
class _Draft:
    """The state of one question on its way."""

    question: str
    id: str
    options: AskOptions
    clock: _Clock
    view: GraphView = field(default_factory=GraphView)
    found: Sequence[Found] = ()
    context: Context = field(default_factory=lambda: Context((), {}))
    ranked: list[Ranked] = field(default_factory=list)
    chance: float = 0.0


def ask(
    question: str, parts: Parts, options: AskOptions | None = None, *, id: str | None = None
) -> Answer:
    """Verified quotations that answer ``question``, or an abstention with its reason.

    At most ``options.statements`` of at most ``options.words`` words. BadQuestion when it cannot
    be asked; any other abnormal end of a check is an abstention without evidence.
    """
    from kgrag.retrieval.asked import check_question as askable

    limits = options or AskOptions()
    identifier = id or f"ans_{uuid.uuid4().hex[:24]}"
    draft = _Draft(askable(question), identifier, limits, _Clock())
    threshold = parts.reranker.weights.threshold if limits.threshold is None else limits.threshold
    try:
        if parts.look is not None:
            with draft.clock.step("graph"), _guarded("graph", passing=KgragError):
                draft.view = _showable(parts.look(draft.question, limits), parts.truth)
        for round_number in range(limits.rounds):
            before = len(draft.context.citables)
            with _guarded("retrieval", passing=KgragError):
                _find(draft, parts, limits.passages * 2**round_number)
            enough = draft.chance >= threshold
            if enough or (round_number and len(draft.context.citables) == before):
                break
        with draft.clock.step("verification"):
            connection = _connection(draft, parts)
        if not draft.ranked or draft.chance < threshold:
            if connection:
                return _answer(draft, parts, connection)
            if draft.ranked:
                return _abstain(draft, parts, "not_covered")
            return _abstain(draft, parts, "nothing_passed" if draft.found else "nothing_found")
        with draft.clock.step("choice"):
            ordered = _choose(draft, parts)
        if not ordered and not connection:
            return _abstain(draft, parts, "nothing_chosen")
        with draft.clock.step("verification"):
            statements = (connection + _keep(draft, parts, ordered, threshold))[: limits.statements]
        if not statements:
            return _abstain(draft, parts, "nothing_passed")
        return _answer(draft, parts, statements)
    except _BrokenCheckError as broken:
        return _answer_nothing(draft, parts, broken.layer)


def _showable(view: GraphView, truth: Reads) -> GraphView:
    """The view without the paths and conflicts of which a quotation may not be shown.

    What the graph quotes was not chosen among the citable pieces, so it is judged here.
    """

    def fit(citations: Iterable[Mapping[str, Any]]) -> bool:
        return all(
            may_show(truth.document(c["document"]["id"]), c["start"], c["end"]) for c in citations
        )

    return replace(
        view,
        paths=tuple(p for p in view.paths if fit(to_plain(step.citation) for step in p)),
        conflicts=tuple(c for c in view.conflicts if fit(side["citation"] for side in c["sides"])),
    )


def _find(draft: _Draft, parts: Parts, limit: int) -> None:
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
        draft.chance = _chance(draft, parts, draft.ranked)


def _chance(draft: _Draft, parts: Parts, ranked: Sequence[Ranked]) -> float:
    if not ranked:
        return 0.0
    features = answer_features(draft.question, ranked)
    return probability(parts.reranker.weights.answer, features)


def _choose(draft: _Draft, parts: Parts) -> list[Ranked]:
    """The pieces in the order in which they may become statements, near repeats left out."""
    choice = draft.options.choice or parts.choice
    pieces = _different(draft.ranked)
    if choice == "rerank" or parts.model is None:
        return [r for r in pieces if r.score >= pieces[0].score - MARGIN]
    offered = pieces[:OFFERED]
    chosen = parts.model.choose(
        draft.question, [r.citable.text for r in offered], count=draft.options.statements
    )
    return [offered[i] for i in dict.fromkeys(chosen) if 0 <= i < len(offered)]


def _different(ranked: Sequence[Ranked], most: int = 30) -> list[Ranked]:
    """Best first, without pieces of other places that say an earlier one in the same words."""
    kept: list[Ranked] = []
    words: list[set[str]] = []
    for candidate in ranked:
        piece = candidate.citable
        mine = set(content_words(piece.text))
        repeats = any(
            min(coverage(mine, other), coverage(other, mine)) >= 0.8
            and not _overlap(k.citable, piece)
            for k, other in zip(kept, words, strict=True)
        )  # fmt: skip
        if not repeats:
            kept.append(candidate)
            words.append(mine)
        if len(kept) == most:
            break
    return kept


def _keep(
    draft: _Draft, parts: Parts, ordered: Sequence[Ranked], threshold: float
) -> tuple[Statement, ...]:
    """The statements that passed every check, in order; the others are dropped.

    A piece that overlaps or follows one already kept becomes one quotation with it when both
    together fit the limit of words, so that a list or an argument is not quoted in shreds.
    """
    pieces: list[Citable] = []
    kept: list[Statement] = []

    @cache
    def text_of(document_id: str) -> str:
        return parts.truth.document(document_id).text

    for candidate in ordered:
        chance = _chance(draft, parts, [candidate])
        if kept and chance < FOLLOWING * threshold:
            continue
        piece = candidate.citable
        with _guarded("span"):
            at = next((i for i, p in enumerate(pieces) if _touch(p, piece, text_of)), None)
            joined = None if at is None else _joined(pieces[at], piece, text_of)
        if at is not None and joined is not None:
            if joined.words <= draft.options.words:
                confidence = kept[at].confidence
                statement = _statement(draft, parts, joined, confidence)
                if statement is not None:
                    pieces[at], kept[at] = joined, statement
                    continue
            if _overlap(pieces[at], piece):
                continue
        if len(kept) == draft.options.statements:
            continue
        confidence = round(draft.chance if not kept else chance, 4)
        statement = _statement(draft, parts, piece, confidence)
        if statement is not None:
            pieces.append(piece)
            kept.append(statement)
    return tuple(kept)


def _overlap(one: Citable, other: Citable) -> bool:
    """Whether the two share characters."""
    same = one.document_id == other.document_id
    return same and one.start < other.end and other.start < one.end


def _touch(one: Citable, other: Citable, text_of: Callable[[str], str]) -> bool:
    """Whether the two overlap, or follow each other in one paragraph of one section."""
    if (one.document_id, one.section) != (other.document_id, other.section):
        return False
    first, second = sorted((one, other), key=lambda c: (c.start, c.end))
    if second.start <= first.end:
        return True
    between = text_of(one.document_id)[first.end : second.start]
    return not between.strip() and "\n" not in between


def _joined(one: Citable, other: Citable, text_of: Callable[[str], str]) -> Citable:
    """The one piece that holds both, from the first character to the last."""
    start, end = min(one.start, other.start), max(one.end, other.end)
    first = min(one, other, key=lambda c: c.start)
    text = text_of(one.document_id)[start:end]
    return replace(first, start=start, end=end, text=text, doubt=max(one.doubt, other.doubt))


def _statement(
    draft: _Draft, parts: Parts, piece: Citable, confidence: float | None
) -> Statement | None:
    """The piece as a statement, None when a check failed."""
    citation = _citation(piece, draft.context)
    checks = _checks(draft, parts, piece, citation)
    if checks[0].result != "pass" or any(c.result == "fail" for c in checks):
        return None
    return Statement(
        text=citation.quote,
        kind="quote",
        verdict="supported",
        confidence=confidence,
        citations=(citation,),
        assertions=_stated(piece, draft.view),
        checks=checks,
    )


def _connection(draft: _Draft, parts: Parts) -> tuple[Statement, ...]:
    """The best chain of edges between two concepts, when the question asks how they connect."""
    if not asks_for_connection(draft.question):
        return ()
    for path in _sound_paths(draft, parts):
        text = path_text(path)
        if not is_chain(path) or len(text.split()) > draft.options.words:
            continue
        with _guarded("path"):
            checks = [
                parts.span_check(step.citation, step.citation.quote, parts.truth) for step in path
            ]
            detail = "one source states it" if len(path) == 1 else (
                f"{len(path)} assertions joined; each source states one of them"
            )  # fmt: skip
            checks.append(Check("graph", "pass", detail))
        return (
            Statement(
                text=text,
                kind="path",
                verdict="supported",
                confidence=None,
                citations=tuple(step.citation for step in path),
                assertions=tuple(step.assertion for step in path),
                checks=tuple(checks),
            ),
        )
    return ()


def _citation(citable: Citable, context: Context) -> Citation:
    return Citation(
        context.documents[citable.document_id], citable.passage_id, citable.section,
        citable.page, citable.start, citable.end, citable.text,
    )  # fmt: skip


def _checks(draft: _Draft, parts: Parts, citable: Citable, citation: Citation) -> tuple[Check, ...]:
    """Span first, then whether it speaks of the question, for its patient, within the limits."""
    with _guarded("span"):
        checks = [parts.span_check(citation, citable.text, parts.truth)]
    with _guarded("coverage"):
        share = speaks_to(draft.question, citable, {})
        checks.append(
            Check("coverage", "pass" if share >= LEAST_SUBJECT else "fail",
                  f"{share:.2f} of the question's subject")
        )  # fmt: skip
    with _guarded("slots"):
        place = " ".join((citable.title, *citable.section))
        checks.extend(parts.question_check(draft.question, citable.text, place))
    with _guarded("dose"):
        if _ASKS_A_DOSE.search(draft.question) and not _TELLS_A_DOSE.search(citable.text):
            told = has_dose(citable.text)
            checks.append(Check("dose", "pass" if told else "fail", "a dose is asked for"))
    with _guarded("drug"):
        if parts.linker is not None and has_dose(citable.text):
            checks.append(_same_drug(draft.question, citable.text, parts.linker))
    with _guarded("limits"):
        if citable.words > draft.options.words or speaks_to_model(citable.text):
            checks.append(Check("limits", "fail", "too long, or it addresses a model"))
        if citable.doubt >= DOUBTFUL and has_dose(citable.text):
            checks.append(Check("doubt", "fail", "a dose on a page of doubtful extraction"))
    return tuple(checks)


def _same_drug(question: str, quotation: str, linker: Links) -> Check:
    """A dose is that of a drug the question names, when it names any."""
    asked, quoted = (
        {m.concept for m in linker.link(text) if m.type == "drug"} for text in (question, quotation)
    )
    if not asked or not quoted:
        return Check("drug", "not_applicable")
    if asked & quoted:
        return Check("drug", "pass")
    return Check("drug", "fail", "a dose of another drug than the one asked about", "factual error")


@contextmanager
def _guarded(layer: str, passing: type[KgragError] | tuple[()] = ()) -> Iterator[None]:
    """Whatever breaks ends the answer; errors of the kind ``passing`` speak for themselves."""
    try:
        yield
    except passing:
        raise
    except Exception as error:  # whatever broke, nothing may leave
        # The message may hold text of documents or of the question: the type alone is logged.
        logger.error("the check %s broke: %s", layer, type(error).__name__)
        raise _BrokenCheckError(layer) from error


def _stated(citable: Citable, view: GraphView) -> tuple[str, ...]:
    return tuple(
        sorted(
            {
                assertion
                for (document, start, end), assertion in view.evidence.items()
                if document == citable.document_id and start < citable.end and citable.start < end
            }
        )
    )


def _answer(draft: _Draft, parts: Parts, statements: tuple[Statement, ...]) -> Answer:
    cited = {c.passage_id for s in statements for c in s.citations}
    shown = [f.hit for f in draft.found if f.hit.passage_id in cited]
    with draft.clock.step("verification"):
        evidence = EvidenceChain(
            draft.view.seeds, _sound_paths(draft, parts), _sound(shown, draft, parts)
        )
    warnings = _warnings(draft, parts)
    doubtful = {c.document_id for c in draft.context.citables if c.doubt >= DOUBTFUL}
    documents = tuple(dict.fromkeys(c.document for s in statements for c in s.citations))
    marked = {
        "concern": [d for d in documents if d.id in draft.context.concerns],
        "inexact": [d for d in documents if parts.past and parts.past.inexact(d.id)],
        "doubtful_cited": [d for d in documents if d.id in doubtful],
    }
    for name, those in marked.items():
        warnings += [notice(name, title=d.title) for d in those]
    return Answer(
        draft.id, draft.question, False, None, statements, evidence, draft.view.conflicts,
        tuple(dict.fromkeys(warnings)), dict(parts.models), draft.clock.all(),
    )  # fmt: skip


def _abstain(draft: _Draft, parts: Parts, reason: str) -> Answer:
    """An abstention with the nearest evidence, which is no answer."""
    order = dict.fromkeys(r.citable.passage_id for r in draft.ranked)
    by_id = {f.hit.passage_id: f.hit for f in draft.found}
    hits = [by_id[i] for i in order if i in by_id][:NEAREST]
    with draft.clock.step("verification"):
        chain = EvidenceChain(draft.view.seeds, (), _sound(hits, draft, parts))
    return Answer(
        draft.id, draft.question, True, notice(reason), (), chain, (),
        tuple(_warnings(draft, parts)), dict(parts.models), draft.clock.all(),
    )  # fmt: skip


def _answer_nothing(draft: _Draft, parts: Parts, layer: str) -> Answer:
    """An abstention without any evidence: what was found could not be checked."""
    return Answer(
        draft.id, draft.question, True, notice("check_failed"), (), EvidenceChain(), (),
        (f"the check {layer!r} could not be carried out",), dict(parts.models), draft.clock.all(),
    )  # fmt: skip


def _sound(hits: Sequence[Hit], draft: _Draft, parts: Parts) -> tuple[Hit, ...]:
    """The hits whose text the truth still holds, of documents that may be cited.

    Passages that address a model, or name doses on a doubtful page, are left out.
    """
    kept: list[Hit] = []
    barred = {
        (c.document_id, c.page) for c in draft.context.citables if c.doubt >= DOUBTFUL
    }  # fmt: skip
    with _guarded("evidence"):
        for hit in hits:
            if hit.document.id not in draft.context.documents or speaks_to_model(hit.text):
                continue
            if (hit.document.id, hit.page) in barred and has_dose(hit.text):
                continue
            if parts.truth.document(hit.document.id).text[hit.start : hit.end] == hit.text:
                kept.append(hit)
    return tuple(kept)


def _sound_paths(draft: _Draft, parts: Parts) -> tuple[tuple[PathStep, ...], ...]:
    """The paths of which every quotation passes the span check."""
    with _guarded("paths"):
        return tuple(
            path
            for path in draft.view.paths
            if all(
                parts.span_check(s.citation, s.citation.quote, parts.truth).result == "pass"
                for s in path
            )
        )


def _warnings(draft: _Draft, parts: Parts) -> list[str]:
    found = [notice("emergency")] if is_emergency(draft.question) else []
    if parts.past is not None:
        found.append(notice("as_of", day=parts.past.as_of))
        if undated := parts.past.undated(draft.options.selection.collections):
            found.append(notice("undated", number=str(undated)))
    refused = draft.context.refused
    found.extend(
        notice(name)
        for name in ("retracted", "superseded", "doubtful", "instruction")
        if refused.get(name, 0)
    )
    if draft.view.conflicts:
        found.append(notice("disagreement"))
    return found
