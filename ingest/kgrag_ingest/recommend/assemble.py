"""One record of a recommendation out of its line, its grades and what stands around it."""

from __future__ import annotations

from collections.abc import Iterable

from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Span
from kgrag_ingest.recommend.advice import Advice
from kgrag_ingest.recommend.context import Context
from kgrag_ingest.recommend.grades import FoundGrade
from kgrag_ingest.recommend.population import Limits, find_population, limits
from kgrag_ingest.recommend.rows import Cell


def assemble(
    context: Context,
    quote: Span,
    advice: Advice,
    *,
    label: Iterable[FoundGrade] = (),
    people: Cell | None = None,
    said: Span | None = None,
) -> Recommendation:
    """The record: grades of the line before those of ``label``, then those of the headings."""
    text = context.document.text
    spoken = said or quote
    inside = context.grades(spoken.start, spoken.end)
    grades = [*(label if said else inside), *(inside if said else label)]
    strength = next((g for g in grades if g.kind == "strength"), None)
    certainty = next((g for g in grades if g.kind == "certainty"), None)
    strength = strength or context.inherited_grade(quote.start)
    direction = strength.direction if strength and strength.direction else advice.direction
    population, who = _population(context, spoken, people, quote)
    action = _without_grades(text, advice.action, grades)
    conditions = context.concepts(*action, conditions=True)
    if population:
        conditions += context.concepts(*population, conditions=True)
    return Recommendation(
        document_id=context.document.id,
        start=quote.start,
        end=quote.end,
        quote=quote.of(text),
        direction=direction,
        action=action,
        population=population,
        strength=strength.grade if strength else None,
        certainty=certainty.grade if certainty else None,
        interventions=context.concepts(*action, conditions=False),
        conditions=tuple(dict.fromkeys(conditions)),
        sex=who.sex,
        min_age=who.min_age,
        max_age=who.max_age,
        issuer=context.issuer,
        effective=context.effective(quote.start, quote.end),
        supersedes=context.supersedes,
        rule=advice.rule,
        exceptions=_exceptions(context, quote),
    )


def _exceptions(context: Context, quote: Span) -> tuple[tuple[int, int], ...]:
    """The parts of the quote that limit it; one that opens a sentence ends at its comma."""
    text = context.document.text
    found = []
    for match in context.rules.exceptions.finditer(text, quote.start, quote.end):
        start, end = match.span()
        comma = text.find(", ", start, end)
        if start == quote.start and comma > 0:
            end = comma
        found.append(trim(text, start, end))
    return tuple(found)


def _population(
    context: Context, said: Span, people: Cell | None, quote: Span
) -> tuple[tuple[int, int] | None, Limits]:
    """Its span and limits: of the column, else of the words, else of the nearest heading."""
    text, people_rules = context.document.text, context.rules.people
    spoken = find_population(text, said.start, said.end, people_rules)
    own = limits(text[spoken[0] : spoken[1]], people_rules) if spoken else Limits()
    if people is not None:
        span = trim(text, people.start, people.end)
        column = limits(text[span[0] : span[1]], people_rules)
        ages = column if column.min_age is not None or column.max_age is not None else own
        return span, Limits(column.sex or own.sex, ages.min_age, ages.max_age)
    if spoken is not None:
        return spoken, own
    heading = context.heading_population(quote.start)
    if heading is None:
        return None, Limits()
    return heading, limits(text[heading[0] : heading[1]], people_rules)


def _without_grades(
    text: str, action: tuple[int, int], grades: Iterable[FoundGrade]
) -> tuple[int, int]:
    """The action up to the bracket or dash that its grades begin with."""
    start, end = action
    inside = [g.grade.span[0] for g in grades if start < g.grade.span[0] < end]
    if inside:
        end = min(inside)
    return trim(text, start, end)


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the blanks and marks at its ends; never empty."""
    while end - 1 > start and text[end - 1] in " \n.;:,([–—-":
        end -= 1
    while start < end - 1 and text[start] in " \n:;,":
        start += 1
    return start, end
