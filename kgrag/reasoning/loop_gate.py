"""The last gate: every word of a finished answer is read again from the truth before it leaves.

It trusts nothing that made the answer: not the checks that were carried out, nor their results as
objects of the right kind. What does not pass becomes an abstention that says nothing but that.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from kgrag.errors import BrokenInvariant
from kgrag.reasoning.notices import notice
from kgrag.reasoning.once import Once
from kgrag.reasoning.paths import is_chain, path_text
from kgrag.records.answer import (
    Answer,
    Check,
    Citation,
    EvidenceChain,
    Hit,
    PathStep,
    Statement,
    to_plain,
)
from kgrag.retrieval.context import Reads
from kgrag.verification.quotes import check_span

REQUIRED: Final[Mapping[str, frozenset[str]]] = {
    "quote": frozenset({"span", "coverage", "limits"}),
    "path": frozenset({"span", "graph"}),
    "template": frozenset({"template", "coverage", "limits"}),
    "paraphrase": frozenset({"span", "entailment"}),
}
"""The layers that each kind of statement must have passed. There is no other kind."""


def gate(answer: Answer, truth: Reads) -> Answer:
    """``answer``, when all that it says is in the truth now; raises when it is not.

    Every citation's characters are those of its document, which is current; every quotation is its
    statement; every required check is there and none failed; confidences are probabilities.
    """
    if not isinstance(answer, Answer):
        raise BrokenInvariant("what was made is no answer")
    truth = Once(truth)
    if answer.abstained is not True:
        if not answer.statements:
            raise BrokenInvariant("an answer says nothing")
        for statement in answer.statements:
            _statement(statement, truth)
            if statement.kind == "path":
                _path(statement, answer.evidence)
            if any(check.result == "fail" for check in statement.checks):
                raise BrokenInvariant("a statement failed a check")
    for item in answer.inapplicable:
        _statement(item.statement, truth)
    _evidence(answer.evidence, truth)
    for plain in (*answer.conflicts, *answer.agreements):
        _sides(plain, truth)
    # Whatever else it tells can be written down as it is: no object, and no number that is none.
    json.dumps(answer.to_json(), allow_nan=False)
    return answer


def closed(answer_id: str, question: str, layer: str) -> Answer:
    """An abstention without any evidence: what was found could not be checked."""
    warning = f"the check {layer!r} could not be carried out"
    return Answer(
        answer_id, question, True, notice("check_failed"), (), EvidenceChain(), (), (warning,)
    )


def _statement(statement: Statement, truth: Reads) -> None:
    if not isinstance(statement, Statement) or statement.kind not in REQUIRED:
        raise BrokenInvariant("what is said is no statement")
    if statement.verdict != "supported" or not statement.citations:
        raise BrokenInvariant("a statement is not supported")
    sure = statement.confidence
    if sure is not None and not (isinstance(sure, float | int) and 0.0 <= sure <= 1.0):
        raise BrokenInvariant("a confidence is no probability")
    if not all(isinstance(check, Check) for check in statement.checks):
        raise BrokenInvariant("what was checked is not known")
    passed = {check.layer for check in statement.checks if check.result == "pass"}
    if not REQUIRED[statement.kind] <= passed:
        raise BrokenInvariant("a statement lacks a check that it must have passed")
    for citation in statement.citations:
        _citation(citation, truth)
    if statement.kind == "quote":
        (citation,) = statement.citations
        if check_span(citation, statement.text, truth).result != "pass":
            raise BrokenInvariant("a quotation is not whole sentences of its source")
    if statement.kind == "template":
        from kgrag.reasoning.templates import check_template

        if check_template(statement, truth).result != "pass":
            raise BrokenInvariant("a sentence is not its template")


def _path(statement: Statement, evidence: EvidenceChain) -> None:
    """The statement is a chain of the evidence, word for word and edge by edge."""
    for path in evidence.paths:
        cited = tuple(step.citation for step in path)
        if is_chain(path) and (path_text(path), cited) == (statement.text, statement.citations):
            return
    raise BrokenInvariant("a path is none of the evidence")


def _citation(citation: Citation, truth: Reads) -> None:
    if not isinstance(citation, Citation):
        raise BrokenInvariant("what is cited is no citation")
    _text(citation.document.id, citation.start, citation.end, citation.quote, truth)


def _text(document_id: str, start: int, end: int, quote: str, truth: Reads) -> None:
    document = truth.document(document_id)
    if document.id != document_id or not 0 <= start < end <= len(document.text):
        raise BrokenInvariant("a citation is of no place of its document")
    if type(quote) is not str or document.text[start:end] != quote:
        raise BrokenInvariant("a citation is not the text of its document")
    info = truth.info(document_id)
    if info.id != document_id or info.status != "current":
        raise BrokenInvariant("a cited document is not current")
    if info.metadata.retracted not in (None, "expression_of_concern"):
        raise BrokenInvariant("a cited document is retracted")


def _evidence(evidence: EvidenceChain, truth: Reads) -> None:
    for hit in evidence.passages:
        if not isinstance(hit, Hit) or not math.isfinite(hit.score):
            raise BrokenInvariant("a passage of the evidence is none")
        _text(hit.document.id, hit.start, hit.end, hit.text, truth)
    for path in evidence.paths:
        if not path or not all(isinstance(step, PathStep) for step in path) or not path_text(path):
            raise BrokenInvariant("a path of the evidence is none")
        for step in path:
            _citation(step.citation, truth)


def _sides(plain: Mapping[str, Any], truth: Reads) -> None:
    """Every citation in a conflict or an agreement, which are plain values."""
    for cited in _citations(to_plain(plain)):
        _text(cited["document"]["id"], cited["start"], cited["end"], cited["quote"], truth)


def _citations(value: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if {"document", "start", "end", "quote"} <= value.keys():
            yield value
        for inner in value.values():
            yield from _citations(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _citations(inner)
