"""Which concept a name means here, or none: kinds, capitals, stop lists and the words around.

A choice that depends on the name alone is made once and kept; only names with candidates of
several types look at their neighbours.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from kgrag.errors import SettingsError
from kgrag.paths import resource
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import WEAK, Lexicon

# What a name of several types means when nothing around it tells: substances before analytes,
# diseases before findings.
_ORDER: Final[dict[ConceptType, int]] = {
    "disease": 0, "drug": 0, "chemical": 1, "phenotype": 2, "procedure": 3,
    "analyte": 4, "anatomy": 5, "other": 6,
}  # fmt: skip
_SCORE: Final = (1.0, 0.95, 0.85, 0.6)
_MARGIN: Final = 0.1
_MEASURED: Final = frozenset(
    ("level", "levels", "concentration", "concentrations", "test", "tests", "testing", "assay")
) | frozenset(("measurement", "measurements", "assays", "value", "values", "count", "counts"))


@dataclass(frozen=True, slots=True)
class Choice:
    """The concept a name means. ``score`` in [0, 1] falls when a runner-up is near.

    ``cased`` asks for capitals in the text, ``capital`` for a capital at its start (brands and
    other weak names), ``defined`` for a definition in the document.
    """

    concept: str
    type: ConceptType
    score: float
    cased: bool
    capital: bool
    defined: bool
    runners_up: tuple[str, ...] = ()
    measured: str | None = None


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
    """Chooses among the candidates of a name."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._choices: dict[int, Choice | None] = {}
        self._never, self._only_defined = stop_names()

    def choose(self, name: int, folded: str) -> Choice | None:
        """The choice for the name of that number, spelled ``folded``; None when it is stopped."""
        if name not in self._choices:
            self._choices[name] = self._choose(name, folded)
        return self._choices[name]

    def _choose(self, name: int, folded: str) -> Choice | None:
        if folded in self._never or len(folded) < 2:
            return None
        candidates = sorted(
            self._lexicon.candidates(name), key=lambda c: (c.kind, _ORDER[c.type], c.curie)
        )
        best = candidates[0]
        score = _SCORE[best.kind]
        rivals = [c for c in candidates[1:] if _SCORE[c.kind] > score - _MARGIN]
        if rivals:
            score *= 0.8 if any(_ORDER[c.type] == _ORDER[best.type] for c in rivals) else 0.9
        analyte = next((c.curie for c in candidates if c.type == "analyte"), None)
        return Choice(
            best.curie,
            best.type,
            round(score, 3),
            all(c.cased for c in candidates if c.kind == best.kind),
            best.kind == WEAK,
            len(folded) == 2 or folded in self._only_defined,
            tuple(c.curie for c in candidates[1:4]),
            analyte if best.type in ("drug", "chemical") else None,
        )


def in_context(choice: Choice, following: str) -> Choice:
    """The choice seen with the folded word that follows: "sodium level" is the analyte."""
    if choice.measured is None or following not in _MEASURED:
        return choice
    return replace(choice, concept=choice.measured, type="analyte")


def has_capitals(surface: str) -> bool:
    """Whether the characters are written as an acronym: two capitals, or one and a digit."""
    capitals = sum(char.isupper() for char in surface)
    return capitals >= 2 or (capitals == 1 and any(char.isdigit() for char in surface))
