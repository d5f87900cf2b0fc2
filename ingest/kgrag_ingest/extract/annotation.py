"""Assertions of a curated annotation: a row whose two columns hold one concept each, and no prose.

The two ends must be whole: the id that the row gives, or the whole name before it. A part of a
name is a wider concept, of which the curator said nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.concepts import Mention
from kgrag.records.text import Document, Span
from kgrag_ingest.extract.check import assertion_problem
from kgrag_ingest.extract.rules import AnnotationRule, Rules
from kgrag_ingest.extract.sentence import Found, reject
from kgrag_ingest.extract.table import named_cells

# "Name (PREFIX:local)": the id of the row's own vocabulary, which the lexicon may not know.
_IDENTIFIED: Final = re.compile(r" \(([^\s()]+:[^\s()]+)\)$")


def annotation_rules(document: Document, rules: Rules) -> tuple[AnnotationRule, ...]:
    """The rules for what the document's reader reads; none for most readers."""
    reader = document.reader.partition("/")[0]
    return tuple(rule for rule in rules.annotations if rule.reader == reader)


def read_annotation(
    document: Document,
    row: Span,
    header: tuple[str, ...],
    mentions: Sequence[Mention],
    rules: Sequence[AnnotationRule],
) -> Found:
    """The assertions of the row, at most one a rule, and the rejects.

    What was looked for and found in none ("0/12") is no finding, and its denial only where the
    row denies it.
    """
    text = document.text
    cells = {
        name: Span(row.start + begin, row.start + end)
        for name, begin, end in named_cells(row.of(text), header)
        if begin < end
    }
    found: list[Assertion] = []
    rejects: list[Mapping[str, Any]] = []
    for rule in rules:
        if rule.subject not in cells or rule.object not in cells:
            continue
        subject = _whole(text, cells[rule.subject], mentions)
        obj = _whole(text, cells[rule.object], mentions)
        if subject is None or obj is None:
            continue
        said = {name: span.of(text) for name, span in cells.items()}
        made = _assertion(document, row, rule, subject, obj, said)
        problem = assertion_problem(made, text, (subject.type, obj.type))
        if not made.negated and any(
            pattern.fullmatch(said.get(name, "")) for name, pattern in rule.refused.items()
        ):
            problem = problem or "found in none of those who were seen"
        if problem is None:
            found.append(made)
        else:
            rejects.append(reject(made, problem))
    return found, rejects


def _whole(text: str, cell: Span, mentions: Sequence[Mention]) -> Mention | None:
    """The mention that is the cell's id, else the one that is its whole name."""
    marked = _IDENTIFIED.search(cell.of(text))
    spans = [(cell.start, cell.end)]
    if marked is not None:
        inner = (cell.start + marked.start(1), cell.start + marked.end(1))
        spans = [inner, (cell.start, cell.start + marked.start())]
    for span in spans:
        for mention in mentions:
            if (mention.start, mention.end) == span:
                return mention
    return None


def _assertion(
    document: Document,
    row: Span,
    rule: AnnotationRule,
    subject: Mention,
    obj: Mention,
    said: Mapping[str, str],
) -> Assertion:
    return Assertion(
        subject.concept,
        rule.predicate,
        obj.concept,
        negated=any(p.fullmatch(said.get(name, "")) for name, p in rule.denied.items()),
        qualifiers=tuple(
            sorted((name, said[column]) for name, column in rule.qualifiers.items()
                   if column in said)
        ),
        evidence=(
            Evidence(
                document.id, row.start, row.end, row.of(document.text),
                (subject.start, subject.end), (obj.start, obj.end), rule.id,
            ),
        ),
    )  # fmt: skip
