"""What one source says of an intervention and a condition, in a form that can be compared.

An assertion gives one side a piece of evidence, a recommendation one for each intervention and
condition. What is not said is empty: no population, dose or bound is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.recommendations import Recommendation
from kgrag.retrieval.scope import Reads
from kgrag.retrieval.seeds import Names
from kgrag.verification.slots import populations
from kgrag.verification.units import Quantity, has_dose, quantities

Stance = Literal["for", "against", "neither", "says", "denies"]
RECOMMENDED: Final = "recommended"
# Predicates that say what should be done; the others say what is.
ADVICE: Final = frozenset({"treats", "prevents", "diagnoses", "monitored_by", "contraindicated_in"})
_NEVER: Final = "contraindicated_in"
_AGED: Final = re.compile(r"\b(?:aged?|old|older|younger|years? of age)\b|-old\b|\d\s?y/?o\b", re.I)
# Doses of different roles differ by nature.
_ROLES: Final = re.compile(
    r"\b(?:initial\w*|start\w*|loading|maintenance|max\w*|single|first|then|after\w*|until|"
    r"intravenous\w*|iv|oral\w*|inhal\w*|topical\w*|intramuscular\w*|rectal\w*)\b",
    re.IGNORECASE,
)
_FAR: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Population:
    """Age groups, sexes and pregnancy by group, and ages as a range in years."""

    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ages: tuple[float, float] | None = None

    def apart(self, other: Population) -> bool:
        """Nobody is in both."""
        if any(not names & other.groups.get(group, names) for group, names in self.groups.items()):
            return True
        if self.ages is None or other.ages is None:
            return False
        return self.ages[1] < other.ages[0] or other.ages[1] < self.ages[0]

    def other_ages(self, other: Population) -> bool:
        """Both say ages, and not the same ones."""
        return self.ages is not None and other.ages is not None and self.ages != other.ages


@dataclass(frozen=True, slots=True)
class Side:
    """One source's word on ``subject`` and ``object``; ``id`` is an assertion's or advice's."""

    id: str
    subject: str
    object: str
    predicate: str
    stance: Stance
    evidence: Evidence
    qualifiers: tuple[tuple[str, str], ...] = ()
    population: Population = field(default_factory=Population)
    doses: tuple[Quantity, ...] = ()
    bounds: tuple[Quantity, ...] = ()
    roles: frozenset[str] = frozenset()


def sides_of(assertion: Assertion) -> Iterator[Side]:
    """A side for each document that states the assertion, by the first of its evidence."""
    said = dict(assertion.qualifiers)
    dose = said.get("dose", "")
    where = " ; ".join(said[name] for name in ("population", "condition") if name in said)
    seen: set[str] = set()
    for piece in assertion.evidence:
        if piece.document_id in seen:
            continue
        seen.add(piece.document_id)
        yield Side(
            assertion.id,
            assertion.subject,
            assertion.object,
            assertion.predicate,
            _stance(assertion),
            piece,
            assertion.qualifiers,
            population_of(where),
            doses_of(dose),
            bounds_of(where),
            roles_of(dose),
        )


def advised(advice: Recommendation, truth: Reads) -> Iterator[Side]:
    """A side for each intervention and condition; none when one of them is not known.

    Doses count when there is one intervention: of several, nobody knows whose they are.
    """
    text = truth.document(advice.document_id).text
    where = text[slice(*advice.population)] if advice.population else ""
    found = population_of(where)
    groups = dict(found.groups)
    if advice.sex:
        groups["sex"] = frozenset({advice.sex})
    ages = found.ages
    if advice.min_age is not None or advice.max_age is not None:
        ages = advice.min_age or 0.0, advice.max_age if advice.max_age is not None else _FAR
    alone = len(advice.interventions) == 1
    span = advice.start, advice.end
    piece = Evidence(advice.document_id, *span, advice.quote, span, span, advice.rule)
    for subject in advice.interventions:
        for obj in advice.conditions:
            yield Side(
                advice.id,
                subject,
                obj,
                RECOMMENDED,
                advice.direction,
                piece,
                (("population", where),) if where else (),
                Population(groups, ages),
                doses_of(advice.quote) if alone else (),
                bounds_of(advice.quote),
                roles_of(advice.quote),
            )


def _stance(assertion: Assertion) -> Stance:
    if assertion.predicate == _NEVER:
        # That a drug is not forbidden does not recommend it.
        return "neither" if assertion.negated else "against"
    if assertion.predicate in ADVICE:
        return "against" if assertion.negated else "for"
    return "denies" if assertion.negated else "says"


def population_of(text: str) -> Population:
    """Who the words are about, as far as they name age, sex or pregnancy."""
    groups = {group: frozenset(names) for group, names in populations(text).items()}
    ages = [q for q in quantities(text) if _is_age(text, q)]
    if len(ages) != 1:  # none, or several that cannot be put together without reading
        return Population(groups)
    return Population(groups, (max(ages[0].low, 0.0) / 12, ages[0].high / 12))


def doses_of(text: str) -> tuple[Quantity, ...]:
    """The quantities of medicine in the text."""
    return tuple(q for q in quantities(text) if has_dose(q.text))


def bounds_of(text: str) -> tuple[Quantity, ...]:
    """Thresholds: quantities open to one side that are neither ages nor doses."""
    return tuple(
        q
        for q in quantities(text)
        if (q.low == -_FAR or q.high == _FAR) and not _is_age(text, q) and not has_dose(q.text)
    )


def roles_of(text: str) -> frozenset[str]:
    """Words that say what a dose is for: the first, the greatest, by which route."""
    return frozenset(word.lower() for word in _ROLES.findall(text))


def _is_age(text: str, quantity: Quantity) -> bool:
    around = text[max(0, quantity.start - 24) : quantity.end + 12]
    return quantity.dimension == "months" and _AGED.search(around) is not None


class Kin:
    """Which concepts are one thing told more or less narrowly: by hierarchy and by name.

    ``low-dose aspirin`` is kin to ``aspirin``: its name says the other's at its end. Names of one
    general word ("disease") make no kin.
    """

    _GENERAL: Final = frozenset(
        "disease disorder syndrome infection failure injury cancer neoplasm therapy treatment drug "
        "drugs agent agents screening test counseling acid sodium vaccine hormone".split()
    )

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[str, tuple[tuple[str, ...], frozenset[str]]] = {}

    def __call__(self, one: str, other: str) -> bool:
        """Whether both are the same concept, or one is a direct or named kind of the other."""
        if one == other:
            return True
        (words, parents), (others, above) = self._of(one), self._of(other)
        if other in parents or one in above:
            return True
        short, long = sorted((words, others), key=len)
        general = not short or (len(short) == 1 and short[0] in self._GENERAL)
        return not general and len(short) < len(long) and long[-len(short) :] == short

    def _of(self, curie: str) -> tuple[tuple[str, ...], frozenset[str]]:
        if curie not in self._known:
            words: tuple[str, ...] = ()
            parents: frozenset[str] = frozenset()
            if curie in self._names:
                concept = self._names.concept(curie)
                # "Renal Insufficiency, Chronic" is said "chronic renal insufficiency".
                name = " ".join(reversed(concept.name.casefold().split(", ")))
                words = tuple(re.findall(r"\w+", name))
                parents = frozenset(concept.parents)
            self._known[curie] = words, parents
        return self._known[curie]


def all_sides(
    assertions: Iterable[Assertion], recommendations: Iterable[Recommendation], truth: Reads
) -> list[Side]:
    """The sides of all of them, in order of subject, object and place."""
    found = [side for assertion in assertions for side in sides_of(assertion)]
    found += [side for advice in recommendations for side in advised(advice, truth)]
    return sorted(found, key=lambda s: (s.subject, s.object, s.evidence, s.id))
