"""What one source says of an intervention and a condition, in a form that can be compared.

An assertion gives one side a piece of evidence, a recommendation one for each intervention and
condition. What is not said is empty: no population, dose or bound is guessed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Literal

from kgrag.paths import resource
from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.recommendations import Recommendation
from kgrag.retrieval.scope import Reads
from kgrag.retrieval.seeds import Names
from kgrag.verification.slots import populations
from kgrag.verification.units import Quantity, has_dose, quantities

Stance = Literal["for", "against", "neither", "says", "denies"]
RECOMMENDED: Final = "recommended"
# Predicates that say what should be done; the others say what is.
ADVICE: Final = frozenset(
    {"treats", "prevents", "diagnoses", "monitored_by", "dosed_in", "contraindicated_in"}
)
# What the predicates say to do, in the words of ``advice_words.toml``.
_DONE: Final[Mapping[str, frozenset[str]]] = {
    "treats": frozenset({"treatment"}),
    "prevents": frozenset({"prevention"}),
    "diagnoses": frozenset({"diagnosis"}),
    "monitored_by": frozenset({"monitoring"}),
}
_GENERAL: Final = frozenset(
    "disease disorder syndrome infection failure injury cancer neoplasm therapy treatment drug "
    "agent screening test counseling acid sodium vaccine hormone".split()
)
_NEVER: Final = "contraindicated_in"
_AGED: Final = re.compile(r"\b(?:aged?|old|older|younger|years? of age)\b|-old\b|\d\s?y/?o\b", re.I)
# Doses of different roles differ by nature.
_ROLES: Final = re.compile(
    r"\b(?:initial\w*|start\w*|loading|maintenance|max\w*|single|first|then|after\w*|until|"
    r"intravenous\w*|iv|oral\w*|inhal\w*|topical\w*|intramuscular\w*|rectal\w*)\b",
    re.IGNORECASE,
)
_PLURAL: Final = re.compile(r".{3,}[^suia]s")  # not "diagnosis", "illness", "virus"
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
    """One source's word on ``subject`` and ``object``; ``id`` is an assertion's or advice's.

    ``action`` is what is advised beyond giving the subject for the object: words in one form.
    Advice without an intervention has no ``subject``, and an action.
    """

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
    action: frozenset[str] = frozenset()


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
            stance_of(assertion),
            piece,
            assertion.qualifiers,
            population_of(where),
            doses_of(dose),
            bounds_of(where),
            roles_of(dose),
            _DONE.get(assertion.predicate, frozenset()),
        )


def advised(advice: Recommendation, truth: Reads, concepts: Concepts) -> Iterator[Side]:
    """A side for each intervention and condition; none when nothing can be compared.

    A condition that only the population has ("adults with diabetes") is not what the advice is
    for. Advice without an intervention is about its action ("screening"). Doses count when there
    is one intervention: of several, nobody knows whose they are.
    """
    text = truth.document(advice.document_id).text
    where = text[slice(*advice.population)] if advice.population else ""
    start, end = advice.action
    said = text[start:end]
    if advice.population and start <= advice.population[0] and advice.population[1] <= end:
        said = text[start : advice.population[0]] + " ; " + text[advice.population[1] : end]
    outside = frozenset(_words(said))
    aims = [c for c in advice.conditions if concepts.named(c, outside)]
    means = [c for c in advice.interventions if concepts.named(c, outside)]
    action = concepts.without(outside, (*advice.interventions, *advice.conditions))
    if len(means) < len(advice.interventions) or not (means or action):
        return
    found = population_of(where)
    groups = dict(found.groups)
    if advice.sex:
        groups["sex"] = frozenset({advice.sex})
    ages = found.ages
    if advice.min_age is not None or advice.max_age is not None:
        ages = advice.min_age or 0.0, advice.max_age if advice.max_age is not None else _FAR
    span = advice.start, advice.end
    piece = Evidence(advice.document_id, *span, advice.quote, span, span, advice.rule)
    for subject in means or [""]:
        for obj in aims:
            yield Side(
                advice.id,
                subject,
                obj,
                RECOMMENDED,
                advice.direction,
                piece,
                (("population", where),) if where else (),
                Population(groups, ages),
                doses_of(advice.quote) if len(means) == 1 else (),
                bounds_of(advice.quote),
                roles_of(advice.quote),
                action,
            )


def stance_of(assertion: Assertion) -> Stance:
    """Whether the assertion advises or advises against, or says or denies what is."""
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


class Concepts:
    """What the names of concepts say; each is looked up once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[str, _Named] = {}

    def kin(self, one: str, other: str) -> bool:
        """Both are the same concept, or one is a direct or named kind of the other.

        ``low-dose aspirin`` is kin to ``aspirin``: its name says the other's at its end. Names of
        one general word ("disease") make no kin.
        """
        if one == other:
            return True
        first, second = self._of(one), self._of(other)
        if other in first.parents or one in second.parents:
            return True
        short, long = sorted((first.words, second.words), key=len)
        general = not short or (len(short) == 1 and short[0] in _GENERAL)
        return not general and len(short) < len(long) and long[-len(short) :] == short

    def named(self, curie: str, words: frozenset[str]) -> bool:
        """The words say one of the concept's names."""
        return any(name <= words for name in self._of(curie).names)

    def without(self, words: frozenset[str], concepts: Iterable[str]) -> frozenset[str]:
        """What the words say to do: without the names of the concepts, numbers, and words of use.

        Forms of one word are one ("treat", "treatment").
        """
        use, same = _advice_words()
        said = {w for c in concepts for name in self._of(c).names if name <= words for w in name}
        left = (w for w in words - said if w not in use and not w[0].isdigit() and len(w) > 1)
        return frozenset(same.get(word, word) for word in left)

    def _of(self, curie: str) -> _Named:
        if curie not in self._known:
            found = _Named()
            if curie in self._names:
                concept = self._names.concept(curie)
                # "Renal Insufficiency, Chronic" is said "chronic renal insufficiency".
                words = _words(" ".join(reversed(concept.name.split(", "))))
                every = {frozenset(_words(n)) for n in (concept.name, *concept.synonyms)}
                found = _Named(words, frozenset(concept.parents), every - {frozenset()})
            self._known[curie] = found
        return self._known[curie]


@dataclass(frozen=True, slots=True)
class _Named:
    words: tuple[str, ...] = ()
    parents: frozenset[str] = frozenset()
    names: Set[frozenset[str]] = frozenset()


def _words(text: str) -> tuple[str, ...]:
    """The words, without case, and without the s of a plural."""
    found = re.findall(r"[^\W_]+", text.casefold())
    return tuple(word[:-1] if _PLURAL.fullmatch(word) else word for word in found)


@cache
def _advice_words() -> tuple[frozenset[str], Mapping[str, str]]:
    path = resource("ontologies", "advice_words.toml")
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    same = {form: word for word, forms in data["same"].items() for form in forms}
    short = {_words(form)[0]: word for form, word in same.items()}
    return frozenset(w for word in data["use"] for w in (word, *_words(word))), same | short


def all_sides(
    assertions: Iterable[Assertion],
    recommendations: Iterable[Recommendation],
    truth: Reads,
    concepts: Concepts,
) -> list[Side]:
    """The sides of all of them, in order of subject, object and place.

    Candidates are left out: what the checks would not assert contradicts nobody.
    """
    asserted = (a for a in assertions if a.tier == "asserted")
    found = [side for assertion in asserted for side in sides_of(assertion)]
    found += [side for advice in recommendations for side in advised(advice, truth, concepts)]
    return sorted(found, key=lambda s: (s.subject, s.object, s.evidence, s.id))
