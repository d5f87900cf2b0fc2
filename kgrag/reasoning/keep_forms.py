"""Other forms of what may be quoted: a fixed sentence, or free ones where a checker is set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kgrag.errors import KgragError
from kgrag.generation.base import Composes
from kgrag.reasoning.notices import notice
from kgrag.reasoning.parts import Parts
from kgrag.reasoning.rounds import Draft, guarded
from kgrag.reasoning.templates import fill, from_row
from kgrag.records.answer import Check, Statement

TOKENS: Final = 160
"""The longest text, in tokens, that a language model writes of one answer."""


def other_forms(draft: Draft, parts: Parts, quoted: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements in the form that the question and the options ask for, else as they are."""
    if draft.options.mode == "fluent":
        return _fluent(draft, parts, quoted)
    intents = draft.analysis.intents if draft.analysis else ()
    if "dose" in intents:
        return tuple(_dose(draft, parts, statement) for statement in quoted)
    if "comparison" in intents[:1]:
        return _compared(draft, parts, quoted)
    return tuple(quoted)


def _dose(draft: Draft, parts: Parts, statement: Statement) -> Statement:
    """A row of a table of doses as a sentence, when all of its cells have a place in it."""
    if statement.kind != "quote":
        return statement
    with guarded("template", passing=KgragError):
        made = from_row(statement.citations[0], truth=parts.truth)
    return statement if made is None else _made(draft, made, (statement,)) or statement


def _compared(draft: Draft, parts: Parts, quoted: Sequence[Statement]) -> tuple[Statement, ...]:
    """The first quotations of the two sides beside each other, where they fit."""
    first = {s.part: s for s in reversed(quoted) if s.kind == "quote"}
    if len(draft.strands) != 3 or set(first) != {0, 1}:
        return tuple(quoted)
    sides = (first[0], first[1])
    with guarded("template", passing=KgragError):
        made = fill("comparison", [s.citations[0] for s in sides], truth=parts.truth)
    joined = None if made is None else _made(draft, made, sides)
    if joined is None:
        return tuple(quoted)
    return (joined, *(s for s in quoted if s not in sides))


def _made(draft: Draft, made: Statement, of: Sequence[Statement]) -> Statement | None:
    """The filled template with what its quotations passed; None when it is too long."""
    if len(made.text.split()) > draft.options.words:
        return None
    checks = {(c.layer, c.result, c.detail): c for s in of for c in (*s.checks, *made.checks)}
    sure = [s.confidence for s in of if s.confidence is not None]
    return replace(
        made,
        checks=tuple(checks.values()),
        assertions=tuple(dict.fromkeys(a for s in of for a in s.assertions)),
        confidence=min(sure, default=None),
        part=of[0].part,
    )


def _fluent(draft: Draft, parts: Parts, quoted: Sequence[Statement]) -> tuple[Statement, ...]:
    """Free sentences of the language model that passed, else the quotations themselves."""
    from kgrag.verification.fluent import checked

    cited = [s for s in quoted if s.kind == "quote"]
    if not cited or not isinstance(parts.model, Composes):
        draft.warnings.append(notice("unread"))
        return tuple(quoted)
    prompt = "\n".join(
        (*(f"[{n}] {s.text}" for n, s in enumerate(cited, start=1)), f"Question: {draft.question}")
    )
    with draft.clock.step("generation"), guarded("generation", passing=KgragError):
        text = parts.model.generate(prompt, max_tokens=TOKENS)
        said = checked(
            [text], [s.citations[0] for s in cited], parts.entailment, truth=parts.truth,
            threshold=parts.entailed, linker=parts.linker, words=draft.options.words,
        )  # fmt: skip
    by_quote = {s.text: s for s in cited}
    made = tuple(_of_its_quotations(statement, by_quote) for statement in said)
    if not made:
        draft.warnings.append(notice("unread"))
        return tuple(quoted)
    told = {s.part for s in made}
    # A part of the question that the free sentences leave out keeps its quotations.
    return (*(s for s in quoted if s.kind != "quote" or s.part not in told), *made)


def _of_its_quotations(statement: Statement, by_quote: dict[str, Statement]) -> Statement:
    """The sentence with what its quotations passed, and no surer than the least sure of them."""
    of = [by_quote[c.quote] for c in statement.citations]
    if statement.kind == "quote":
        repair = tuple(c for c in statement.checks if c.layer == "repair")
        return replace(of[0], checks=(*of[0].checks, *repair))
    inherited: dict[str, Check] = {
        c.layer: c for s in of for c in s.checks if c.layer in ("coverage", "limits", "population")
    }
    own = {c.layer for c in statement.checks}
    sure = [s.confidence for s in of if s.confidence is not None]
    return replace(
        statement,
        checks=(*statement.checks, *(c for name, c in inherited.items() if name not in own)),
        assertions=tuple(dict.fromkeys(a for s in of for a in s.assertions)),
        confidence=min(sure, default=None),
        part=of[0].part,
    )
