"""Which concept a name means here, or none: kinds, capitals, stop lists and the words around.

A choice that depends on the name alone is made once and kept; only what is doubtful looks at its
neighbours. What labelled documents taught (``kgrag.linking.learned``) weighs in where there is
any; names that the vocabularies themselves write stay, whatever labellers thought of their class,
unless the linker is asked to read as they did.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from kgrag.errors import SettingsError
from kgrag.linking.features import PlaceWeights, is_solid
from kgrag.linking.learned import KINDS, Learned
from kgrag.linking.weigh import ORDER, Option, option
from kgrag.paths import resource
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import SYNONYM, WEAK, Candidate, Lexicon

_SCORE: Final = (1.0, 0.95, 0.85, 0.6)
_MARGIN: Final = 0.1
_SURE: Final = 6.0  # no place weighs more than this
_FLOOR: Final = 1.0  # of the log odds of a name that a vocabulary writes
_MEASURED: Final = frozenset(
    ("level", "levels", "concentration", "concentrations", "test", "tests", "testing", "assay")
) | frozenset(("measurement", "measurements", "assays", "value", "values", "count", "counts"))


@dataclass(frozen=True, slots=True)
class Choice:
    """The concept a name means. ``score`` in [0, 1] falls when a runner-up is near.

    ``cased`` asks for capitals in the text, ``capital`` for a capital at its start (brands and
    other weak names), ``defined`` for a definition in the document. ``odds`` are the log odds
    that the name is meant at all, before its place is looked at; None when nothing was learned
    that applies. ``rivals`` are the concepts so near that the document has to decide.
    ``otherwise`` is what the name means when this is not meant.
    """

    concept: str
    type: ConceptType
    score: float
    cased: bool = False
    capital: bool = False
    defined: bool = False
    runners_up: tuple[str, ...] = ()
    measured: str | None = None
    odds: float | None = None
    known: bool = False
    rivals: tuple[Candidate, ...] = ()
    otherwise: Choice | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether the place decides."""
        return self.odds is not None and abs(self.odds) < _SURE


@cache
def stop_names() -> tuple[frozenset[str], frozenset[str]]:
    """Folded names that are never read, and those read only where the document defines them."""
    path = resource("ontologies", "stop_names.toml")
    with path.open("rb") as file:
        data = tomllib.load(file)
    if set(data) != {"never", "only_defined"}:
        raise SettingsError(f"{path.name} must hold the lists never and only_defined")
    return frozenset(data["never"]), frozenset(data["only_defined"])


class Disambiguator:
    """Chooses among the candidates of a name.

    ``as_labelled``: what is meant is decided by the weights alone, so that the linker reads as
    the labellers did; otherwise a name that a vocabulary itself writes is never weighed away.
    """

    def __init__(self, lexicon: Lexicon, learned: Learned, *, as_labelled: bool = False) -> None:
        self._lexicon = lexicon
        self._learned = learned
        self._as_labelled = as_labelled
        self._choices: dict[int, Choice | None] = {}
        self._places = {kind: weights.places for kind, weights in learned.weights.items()}
        self._never, self._only_defined = stop_names()

    def choose(self, name: int, folded: str) -> Choice | None:
        """The choice for the name of that number, spelled ``folded``; None when it is stopped."""
        try:
            return self._choices[name]
        except KeyError:
            return self._choices.setdefault(name, self._choose(name, folded))

    def places(self, choice: Choice) -> PlaceWeights:
        """The weights of places for what a doubtful choice means."""
        return self._places[KINDS[choice.type]]

    def _choose(self, name: int, folded: str) -> Choice | None:
        candidates = self._lexicon.candidates(name) if name >= 0 else ()
        stopped = folded in self._never or len(folded) < 2
        weighed = self._weighed(folded, candidates, stopped)
        rest = [c for c in candidates if KINDS.get(c.type) not in self._learned.weights]
        plain = self._plain(folded, rest) if rest and not stopped else None
        if weighed is None:
            return plain
        if plain is not None and not self._as_labelled and self._is_better(rest, candidates):
            return replace(plain, otherwise=weighed)
        if weighed.odds is not None and weighed.odds <= -_SURE:
            return plain
        return replace(weighed, otherwise=plain)

    def _is_better(self, rest: list[Candidate], candidates: tuple[Candidate, ...]) -> bool:
        """Whether the vocabularies write the name for another kind before those learned."""
        weighed = [c.kind for c in candidates if c not in rest]
        return not weighed or min(c.kind for c in rest) < min(weighed)

    def _weighed(
        self, folded: str, candidates: tuple[Candidate, ...], stopped: bool
    ) -> Choice | None:
        """The likelier of the kinds that were learned; None when the name is of none of them."""
        entries = self._learned.by_name.get(folded, {})
        best: tuple[float, Choice] | None = None
        for kind, weights in self._learned.weights.items():
            entry = entries.get(kind)
            found = option(
                folded,
                kind,
                candidates,
                entry,
                same=self._learned.same,
                concepts=self._learned.concepts,
                stopped=stopped,
            )
            if found is None:
                continue
            odds = weights.sum(found.features)
            labelled = entry is not None and entry.labelled > 0
            if not self._as_labelled:
                if stopped and not labelled:
                    continue
                if found.best is not None and is_solid(found.best) and not stopped:
                    odds = max(odds, _FLOOR)
            if best is None or odds > best[0]:
                best = odds, self._choice(folded, found, candidates, odds, labelled)
        return best[1] if best else None

    def _choice(
        self,
        folded: str,
        found: Option,
        candidates: tuple[Candidate, ...],
        odds: float,
        labelled: bool,
    ) -> Choice:
        kind = KINDS[found.type]
        its = tuple(c for c in candidates if KINDS.get(c.type) == kind)
        score, rivals = _rank(its, found.best) if found.best else (_SCORE[SYNONYM], ())
        analyte = next((c.curie for c in candidates if c.type == "analyte"), None)
        short = len(folded) == 2 or folded in self._only_defined
        return Choice(
            found.concept,
            found.type,
            score,
            cased=not labelled and found.best is not None and found.best.cased,
            capital=not labelled and found.best is not None and found.best.kind == WEAK,
            defined=short and not (labelled and self._as_labelled),
            runners_up=found.runners_up,
            measured=analyte if kind == "substance" else None,
            odds=odds,
            known=found.known,
            rivals=() if labelled else rivals,
        )

    def _plain(self, folded: str, candidates: list[Candidate]) -> Choice:
        """The choice by kind, type and CURIE, with nothing learned."""
        ordered = sorted(candidates, key=lambda c: (c.kind, ORDER[c.type], c.curie))
        best = ordered[0]
        score, rivals = _rank(tuple(ordered), best)
        analyte = next((c.curie for c in ordered if c.type == "analyte"), None)
        return Choice(
            best.curie,
            best.type,
            score,
            all(c.cased for c in ordered if c.kind == best.kind),
            best.kind == WEAK,
            len(folded) == 2 or folded in self._only_defined,
            tuple(c.curie for c in ordered[1:4]),
            analyte if best.type in ("drug", "chemical") else None,
            rivals=rivals,
        )


def _rank(
    candidates: tuple[Candidate, ...], best: Candidate
) -> tuple[float, tuple[Candidate, ...]]:
    """The score of the best candidate, and with it those that come near, best first."""
    score = _SCORE[best.kind]
    near = [c for c in candidates if c != best and _SCORE[c.kind] > score - _MARGIN]
    if not near:
        return score, ()
    kin = tuple(c for c in near if ORDER[c.type] == ORDER[best.type])
    return round(score * (0.8 if kin else 0.9), 3), (best, *kin) if kin else ()


def in_context(choice: Choice, following: str) -> Choice:
    """The choice seen with the folded word that follows: "sodium level" is the analyte."""
    if choice.measured is None or following not in _MEASURED:
        return choice
    return replace(choice, concept=choice.measured, type="analyte", rivals=())


def has_capitals(surface: str) -> bool:
    """Whether the characters are written as an acronym: two capitals, or one and a digit."""
    capitals = sum(char.isupper() for char in surface)
    return capitals >= 2 or (capitals == 1 and any(char.isdigit() for char in surface))


class Kin:
    """Which concepts are next to which in the vocabularies; what was asked is remembered."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._near: dict[str, frozenset[str]] = {}

    def near(self, concept: str) -> frozenset[str]:
        """The concepts one step above and below."""
        if concept not in self._near:
            above, below = self._lexicon.parents(concept), self._lexicon.children(concept)
            self._near[concept] = frozenset((*above, *below))
        return self._near[concept]


def settle(rivals: tuple[Candidate, ...], sure: Mapping[str, int], kin: Kin) -> tuple[str, float]:
    """(the concept of a name with rivals, its margin over the next one, in [0, 1]).

    ``sure`` counts the concepts that the document names without doubt: a rival gains by being
    one of them, and half as much by standing next to one. Ties go to the earlier rival.
    """
    support = []
    for at, rival in enumerate(rivals):
        value = _SCORE[rival.kind]
        if rival.curie in sure:
            value += 0.2
        elif sure and not kin.near(rival.curie).isdisjoint(sure):
            value += 0.1
        support.append((-value, at, rival.curie))
    support.sort()
    return support[0][2], round(min(1.0, support[1][0] - support[0][0]), 3)
