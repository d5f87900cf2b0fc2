"""Where sources contradict each other about an intervention and a condition, and in what.

Kinds, of which each pair of sides has the first that holds:

- ``opposite_direction``: said and denied, or advised and advised against;
- ``different_direction``: advised, and held for undecided;
- ``different_population``: advised for some, against or for others;
- ``different_dose``, ``different_threshold``: advised alike, with quantities that do not meet.

``between`` says who they are between: ``older_and_newer_version`` of one source,
``older_and_newer_document`` of one issuer, ``different_issuers``, ``one_document``, or ``sources``
where issuer or date is not known. Nothing is dropped for being older or less believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import Any, Final

from kgrag.reasoning.graded import ReadsAdvice, advice_about, grade_at
from kgrag.reasoning.paths import cite
from kgrag.reasoning.sides import RECOMMENDED, Concepts, Side, all_sides
from kgrag.records.answer import to_plain
from kgrag.records.assertions import Assertion
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document
from kgrag.retrieval.scope import Reads
from kgrag.retrieval.seeds import Names, name_of
from kgrag.stores.base import TruthStore
from kgrag.stores.standing import before, edition_of
from kgrag.verification.units import Quantity

_GIVEN: Final = frozenset({"treatment", "prevention"})


def find_conflicts(
    assertions: Iterable[Assertion],
    truth: ReadsAdvice,
    names: Names,
    recommendations: Iterable[Recommendation] = (),
) -> tuple[Mapping[str, Any], ...]:
    """The conflicts that the given assertions and recommendations have a part in.

    The other side is looked for among all assertions on the same object and the same subject, or
    one that is told more or less narrowly (``Concepts.kin``), and among the given recommendations.
    Each conflict has two sides with one citation each, the source's date, publisher and grade
    where it gives them, and each pair of quotations is in one conflict. Ordered by object and
    subject.
    """
    given, advice = list(assertions), list(recommendations)
    asked = {(a.subject, a.object) for a in given}
    concepts = Concepts(names)
    told = all_sides((), advice, truth, concepts)
    asked |= {(side.subject, side.object) for side in told}
    found: list[tuple[Side, Side]] = []
    for obj in sorted({pair[1] for pair in asked}):
        on = [a for a in truth.assertions(concept=obj) if a.object == obj]
        sides = all_sides(on, (), truth, concepts) + [side for side in told if side.object == obj]
        for subject in sorted(s for s, o in asked if o == obj):
            near = [side for side in sides if concepts.kin(subject, side.subject)]
            found += combinations(near, 2)
    return _records(found, truth, names, lambda side: _advice_of(side, advice, truth))


def _advice_of(
    side: Side, given: Sequence[Recommendation], truth: ReadsAdvice
) -> Sequence[Recommendation]:
    """What may grade the side: itself, else advice about its concepts."""
    if side.predicate == RECOMMENDED:
        return given
    return advice_about((c for c in (side.subject, side.object) if c), truth)


def conflicts_between(
    older: str, newer: str, truth: TruthStore, names: Names
) -> tuple[Mapping[str, Any], ...]:
    """What two kept document versions say otherwise, of whatever status they are.

    For a version and the one it replaced, or a document and the one it superseded.
    """
    concepts = Concepts(names)
    advice = {
        key: list(truth.recommendations(document_id=key, current=False)) for key in (older, newer)
    }
    one, other = (
        all_sides(truth.assertions(document_id=key, current=False), advice[key], truth, concepts)
        for key in (older, newer)
    )
    pairs = [
        (a, b)
        for a, b in product(one, other)
        if a.object == b.object and concepts.kin(a.subject, b.subject)
    ]
    return _records(pairs, truth, names, lambda side: advice[side.evidence.document_id])


def kind_of(one: Side, other: Side) -> str | None:
    """In what the sides, which are about the same, contradict each other; None when in nothing."""
    apart = one.population.apart(other.population)
    elsewhere = one.evidence.document_id != other.evidence.document_id
    if not elsewhere and _overlap(one, other):
        return None  # a sentence does not contradict itself
    stances = {one.stance, other.stance}
    if not comparable(one, other):
        return None
    if not elsewhere and one.predicate == other.predicate == RECOMMENDED:
        return None  # a guideline that advises twice of one thing tells cases apart
    if stances in ({"for", "against"}, {"says", "denies"}):
        if apart:
            return "different_population" if elsewhere else None
        # One document that says both says for whom or when.
        told_apart = not elsewhere and one.qualifiers != other.qualifiers
        return None if told_apart else "opposite_direction"
    if not elsewhere or apart:
        return None
    if "neither" in stances and len(stances) == 2:
        both = one.predicate == other.predicate == RECOMMENDED
        return "different_direction" if both else None
    if stances == {"for"}:
        return _how(one, other)
    return None


def comparable(one: Side, other: Side) -> bool:
    """Whether the two speak of doing, or of being, the same thing."""
    predicates = {one.predicate, other.predicate}
    if len(predicates) == 1:
        return one.action == other.action
    if "contraindicated_in" in predicates:
        doing = one.action | other.action
        return bool(predicates & {"treats", "prevents", RECOMMENDED}) and doing <= _GIVEN
    # Advice not to use it at all is advice against every use.
    return RECOMMENDED in predicates and (
        one.action == other.action or not min(one.action, other.action, key=len)
    )


def _how(one: Side, other: Side) -> str | None:
    if one.population.other_ages(other.population):
        return "different_population"
    doses = _alike(one.doses, other.doses)
    if one.roles == other.roles and doses:
        meet = any(a.same(b) or a.within(b) or b.within(a) for a, b in doses)
        return None if meet else "different_dose"
    # "140 or more" holds all of "160 or more", and is another threshold.
    bounds = _alike(one.bounds, other.bounds)
    return "different_threshold" if bounds and not any(a.same(b) for a, b in bounds) else None


def _alike(one: Sequence[Quantity], other: Sequence[Quantity]) -> list[tuple[Quantity, Quantity]]:
    """The pairs that are of one dimension; a bare number is of none."""
    return [(a, b) for a, b in product(one, other) if a.dimension and a.dimension == b.dimension]


def _overlap(one: Side, other: Side) -> bool:
    a, b = one.evidence, other.evidence
    return a.start < b.end and b.start < a.end


def _records(
    pairs: Iterable[tuple[Side, Side]],
    truth: Reads,
    names: Names,
    advice: Callable[[Side], Sequence[Recommendation]],
) -> tuple[Mapping[str, Any], ...]:
    found: list[Mapping[str, Any]] = []
    seen: set[tuple[object, ...]] = set()
    for one, other in pairs:
        kind = kind_of(one, other)
        if kind is None:
            continue
        places = sorted((s.evidence.document_id, s.evidence.start) for s in (one, other))
        if (key := (one.object, *places)) in seen:
            continue
        seen.add(key)
        found.append(_record(kind, one, other, truth, names, advice))
    return tuple(sorted(found, key=lambda r: (r["object"], r["subject"], r["kind"])))


def _record(
    kind: str,
    one: Side,
    other: Side,
    truth: Reads,
    names: Names,
    advice: Callable[[Side], Sequence[Recommendation]],
) -> dict[str, Any]:
    """The side that affirms comes first, else the older one."""
    sides = [one, other]
    between, newer = _between(*(truth.document(side.evidence.document_id) for side in sides))
    affirming = ("for", "says")
    if other.stance in affirming and one.stance not in affirming:
        swap = True
    else:
        swap = newer == 0 and one.stance == other.stance
    if swap:
        sides.reverse()
        newer = None if newer is None else 1 - newer
    first = sides[0]
    return {
        "kind": kind,
        "between": between,
        "newer": newer,
        "subject": first.subject,
        "subject_name": _subject_name(first, names),
        "object": first.object,
        "object_name": name_of(first.object, names),
        "differs": [_differs(kind, side) for side in sides],
        "sides": [_side(side, truth, names, advice(side)) for side in sides],
    }


def _between(one: Document, other: Document) -> tuple[str, int | None]:
    """Who the sides are between, and which of them is the newer one, when that is known."""
    if one.id == other.id:
        return "one_document", None
    editions = [edition_of(d.id, d.source, d.metadata) for d in (one, other)]
    dates = [e.dated or "" for e in editions]
    newer = None
    if all(dates) and before(*dates):
        newer = 1
    elif all(dates) and before(dates[1], dates[0]):
        newer = 0
    if one.source == other.source:
        return "older_and_newer_version", newer
    issuers = [e.issuer for e in editions]
    if None in issuers or (issuers[0] == issuers[1] and newer is None):
        return "sources", newer
    same = issuers[0] == issuers[1]
    return ("older_and_newer_document" if same else "different_issuers"), newer


def _differs(kind: str, side: Side) -> str:
    """The words of the side that the kind is about."""
    if kind == "different_dose":
        return ", ".join(q.text for q in side.doses)
    if kind == "different_threshold":
        return ", ".join(q.text for q in side.bounds)
    if kind == "different_population":
        return dict(side.qualifiers).get("population", "")
    return side.stance


def _side(
    side: Side, truth: Reads, names: Names, advice: Sequence[Recommendation]
) -> dict[str, Any]:
    citation = cite(side.evidence, truth)
    piece = side.evidence
    return {
        "recommendation" if side.predicate == RECOMMENDED else "assertion": side.id,
        "subject": side.subject,
        "subject_name": _subject_name(side, names),
        "predicate": side.predicate,
        "direction": side.stance,
        "negated": side.stance in ("denies", "against") and side.predicate != "contraindicated_in",
        "qualifiers": dict(side.qualifiers),
        "citation": to_plain(citation),
        "date": citation.document.date,
        "publisher": citation.document.publisher,
        "grade": grade_at(piece.document_id, piece.start, piece.end, advice),
    }


def _subject_name(side: Side, names: Names) -> str:
    """The concept's name; without a concept, what is advised."""
    return name_of(side.subject, names) if side.subject else " ".join(sorted(side.action))
