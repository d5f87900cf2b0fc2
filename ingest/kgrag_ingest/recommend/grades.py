"""Grades of strength and certainty in text, cells and headings, by ``ontologies/grades.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from kgrag.errors import SettingsError, UnknownName
from kgrag.paths import resource
from kgrag.records.recommendations import Direction, Grade

Kind = Literal["strength", "certainty"]
UNKNOWN: Final = "unknown"
_TERMS: Final[Mapping[str, frozenset[str]]] = {
    "strength": frozenset({"strong", "moderate", "weak", "none"}),
    "certainty": frozenset({"high", "moderate", "low", "very_low"}),
}
_LONGEST_CELL: Final = 60
_NEAR_CHARS: Final = 400
_BEFORE_CHARS: Final = 80
# A line with more grades advises nothing that one could read.
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class FoundGrade:
    """A grade with what it says of the direction, None when nothing."""

    kind: Kind
    grade: Grade
    direction: Direction | None


@dataclass(frozen=True, slots=True)
class _System:
    name: str
    issuers: re.Pattern[str] | None
    inline: re.Pattern[str] | None
    named: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class _Entry:
    system: str
    kind: Kind
    own: bool
    words: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    cells: tuple[re.Pattern[str], ...]
    values: Mapping[str, str]
    against: frozenset[str]
    neither: frozenset[str]


@dataclass(frozen=True, slots=True)
class Grading:
    """The known systems. Use ``grading()``.

    ``words`` are by system of the document: a line without one of them holds no grade.
    """

    systems: tuple[_System, ...]
    entries: tuple[_Entry, ...]
    columns: Mapping[str, re.Pattern[str]]
    before: re.Pattern[str]
    telling: re.Pattern[str]
    words: Mapping[str | None, tuple[str, ...]]

    def system_of(self, issuer: str | None, text: str) -> str | None:
        """The system a document grades by: its issuer's, else the only one it says it uses."""
        if issuer:
            for system in self.systems:
                if system.issuers and system.issuers.fullmatch(issuer.strip()):
                    return system.name
        said = [
            s.name
            for s in self.systems
            if s.named and s.name.partition("/")[0] in text and s.named.search(text)
        ]
        return said[0] if len(said) == 1 else None

    def issuer_names(self, issuer: str) -> tuple[str, ...]:
        """Short names of systems whose issuer this is: it speaks of itself by them."""
        return tuple(
            s.name for s in self.systems if s.issuers and s.issuers.fullmatch(issuer.strip())
        )

    def column(self, header: str) -> Kind | None:
        """What a column with this header grades; None for other columns."""
        name = header.strip().rstrip(":*†")
        if self.columns["strength"].match(name):
            return "strength"
        return "certainty" if self.columns["certainty"].match(name) else None

    def cell(
        self, text: str, span: tuple[int, int], kind: Kind, system: str | None
    ) -> FoundGrade | None:
        """The grade that fills the cell or label at ``span``; None when it holds something else."""
        start, end = _trimmed(text, span)
        raw = text[start:end]
        if not raw or len(raw) > _LONGEST_CELL:
            return None
        for entry in self._entries(self._near(system, text[start : start + _NEAR_CHARS])):
            if entry.kind != kind:
                continue
            for pattern in entry.cells:
                match = pattern.search(raw)
                if match:
                    return _found(entry, match, raw, (start, end))
        return None

    def find(self, text: str, start: int, end: int, system: str | None) -> list[FoundGrade]:
        """The grades in ``text[start:end]``, at most one of a kind and place, in text order.

        Grades of other things (NYHA classes, tumour grades) and talk about grades are left out.
        """
        line = text[start:end]
        found: list[FoundGrade] = []
        lower = line.lower()
        if not any(word in lower for word in self.words.get(system, self.words[None])):
            return []
        for entry in self._entries(self._near(system, line)):
            if not any(word in lower for word in entry.words):
                continue
            for pattern in entry.patterns:
                for match in pattern.finditer(line):
                    if _touches(self.before, line, match):
                        continue
                    if self.telling.search(_before(line, match.start())):
                        continue
                    if len(found) == _MOST:
                        return sorted(found, key=lambda f: f.grade.span)
                    span = (start + match.start(), start + match.end())
                    if any(f.kind == entry.kind and _overlap(f.grade.span, span) for f in found):
                        continue
                    raw = match.group()
                    found.append(_found(entry, match, raw, span))
        return sorted(found, key=lambda f: f.grade.span)

    def _near(self, system: str | None, words: str) -> str | None:
        """The system of the document, else the only one that the words name."""
        if system is not None:
            return system
        named = [s.name for s in self.systems if s.inline and s.inline.search(words)]
        return named[0] if len(named) == 1 else None

    def _entries(self, system: str | None) -> tuple[_Entry, ...]:
        """Those of the system first, then those that mean one system anywhere, then the unknown."""
        return (
            *(e for e in self.entries if e.system == system),
            *(e for e in self.entries if e.own and e.system != system),
            *(e for e in self.entries if e.system == UNKNOWN),
        )


def check_system(name: str) -> None:
    """UnknownName with the known systems when ``name`` is none of them."""
    known = tuple(sorted(s.name for s in grading().systems))
    if name not in known:
        raise UnknownName("grading system", name, known)


@cache
def grading() -> Grading:
    """The shipped systems, compiled once."""
    return read_grading(resource("ontologies", "grades.toml"))


def read_grading(path: Path) -> Grading:
    """The systems of a file; SettingsError names the entry that is not well formed."""
    with path.open("rb") as file:
        data = tomllib.load(file)
    try:
        systems = tuple(_system(entry) for entry in data["system"])
        known = {s.name for s in systems} | {UNKNOWN}
        entries = tuple(_entry(entry, known) for entry in data["grade"])
        return Grading(
            systems=systems,
            entries=entries,
            words={name: _words(entries, name) for name in (None, *known)},
            columns={name: re.compile(p) for name, p in data["columns"].items()},
            before=re.compile(data["not_a_grade"]["before"]),
            telling=re.compile(data["not_a_grade"]["telling"]),
        )
    except (KeyError, re.error, ValueError) as error:
        raise SettingsError(f"{path.name}: not well formed: {error}") from error


def _words(entries: Iterable[_Entry], system: str | None) -> tuple[str, ...]:
    """Of the entries that can count in a document of the system; None: of any but NICE's wording,
    which needs its issuer."""
    able = [
        e for e in entries if e.own or e.system in (system, UNKNOWN) or (system is None and e.cells)
    ]
    return tuple(sorted({word for e in able for word in e.words}))


def _system(entry: Mapping[str, Any]) -> _System:
    def one(name: str, flags: int = 0, form: str = "{}") -> re.Pattern[str] | None:
        given = entry[name]
        return re.compile(form.format("|".join(given)), flags) if given else None

    return _System(
        entry["name"],
        one("issuers", re.I, "(?:the )?(?:{})"),
        one("inline", 0, r"\b(?:{})\b"),
        one("named", re.I),
    )


def _entry(entry: Mapping[str, Any], known: set[str]) -> _Entry:
    if entry["system"] not in known or entry["kind"] not in _TERMS:
        raise ValueError(f"no system and kind {entry['system']!r}, {entry['kind']!r}")
    values = dict(entry["values"])
    terms = _TERMS[entry["kind"]]
    wrong = sorted(set(values.values()) - terms)
    if wrong:
        raise ValueError(f"{entry['system']}: no term of {entry['kind']}: {wrong}")
    return _Entry(
        system=entry["system"],
        kind=entry["kind"],
        own=bool(entry.get("own", False)),
        words=tuple(word.lower() for word in entry["words"]),
        patterns=tuple(re.compile(p) for p in entry["patterns"]),
        cells=tuple(re.compile(p) for p in entry["cells"]),
        values=values | {k.lower(): v for k, v in values.items() if len(k) > 2},
        against=frozenset(entry.get("against", ())),
        neither=frozenset(entry.get("neither", ())),
    )


def _found(entry: _Entry, match: re.Match[str], raw: str, span: tuple[int, int]) -> FoundGrade:
    value = match.group("value")
    spellings = (value, value.lower(), value.lower().replace("-", " "))
    term = next((entry.values[s] for s in spellings if s in entry.values), None)
    direction: Direction | None = None
    if value in entry.against or match.groupdict().get("against"):
        direction = "against"
    elif value in entry.neither:
        direction = "neither"
    return FoundGrade(entry.kind, Grade(entry.system, raw, term, span), direction)


def _before(line: str, at: int) -> str:
    """The words before ``at``, as many as a test of what stands directly before needs."""
    return line[max(0, at - _BEFORE_CHARS) : at]


def _touches(before: re.Pattern[str], line: str, match: re.Match[str]) -> bool:
    """The name of another classification stands directly before the grade or its value."""
    return any(before.search(_before(line, at)) for at in (match.start(), match.start("value")))


def _trimmed(text: str, span: tuple[int, int]) -> tuple[int, int]:
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ".;,"):
        end -= 1
    return start, end


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
