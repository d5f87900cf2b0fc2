"""Substances of a class, as the reviewed table ``ontologies/drug_classes.toml`` lists them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from kgrag.paths import resource


@dataclass(frozen=True, slots=True)
class DrugClass:
    """A class: the words that name it (``of``) and the substances in it (``names``)."""

    name: str
    of: frozenset[str]
    names: frozenset[str]


@cache
def drug_classes() -> tuple[DrugClass, ...]:
    """The classes of the table, names in lower case."""
    raw: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(
        resource("ontologies", "drug_classes.toml").read_text(encoding="utf-8")
    )
    return tuple(
        DrugClass(name.replace("_", " "), frozenset(entry["of"]), frozenset(entry["names"]))
        for name, entry in raw.items()
    )


@cache
def spoken_against(substance: str) -> Mapping[str, str]:
    """Substances and names of classes that an allergy to ``substance`` speaks against.

    Each with the class that says so: the substance itself, and what shares a class with it or is
    in the class of that name. ``substance`` is in lower case.
    """
    found = {substance: ""}
    for group in drug_classes():
        if substance in group.of or substance in group.names:
            for other in group.of | group.names:
                found.setdefault(other, group.name)
    return found


@cache
def names_pattern(names: frozenset[str]) -> re.Pattern[str]:
    """Finds the names as words in ``plain`` text, the longest first."""
    listed = "|".join(sorted((re.escape(n) for n in names), key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{listed})(?![\w-])" if listed else r"(?!)")
