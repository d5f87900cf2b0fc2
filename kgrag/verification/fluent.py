"""Free sentences of a language model: each checked, repaired with its quotation, or dropped."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

from kgrag.errors import SettingsError
from kgrag.reasoning.coverage import content_words, coverage
from kgrag.records.answer import Check, Citation, Statement
from kgrag.retrieval.instructions import speaks_to_model
from kgrag.verification.entailment.base import Entailment
from kgrag.verification.entailment.check import check_entailment
from kgrag.verification.names import Links
from kgrag.verification.quotes import ReadsDocuments, check_span
from kgrag.verification.split import claims
from kgrag.verification.verdict import verify_statement

NEAREST: Final = 3
"""How many citations a sentence is held against, the nearest ones, alone and in pairs."""
REPAIRS: Final = 0.5
"""The share of a sentence's words that a quotation must hold to stand in its place."""


def checked(
    texts: Sequence[str],
    citations: Sequence[Citation],
    checker: Entailment | None,
    *,
    truth: ReadsDocuments,
    threshold: float,
    linker: Links | None = None,
    words: int = 60,
) -> tuple[Statement, ...]:
    """What may be said of ``texts``, sentence by sentence, in their order.

    A sentence leaves as a ``paraphrase`` when a citation, or two together, supports it in the slot
    rules and the checker finds it entailed with at least ``threshold``; it cites these alone. One
    that is a quotation leaves as a ``quote``. One that fails is replaced by the quotation nearest
    to it, once, where that holds half of its words, and is dropped otherwise. No statement is
    longer than ``words``. SettingsError without a checker: free sentences are not let out then.
    """
    if checker is None:
        raise SettingsError(
            "free sentences need a checker of entailment, and none is set",
            hint='set verification.entailment, e.g. "nli:FOLDER", or leave verification.mode',
        )
    sound = [
        c for c in citations
        if check_span(c, c.quote, truth).result == "pass" and not speaks_to_model(c.quote)
    ]  # fmt: skip
    said: list[Statement] = []
    for sentence in (claim for text in texts for claim in claims(text)):
        near = _nearest(sentence, sound)
        statement = None
        if len(sentence.split()) <= words and not speaks_to_model(sentence):
            statement = _said(sentence, near, checker, truth, threshold, linker)
        statement = statement or _repaired(sentence, near, truth, words)
        if statement is not None and all(statement.text != other.text for other in said):
            said.append(statement)
    return tuple(said)


def _nearest(sentence: str, citations: Sequence[Citation]) -> list[Citation]:
    """The citations whose words cover most of the sentence's, best first, few of them."""
    wanted = content_words(sentence)
    order = sorted(citations, key=lambda c: -coverage(wanted, content_words(c.quote)))
    return order[:NEAREST]


def _said(
    sentence: str,
    near: Sequence[Citation],
    checker: Entailment,
    truth: ReadsDocuments,
    threshold: float,
    linker: Links | None,
) -> Statement | None:
    """The sentence as a statement with the first citations that support it in every layer."""
    if sentence.endswith("?"):
        return None
    for citation in near:
        if citation.quote == sentence:
            span = check_span(citation, sentence, truth)
            return Statement(sentence, "quote", "supported", None, (citation,), checks=(span,))
    for group in [*((c,) for c in near), *combinations(near, 2)]:
        quotes = [c.quote for c in group]
        slots = verify_statement(sentence, quotes, linker=linker)
        if slots.verdict != "supported":
            continue
        entailed = check_entailment(sentence, quotes, checker, threshold)
        if entailed.result != "pass":
            continue
        spans = tuple(check_span(c, c.quote, truth) for c in group)
        checks = (*spans, *(c for c in slots.checks if c.layer != "span"), entailed)
        return Statement(sentence, "paraphrase", "supported", None, tuple(group), checks=checks)
    return None


def _repaired(
    sentence: str, near: Sequence[Citation], truth: ReadsDocuments, words: int
) -> Statement | None:
    """The nearest quotation in the place of a sentence that failed, None when none is near."""
    if not near or len(near[0].quote.split()) > words:
        return None
    nearest = near[0]
    if coverage(content_words(sentence), content_words(nearest.quote)) < REPAIRS:
        return None
    repair = Check("repair", "pass", "a sentence of the language model failed; this is its source")
    checks = (check_span(nearest, nearest.quote, truth), repair)
    return Statement(nearest.quote, "quote", "supported", None, (nearest,), checks=checks)
