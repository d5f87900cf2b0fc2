"""Narrower things: what holds for the severe, the oral or the long-term is not told of all."""

from __future__ import annotations

from typing import Final

from kgrag.records.answer import Check
from kgrag.verification.numbers import Found
from kgrag.verification.words import Reading

_NARROWS: Final = frozenset(
    "severe mild acute chronic oral intravenous intramuscular subcutaneous topical rectal inhaled"
    " intranasal sublingual intrathecal epidural transdermal vaginal intradermal".split()
)
_NARROWING: Final = frozenset(
    "uncontrolled untreated unstable stable recurrent refractory persistent confirmed advanced"
    " metastatic small large conditionally ideally preferably moderate asymptomatic symptomatic"
    " uncomplicated complicated prolonged repeated".split()
)
_SIZED: Final = frozenset("high low large small".split())


def check_narrower(said: Reading, text: Reading) -> Found:
    """What the evidence says of "severe renal impairment" is not told of "renal impairment"."""
    for at in text.content:
        token = text.tokens[at]
        narrows = token.word in _NARROWING or bool(token.labels & _NARROWS)
        last = at
        if token.word in _SIZED and [t.word for t in text.tokens[at + 1 : at + 2]] in (
            ["dose"], ["doses"]
        ):  # fmt: skip
            narrows, last = True, at + 1
        if token.word == "long" and "chronic" in token.labels:
            last = at + 1  # "long term"
        while token.word.endswith("ly") and last + 2 < len(text.tokens) and (
            text.tokens[last + 1].empty
        ):  # fmt: skip
            last += 1  # "should ideally be given"
        if not narrows or last + 1 >= len(text.tokens):
            continue
        # A route or an adverb may stand behind what it narrows: only what stands before counts.
        behind = text.tokens[last + 1]
        if not behind.content or behind.labels & (_NARROWS | {"negation"}):
            continue
        told = [i for i in said.content if not said.tokens[i].keys.isdisjoint(behind.keys)]
        if not told or len(told) < sum(
            not text.tokens[i].keys.isdisjoint(behind.keys) for i in text.content
        ):
            continue
        if not (token.keys | token.own).isdisjoint(said.groups):
            continue
        if token.labels & _NARROWS and said.labelled(*(token.labels & _NARROWS)):
            continue
        words = text.text[token.start : behind.end]
        return Check("condition", "fail", f"the statement tells {words!r} of more"[:160],
                     "incomplete chain"), "unsupported"  # fmt: skip
    return Check("condition", "not_applicable"), None
