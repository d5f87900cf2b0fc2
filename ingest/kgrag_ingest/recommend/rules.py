"""The rules of ``ontologies/recommendation_rules.toml``, compiled once; the code has none."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

from kgrag.errors import SettingsError
from kgrag.paths import resource
from kgrag.records.recommendations import Direction

Place = Literal["after", "before", "around"]
Pattern = re.Pattern[str]

_CUE_KEYS: Final = frozenset({"id", "direction", "words", "patterns", "action"})


@dataclass(frozen=True, slots=True)
class Cue:
    """One way to advise; ``words`` is a cheap test that a line must pass first."""

    id: str
    direction: Direction
    words: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    action: Place


@dataclass(frozen=True, slots=True)
class Imperative:
    """Commands: ``start`` finds one at the beginning of a line, with its groups verb and not.

    What ``spared`` matches denies a denial, and so advises; what ``denies`` matches advises
    against. A line in which none of ``verbs`` stands where a command can begin holds none.
    """

    start: Pattern
    unless: Pattern
    spared: Pattern
    denies: Pattern
    verbs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Test:
    """A pattern that is tried on lines with one of ``words`` (lower case) only."""

    words: tuple[str, ...]
    pattern: Pattern

    def holds(self, line: str, lower: str) -> bool:
        """The pattern is found in ``line``, whose lower-case form is ``lower``."""
        return any(word in lower for word in self.words) and (self.pattern.search(line) is not None)


@dataclass(frozen=True, slots=True)
class Titles:
    """Headings by how they begin, or by what stands in them."""

    begin: Pattern
    anywhere: Pattern

    def match(self, title: str) -> bool:
        """The heading is one of these."""
        return self.begin.match(title) is not None or self.anywhere.search(title) is not None


@dataclass(frozen=True, slots=True)
class Refusals:
    """What makes a section or a line no advice of its document.

    Under ``quiet_sections`` only commands are none. An article of a journal advises by
    ``journal_cues`` only, in lines with ``care`` and without ``science``.
    """

    sections: Titles
    quiet_sections: Titles
    study_sections: Titles
    journal_cues: frozenset[str]
    care: Pattern
    science: Pattern
    line: tuple[Test, ...]
    not_modal: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A word for a stage of life; None where it does not limit."""

    pattern: Pattern
    min: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class People:
    """Whom advice is for, and how ages and sex are read from it."""

    phrase: Pattern
    nobody: Pattern
    ranges: tuple[Pattern, ...]
    lower: tuple[Pattern, ...]
    upper: tuple[Pattern, ...]
    below: tuple[Pattern, ...]
    words: tuple[Word, ...]
    aside: Pattern
    female: Pattern
    male: Pattern


@dataclass(frozen=True, slots=True)
class Rules:
    """All that the extractor knows, for documents of one issuer."""

    cues: tuple[Cue, ...]
    spoken: tuple[str, ...]
    imperative: Imperative
    refuse: Refusals
    people: People
    columns: Mapping[str, Pattern]
    supersedes: tuple[Pattern, ...]
    effective: Pattern
    exceptions: Pattern
    following: Pattern
    only_grade: Pattern


@lru_cache(maxsize=64)
def rules(own_names: tuple[str, ...] = ()) -> Rules:
    """The shipped rules; ``own_names`` are names under which the issuer speaks of itself."""
    return _compiled(_data(resource("ontologies", "recommendation_rules.toml")), own_names)


@cache
def _data(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


def read_rules(path: Path, own_names: tuple[str, ...] = ()) -> Rules:
    """The rules of a file; SettingsError names what is not well formed."""
    return _compiled(_data(path), own_names)


def _compiled(data: Mapping[str, Any], own_names: tuple[str, ...]) -> Rules:
    macros = dict(data["macros"])
    names = "|".join(sorted(map(re.escape, own_names), key=len, reverse=True))
    macros["own"] = f"(?:{macros['who']}|(?:the )?(?:{names}))" if names else macros["who"]
    document, refuse = data["document"], data["refuse"]
    cues = tuple(_cue(entry, macros) for entry in data["cue"])
    words = {word for cue in cues for word in cue.words}
    return Rules(
        cues=cues,
        # A word that holds another one tells nothing more than that one.
        spoken=tuple(sorted(w for w in words if not any(o != w and o in w for o in words))),
        imperative=_imperative(data["imperative"], macros),
        refuse=Refusals(
            sections=_titles(refuse, "sections"),
            quiet_sections=_titles(refuse, "quiet_sections"),
            journal_cues=frozenset(refuse["journal_cues"]),
            care=_one(refuse["care"]),
            science=_one(refuse["science"]),
            study_sections=_titles(refuse, "study_sections"),
            line=(*_tests(refuse["reported"]), *_tests(refuse["elsewhere"])),
            not_modal=_tests(refuse["not_modal"]),
        ),
        people=_people(data["population"], data["ages"], data["sex"]),
        columns={name: _one(pattern) for name, pattern in data["columns"].items()},
        supersedes=tuple(_one(p, re.I) for p in document["supersedes"]),
        effective=_one(document["effective"]),
        exceptions=_one(document["exceptions"]),
        following=_one(document["following"]),
        only_grade=_one(document["only_grade"]),
    )


def _cue(entry: Mapping[str, Any], macros: Mapping[str, str]) -> Cue:
    name = str(entry.get("id", "?"))
    if set(entry) != _CUE_KEYS:
        raise SettingsError(f"recommendation rules: cue {name!r} has the keys {sorted(entry)}")
    if entry["direction"] not in get_args(Direction) or entry["action"] not in get_args(Place):
        raise SettingsError(f"recommendation rules: cue {name!r} has no known direction or action")
    return Cue(
        name,
        entry["direction"],
        tuple(entry["words"]),
        tuple(_one(_expanded(p, macros), re.I) for p in entry["patterns"]),
        entry["action"],
    )


def _expanded(pattern: str, macros: Mapping[str, str]) -> str:
    for _ in range(2):  # macros may hold macros, one deep
        for name, value in macros.items():
            pattern = pattern.replace("{" + name + "}", value)
    return pattern


def _imperative(data: Mapping[str, Any], macros: Mapping[str, str]) -> Imperative:
    nouns = set(data["nouns"].split())
    verbs = sorted({*data["for"].split(), *nouns} - {""})
    plain = "|".join(re.escape(v) for v in verbs if v not in nouns)
    doubtful = "|".join(map(re.escape, sorted(nouns)))
    objects = "|".join(data["objects"].split())
    phrases = "|".join(re.escape(p.strip()) for p in data["phrases"].split("|"))
    against = "|".join(sorted(data["against"], key=len, reverse=True))
    command = (
        rf"(?P<not>{against})\b(?! the risk)|(?P<verb>(?:{plain})(?![\w-])(?! ?:)"
        rf"|(?:{doubtful}) (?:{objects})\b|(?:{phrases})\b)"
    )
    adverbs = "|".join(data["adverbs"].split())
    before = data["before"].replace("{adverb}", adverbs)
    lead = f"(?:{data['introduction']})?"
    return Imperative(
        start=_one(rf"^\W{{0,3}}{before}(?:{lead}){before}(?:{command})", re.I),
        unless=_one(data["unless"], re.I),
        spared=_one(_expanded(data["spared"], macros)),
        denies=_one(_expanded(data["denies"], macros)),
        verbs=frozenset(
            {*verbs, *data["adverbs"].split(), *(w.split()[0] for w in data["against"])}
        ),
    )


def _people(
    population: Mapping[str, Any], ages: Mapping[str, Any], sex: Mapping[str, Any]
) -> People:
    people = "|".join(population["people"].split())
    after = population["after"].replace("{people}", people)
    phrase = rf"{population['before']}\b(?:{people})\b{after}{population['stop']}"

    def age(name: str) -> tuple[Pattern, ...]:
        return tuple(
            _one(p.replace("{n}", ages["number"]).replace("{u}", ages["unit"]), re.I)
            for p in ages[name]
        )

    return People(
        phrase=_one(phrase, re.I),
        nobody=_one(population["not_people"]),
        ranges=age("ranges"),
        lower=age("lower"),
        upper=age("upper"),
        below=age("below"),
        words=tuple(
            Word(_one(w["pattern"], re.I), _number(w.get("min")), _number(w.get("max")))
            for w in ages["words"]
        ),
        aside=_one(ages["aside"]),
        female=_one(sex["female"]),
        male=_one(sex["male"]),
    )


def _number(value: int | float | None) -> float | None:
    return None if value is None else float(value)


def _titles(data: Mapping[str, Any], name: str) -> Titles:
    return Titles(_any(data[name], re.I), _any(data[f"{name}_anywhere"], re.I))


def _tests(entries: Iterable[Mapping[str, Any]]) -> tuple[Test, ...]:
    return tuple(Test(tuple(e["words"]), _one(e["pattern"], re.I)) for e in entries)


def _any(patterns: Iterable[str], flags: int = 0) -> Pattern:
    return _one("|".join(f"(?:{p})" for p in patterns), flags)


def _one(pattern: str, flags: int = 0) -> Pattern:
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        raise SettingsError(
            f"recommendation rules: {pattern[:60]!r} is not well formed: {error}"
        ) from error
