"""The recommendations of a document, from its sentences, list items and table rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kgrag.records.concepts import Mention
from kgrag.records.recommendations import Direction, Recommendation
from kgrag.records.text import Block, Document, Span
from kgrag.retrieval.instructions import speaks_to_model
from kgrag.sentences import sentences
from kgrag_ingest.recommend.advice import COMMAND, FIRST_WORD, Advice, refused
from kgrag_ingest.recommend.assemble import assemble, trim
from kgrag_ingest.recommend.context import Context
from kgrag_ingest.recommend.grades import FoundGrade
from kgrag_ingest.recommend.rows import Cell, cells

_SILENT: Final = frozenset({"heading", "caption", "reference", "code"})
# "4. Clinicians should ... Clinicians should ... (strong recommendation, low certainty)."
_NUMBERED: Final = re.compile(r"\(?\d{1,3}(?:\.\d{1,3})*[.)]?\s")
_NUMBERED_HEADING: Final = re.compile(r"(?i)(?:\w+ )?recommendations? \d")
_LONGEST_ENDING: Final = 80
_LONGEST_LABEL: Final = 160
_LETTER: Final = re.compile(r"[^\W\d_]")
# A grade that makes advice of a line without a verb stands in brackets, or begins or ends it.
_OPENS: Final = re.compile(r"(?:^|[(\[:;.–—-]) ?$")
_FEWEST_WORDS: Final = 4
_FORBIDS: Final = re.compile(r"(?i)\b(?:not|never|avoid(?: the following)?):(?:\s|$)")
_NOT_THESE: Final = (" not:", " never:", "avoid:", "avoid the following:")
# A line ends so when the list below it is what it advises.
_GOES_ON: Final = re.compile(
    r"(?i)\b(?:(?:should|must|recommended|advised|includes?|avoid|not|never|consider)(?: be)?"
    r"|following(?: \w+){0,8}|as follows):$"
)
_CONDITION: Final = re.compile(
    r"(?i)\b(?:when|if|who|which|whose|that|unless|because|until|where)\b"
)
_NOT: Final = re.compile(r"(?i)\b(?:not|avoid|against|no longer|never|contra-?indicated)\b")


@dataclass(frozen=True, slots=True)
class _Lead:
    """A line that advises and goes on in the list below it."""

    span: Span
    advice: Advice


def recommend(
    document: Document, mentions: Sequence[Mention], *, system: str | None = None
) -> tuple[Recommendation, ...]:
    """What ``document`` itself advises, in text order, each once.

    ``system`` is the grading system that a recipe names; else it follows from the issuer or from
    what the document says. Every span is of stored text; every quote is whole sentences or one
    row, with the strength, conditions and exceptions that follow it. What addresses a language
    model advises nobody.
    """
    context = Context.of(document, mentions, system)
    return tuple({r.id: r for r in _found(context) if not speaks_to_model(r.quote)}.values())


def _found(context: Context) -> Iterator[Recommendation]:
    document = context.document
    rows = {row.start: table.header for table in document.tables for row in table.rows}
    lead: _Lead | None = None
    label: tuple[FoundGrade, ...] = ()  # grades in a line of their own, for the advice below it
    used = -1  # blocks up to this one are part of a quote already
    for at, block in enumerate(document.blocks):
        if block.kind != "list_item":
            lead = None
        if at <= used or block.kind in _SILENT or context.is_silent(block.start):
            label = label if block.kind == "heading" else ()
            continue
        if block.kind == "table_row":
            made = _row(context, Span(block.start, block.end), rows.get(block.start, ()))
            if made is not None:
                yield made
            continue
        if not _may_advise(context, block, lead):
            label = ()
            continue
        alone = _grades_alone(context, block.start, block.end)
        if alone:
            label = tuple(replace(g, grade=replace(g.grade, inherited=True)) for g in alone)
            continue
        found, last = _block(context, at, lead, label)
        if found:
            label = ()
        used = max(used, last)
        yield from found
        text = document.text[block.start : block.end]
        if found and found[-1].rule != "lead" and _GOES_ON.search(text.rstrip()):
            ending = found[-1]
            lead = _Lead(
                Span(ending.start, ending.end),
                Advice(ending.direction, ending.action, ending.rule),
            )


def _may_advise(context: Context, block: Block, lead: _Lead | None) -> bool:
    """A cheap test that most lines of most documents fail."""
    if lead is not None:
        return True
    line = context.document.text[block.start : block.end].lower()
    return (
        any(word in line for word in context.rules.spoken)
        or not context.rules.imperative.verbs.isdisjoint(FIRST_WORD.findall(line))
        or bool(context.grades(block.start, block.end))
    )


def _block(
    context: Context, at: int, lead: _Lead | None, label: Iterable[FoundGrade]
) -> tuple[list[Recommendation], int]:
    """The recommendations of a paragraph or list item, and the last block that they quote."""
    document = context.document
    block = document.blocks[at]
    spans = sentences(document.text, block.start, block.end)
    found: list[Recommendation] = []
    last, skip = at, -1
    # "Patients should not: Drive. Drink alcohol.", in one block or in two.
    before = document.blocks[at - 1] if at else block
    forbidding = document.text[before.start : before.end].rstrip().lower().endswith(_NOT_THESE)
    for i, span in enumerate(spans):
        if i <= skip:
            continue
        advice = _advice(context, span)
        if advice is not None and advice.rule == COMMAND:
            if forbidding and advice.direction == "for":
                advice = replace(advice, direction="against")
        elif advice is not None:
            forbidding = _FORBIDS.search(span.of(document.text)) is not None
        continued = advice is None and lead is not None and i == 0
        if continued and lead is not None and not refused(span.of(document.text), context.rules):
            advice = Advice(lead.advice.direction, (span.start, span.end), "lead")
        if advice is None:
            continue
        end = span.end
        for j in range(i + 1, len(spans)):
            if not _belongs(context, spans[j]):
                break
            end, skip = spans[j].end, j
        if max(i, skip) == len(spans) - 1:
            following = _grade_block(context, at)
            if following is not None:
                end, last = following.end, at + 1
        made = assemble(context, Span(span.start, end), advice, label=label if not found else ())
        found.append(replace(made, lead=(lead.span.start, lead.span.end)) if lead else made)
    return _graded_together(context, block, found), last


def _graded_together(
    context: Context, block: Block, found: list[Recommendation]
) -> list[Recommendation]:
    """A numbered recommendation or list item of several sentences has the grades that end it."""
    if len(found) < 2 or found[-1].strength is None or found[-1].strength.inherited:
        return found
    text, last = context.document.text, found[-1]
    ending = last.strength.span[1] if last.strength else 0
    numbered = (
        block.kind == "list_item"
        or _NUMBERED.match(text, block.start, block.end)
        or any(
            _NUMBERED_HEADING.match(text[start:end])
            for start, end in context.headings(block.start)[:1]
        )
    )
    rest = text[ending : block.end]
    if not numbered or len(rest) > _LONGEST_ENDING or any(r.strength for r in found[:-1]):
        return found
    strength = replace(last.strength, inherited=True) if last.strength else None
    certainty = replace(last.certainty, inherited=True) if last.certainty else None
    return [*(replace(r, strength=strength, certainty=certainty) for r in found[:-1]), last]


def _advice(context: Context, span: Span, *, commands: bool = True) -> Advice | None:
    """By a cue or command, else by a grade of strength that the sentence carries."""
    text = context.document.text
    advice = context.advice(span, commands=commands)
    if advice is not None:
        return advice
    line = span.of(text)
    for found in context.grades(span.start, span.end):
        low, high = found.grade.span
        placed = _OPENS.search(text[span.start : low]) or not text[high : span.end].strip(" .)]")
        rest = text[span.start : low] + text[high : span.end]
        if (
            found.kind == "strength"
            and placed
            and len(_LETTER.findall(rest)) > 0
            and len(rest.split()) >= _FEWEST_WORDS
            and not _grades_alone(context, span.start, span.end)
            and not refused(line, context.rules)
            and context.admits(span, "graded")
        ):
            direction = found.direction or _polarity(rest)
            action = (span.start, low) if low - span.start > span.end - high else (high, span.end)
            return Advice(direction, trim(text, *action), "graded")
    return None


def _polarity(line: str) -> Direction:
    """Of a graded line without a verb of advice; what it denies in a condition does not count."""
    return "against" if _NOT.search(_CONDITION.split(line, maxsplit=1)[0]) else "for"


def _belongs(context: Context, span: Span) -> bool:
    """The sentence is part of the advice before it: its grade, or what limits it."""
    line = span.of(context.document.text)
    return context.rules.following.match(line) is not None or bool(
        _grades_alone(context, span.start, span.end)
    )


def _grade_block(context: Context, at: int) -> Block | None:
    """The block after ``at`` when it holds nothing but grades."""
    blocks = context.document.blocks
    if at + 1 >= len(blocks) or blocks[at + 1].kind not in ("paragraph", "list_item"):
        return None
    following = blocks[at + 1]
    return following if _grades_alone(context, following.start, following.end) else None


def _grades_alone(context: Context, start: int, end: int) -> tuple[FoundGrade, ...]:
    """The grades of a line that holds nothing else; none when it does."""
    if end - start > _LONGEST_LABEL:
        return ()
    text = context.document.text
    found = context.grades(start, end)
    if not found:
        return ()
    rest = list(text[start:end])
    for one in found:
        for at in range(one.grade.span[0] - start, one.grade.span[1] - start):
            rest[at] = " "
    left = context.rules.only_grade.sub(" ", "".join(rest))
    return () if _LETTER.search(left) else tuple(found)


def _row(context: Context, row: Span, header: tuple[str, ...]) -> Recommendation | None:
    """The recommendation of a table row, quoted whole."""
    text, columns = context.document.text, context.rules.columns
    parts = cells(text, row, header)
    if any(columns["definition"].match(name.strip()) for name in (*header, *_headers(parts))):
        return None
    if not parts:
        advice = _first_advice(context, row)
        return assemble(context, row, advice) if advice else None
    grades = [
        grade
        for cell in parts
        if (kind := context.grading.column(cell.header))
        and (grade := context.grading.cell(text, (cell.start, cell.end), kind, context.system))
    ]
    people = next((c for c in parts if columns["population"].match(c.header.strip())), None)
    graded = any(g.kind == "strength" for g in grades)
    advising = [c for c in parts if columns["advice"].match(c.header.strip())]
    others = [c for c in parts if c not in advising and c is not people]
    if graded and not advising:
        ungraded = [c for c in others if context.grading.column(c.header) is None]
        advising = sorted(ungraded, key=lambda c: c.start - c.end)[:1]
    for cell in (*advising, *others):
        span = Span(cell.start, cell.end)
        commands = cell in advising or columns["other"].match(cell.header.strip()) is not None
        advice = _first_advice(context, span, commands=commands)
        if advice is None and graded and cell in advising:
            action = trim(text, cell.start, cell.end)
            advice = Advice(_polarity(span.of(text)), action, "graded-row")
        if advice is not None:
            return assemble(context, row, advice, label=grades, people=people, said=span)
    return None


def _headers(parts: Iterable[Cell]) -> list[str]:
    return [cell.header for cell in parts]


def _first_advice(context: Context, span: Span, *, commands: bool = True) -> Advice | None:
    for sentence in sentences(context.document.text, span.start, span.end):
        advice = _advice(context, sentence, commands=commands)
        if advice is not None:
            return advice
    return None
