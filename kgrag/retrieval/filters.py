"""Which documents and passages a selection lets through.

Metadata stay in the truth alone: a selection becomes a list of documents, so that metadata that are
told otherwise, or a new status, take effect at once and no index has to be made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from kgrag.errors import BadQuestion
from kgrag.records.answer import Hit
from kgrag.records.question import Selection
from kgrag.records.recommendations import Grade, Recommendation
from kgrag.stores.base import DocumentInfo, Filters, TruthStore

_BY_NAME: Final = ("publishers", "versions", "languages")


@dataclass(frozen=True, slots=True)
class Admission:
    """A selection resolved against the truth of one generation.

    ``filters`` is what the index is asked with; ``fits`` judges a hit by what is inside it.
    """

    filters: Filters
    fits: Callable[[Hit], bool]


def document_fits(info: DocumentInfo, selection: Selection) -> bool:
    """Whether the document's source and metadata are among what was selected."""
    return (
        _is_any(info.source.collection, selection.collections, exact=True)
        and all(_is_any(_value(info, name), getattr(selection, name)) for name in _BY_NAME)
        and _in_time(info.metadata.date, selection)
    )


def admit(selection: Selection, truth: TruthStore) -> Admission:
    """What ``selection`` lets through; BadQuestion when it names what no current document has."""
    by_advice = selection.grades or selection.age is not None or selection.sex
    _check_homes(selection, truth)
    if not by_advice and not any(getattr(selection, n) for n in (*_BY_NAME, "since", "until")):
        return Admission(Filters(collections=selection.collections), lambda hit: True)
    every = list(truth.documents())
    _check_names(every, selection)
    chosen = {info.id for info in every if document_fits(info, selection)}
    fits: Callable[[Hit], bool] = lambda hit: True  # noqa: E731 - replaced below, or never needed
    if by_advice:
        advice = _by_document(truth.recommendations(), chosen)
        if selection.grades:
            chosen = {d for d in chosen if any(_graded(r, selection) for r in advice.get(d, ()))}
        fits = lambda hit: _advice_fits(hit, advice.get(hit.document.id, ()), selection)  # noqa: E731
    if not chosen:
        raise BadQuestion("no current document fits what was selected", hint="select less narrowly")
    others = [info.id for info in every if info.id not in chosen]
    # The shorter list is the quicker filter.
    if len(others) < len(chosen):
        filters = Filters(collections=selection.collections, without_documents=tuple(others))
    else:
        filters = Filters(collections=selection.collections, documents=tuple(sorted(chosen)))
    return Admission(filters, fits)


def _check_names(every: Iterable[DocumentInfo], selection: Selection) -> None:
    """A name that no document has is a slip of the pen, and would find nothing in silence."""
    infos = list(every)
    for name in _BY_NAME:
        known = {v.casefold(): v for info in infos if (v := _value(info, name))}
        for wanted in getattr(selection, name):
            if wanted.casefold() not in known:
                raise _unknown(name.removesuffix("s"), wanted, known)


def _check_homes(selection: Selection, truth: TruthStore) -> None:
    """The same of collections, and of who is preferred: a name of neither would change nothing."""
    for wanted in selection.collections:
        if next(iter(truth.documents(collection=wanted)), None) is None:
            known = {info.source.collection for info in truth.documents()}
            raise _unknown("collection", wanted, {name.casefold(): name for name in known})
    if selection.prefer:
        homes = {
            name.casefold(): name
            for info in truth.documents()
            for name in (info.source.collection, info.metadata.publisher)
            if name
        }
        for wanted in selection.prefer:
            if wanted.casefold() not in homes:
                raise _unknown("collection or publisher", wanted, homes)


def _unknown(what: str, wanted: str, known: Mapping[str, str]) -> BadQuestion:
    """``known`` has each name by its folded form; the nearest one is the hint."""
    near = get_close_matches(wanted.casefold(), known, n=1, cutoff=0.5)
    return BadQuestion(
        f"no current document has the {what} {wanted!r}",
        hint=f"did you mean {known[near[0]]!r}?" if near else None,
    )


def _value(info: DocumentInfo, name: str) -> str | None:
    value: str | None = getattr(info.metadata, name.removesuffix("s"))
    return value


def _is_any(value: str | None, wanted: tuple[str, ...], *, exact: bool = False) -> bool:
    if not wanted:
        return True
    if value is None:
        return False
    return value in wanted if exact else value.casefold() in {w.casefold() for w in wanted}


def _in_time(date: str | None, selection: Selection) -> bool:
    """Compared to the precision that both have."""
    for bound, sign in ((selection.since, 1), (selection.until, -1)):
        if bound is None:
            continue
        if not date:
            return False
        precision = min(len(date), len(bound))
        mine, theirs = date[:precision], bound[:precision]
        if (mine < theirs) if sign == 1 else (mine > theirs):
            return False
    return True


def _by_document(
    recommendations: Iterable[Recommendation], chosen: set[str]
) -> dict[str, list[Recommendation]]:
    found: dict[str, list[Recommendation]] = {}
    for recommendation in recommendations:
        if recommendation.document_id in chosen:
            found.setdefault(recommendation.document_id, []).append(recommendation)
    return found


def _advice_fits(hit: Hit, advice: Iterable[Recommendation], selection: Selection) -> bool:
    inside = [r for r in advice if r.start < hit.end and hit.start < r.end]
    if selection.grades:
        inside = [r for r in inside if _graded(r, selection)]
        if not inside:
            return False
    return not inside or any(_is_for(r, selection) for r in inside)


def _graded(recommendation: Recommendation, selection: Selection) -> bool:
    wanted = {g.casefold() for g in selection.grades}
    return any(
        grade is not None and wanted & _names_of(grade)
        for grade in (recommendation.strength, recommendation.certainty)
    )


def _names_of(grade: Grade) -> set[str]:
    names = {grade.raw, f"{grade.system}:{grade.raw}"}
    if grade.normalised:
        names |= {grade.normalised, f"{grade.system}:{grade.normalised}"}
    return {name.casefold() for name in names}


def _is_for(recommendation: Recommendation, selection: Selection) -> bool:
    age = selection.age
    if selection.sex and recommendation.sex and recommendation.sex != selection.sex:
        return False
    if age is None:
        return True
    low, high = recommendation.min_age, recommendation.max_age
    # "Adults aged 50 to 75" are so until their next birthday.
    return (low is None or age >= low) and (high is None or age < high + 1)
