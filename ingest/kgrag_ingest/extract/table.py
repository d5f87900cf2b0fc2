"""Assertions of one table row: the mentions of two columns whose headers say how they relate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.concepts import Mention
from kgrag.records.text import Document, Span
from kgrag.vocabulary.relations import relation
from kgrag_ingest.extract.check import assertion_problem
from kgrag_ingest.extract.rules import RowRule, Rules
from kgrag_ingest.extract.sentence import Found, reject

_CELL: Final = re.compile(r"(?:^|; )([^:;]{1,80}): ")
_WORD: Final = re.compile(r"[^\W\d_]+")
# A cell with more words beside its mentions is prose, and may say anything about them.
_PROSE: Final = 12
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row line: the role of its header, its span and the mentions in it."""

    role: str | None
    start: int
    end: int
    mentions: tuple[Mention, ...]


def read_row(
    document: Document,
    row: Span,
    header: tuple[str, ...],
    mentions: Sequence[Mention],
    rules: Rules,
) -> Found:
    """The assertions of the row, and the rejects. A header may stand for one cell of a row only."""
    cells = _cells(document.text, row, header, mentions, rules)
    found: list[Assertion] = []
    rejects: list[Mapping[str, Any]] = []
    by_role: dict[str, Cell] = {}
    for cell in cells:
        if cell.role is not None:
            by_role.setdefault(cell.role, cell)
    for rule in rules.rows:
        left, right = by_role.get(rule.subject), by_role.get(rule.object)
        if left is None or right is None:
            continue
        problem = _cell_problem(document.text, (left, right), rules)
        extra = _qualifiers(document.text, rule, by_role)
        for subject in left.mentions:
            for obj in right.mentions:
                made = _assertion(document, row, rule, subject, obj, extra)
                kinds = (subject.type, obj.type)
                if made.subject != subject.concept:
                    kinds = kinds[::-1]
                reason = problem or assertion_problem(made, document.text, kinds)
                if reason is None:
                    found.append(made)
                else:
                    rejects.append(reject(made, reason))
    return found, rejects


def _cells(
    text: str,
    row: Span,
    header: tuple[str, ...],
    mentions: Sequence[Mention],
    rules: Rules,
) -> list[Cell]:
    line = row.of(text)
    marks = _named(line, header) or [(m.group(1), m.start(), m.end()) for m in _CELL.finditer(line)]
    cells = []
    for i, (name, _, begin) in enumerate(marks):
        stop = marks[i + 1][1] if i + 1 < len(marks) else len(line)
        start, end = row.start + begin, row.start + stop
        role = next((r for r, p in rules.columns.items() if p.match(name.strip())), None)
        inside = tuple(m for m in mentions if start <= m.start and m.end <= end)
        cells.append(Cell(role, start, end, inside))
    return cells


def named_cells(line: str, header: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """(name, start, end) of the cells of a row line by its table's header, in order."""
    marks = _named(line, header)
    ends = [start for _, start, _ in marks[1:]] + [len(line)]
    return [(name, begin, end) for (name, _, begin), end in zip(marks, ends, strict=True)]


def _named(line: str, header: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """(name, start, start of the cell) by the table's own header; cells left empty are absent."""
    marks = []
    at = 0
    for name in header:
        label = f"{name}: "
        if line.startswith(label, at):
            marks.append((name, at, at + len(label)))
            at += len(label)
            continue
        found = line.find(f"; {label}", at)
        if found >= 0:
            marks.append((name, found, found + len(label) + 2))
            at = found + len(label) + 2
    return marks


def _cell_problem(text: str, cells: tuple[Cell, Cell], rules: Rules) -> str | None:
    for cell in cells:
        words = text[cell.start : cell.end].lower()
        denial = rules.denial.search(words)
        if denial is not None:
            return f"a denial in the cell: {denial.group()}"
        beside = len(_WORD.findall(words)) - sum(len(_WORD.findall(m.text)) for m in cell.mentions)
        if beside > _PROSE:
            return "the cell is prose"
        if any(m.negated or m.absent or m.family for m in cell.mentions):
            return "the mention is negated"
    return None


def _qualifiers(
    text: str, rule: RowRule, by_role: Mapping[str, Cell]
) -> tuple[tuple[str, str], ...]:
    found = {}
    for name in ("dose", "population", "timing"):
        cell = by_role.get(name)
        given = rule.predicate in ("treats", "prevents")
        if cell is None or (name != "population" and not given):
            continue
        if name == "dose" and len(by_role["drug"].mentions) != 1:
            continue
        value = " ".join(text[cell.start : cell.end].split()).strip(" ;.")
        if value and len(value) <= _LONGEST:
            found[name] = value
    return tuple(sorted(found.items()))


def _assertion(
    document: Document,
    row: Span,
    rule: RowRule,
    subject: Mention,
    obj: Mention,
    extra: tuple[tuple[str, str], ...],
) -> Assertion:
    if relation(rule.predicate).symmetric and obj.concept < subject.concept:
        subject, obj = obj, subject
    return Assertion(
        subject.concept,
        rule.predicate,
        obj.concept,
        qualifiers=extra,
        evidence=(
            Evidence(
                document.id,
                row.start,
                row.end,
                row.of(document.text),
                (subject.start, subject.end),
                (obj.start, obj.end),
                rule.id,
            ),
        ),
    )
