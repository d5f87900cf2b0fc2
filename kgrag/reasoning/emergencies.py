"""Whether a question tells of an emergency, by the reviewed signs of ``red_flags.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from kgrag.errors import SettingsError
from kgrag.paths import resource
from kgrag.reasoning.ages import ages
from kgrag.reasoning.organs import pregnancy
from kgrag.reasoning.phrases import compiled, plain

LONGEST: Final = 4000
"""Signs are looked for in so many characters; a question may have no more."""
_SENTENCE: Final = re.compile(r"[^.?!\n]{1,}")
_PRESSURE: Final = re.compile(r"\b(?P<high>\d{2,3})\s?/\s?(?P<low>\d{2,3})\b")
_LISTED: Final = re.compile(r"@([a-z_]+)")
_WORDS: Final = ("people", "denied", "past", "present", "asks", "particular")
_BEFORE: Final = 40
_NEAR: Final = 4  # words before a sign in which it is denied


@dataclass(frozen=True, slots=True)
class Flag:
    """An emergency: every group of ``signs`` must be found, and every fact of ``when`` hold."""

    name: str
    signs: tuple[re.Pattern[str], ...]
    when: tuple[str, ...]
    anyone: bool


@dataclass(frozen=True, slots=True)
class RedFlags:
    """The flags of the data file and the words that decide whether they are of someone, now."""

    flags: tuple[Flag, ...]
    people: re.Pattern[str]
    denied: re.Pattern[str]
    past: re.Pattern[str]
    present: re.Pattern[str]
    asks: re.Pattern[str]
    particular: re.Pattern[str]


@cache
def red_flags() -> RedFlags:
    """The data file, read once; SettingsError when a fact in it is unknown."""
    path = resource("ontologies", "red_flags.toml")
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    lists = {name: f"({'|'.join(parts)})" for name, parts in raw["lists"].items()}

    def group(phrases: list[str]) -> re.Pattern[str]:
        try:
            return compiled(_LISTED.sub(lambda m: lists[m[1]], phrase) for phrase in phrases)
        except KeyError as error:
            raise SettingsError(f"{path.name} names an unknown list: {error}") from error

    for entry in raw["flag"]:
        unknown = set(entry.get("when", ())) - set(_FACTS)
        if unknown:
            raise SettingsError(f"{path.name} names unknown facts: {sorted(unknown)}")
    return RedFlags(
        tuple(
            Flag(
                entry["name"],
                tuple(group(phrases) for phrases in entry["all"]),
                tuple(entry.get("when", ())),
                entry.get("anyone", False),
            )
            for entry in raw["flag"]
        ),
        *(group(raw[name]["phrases"]) for name in _WORDS),
    )


def emergencies(question: str) -> tuple[str, ...]:
    """The names of the emergencies that the question tells of, none for a question that asks for
    information, or about what is past or denied."""
    text = plain(question[:LONGEST])
    known = red_flags()
    if _general(text, known):
        return ()
    told = known.people.search(text) is not None
    facts: dict[str, bool] = {}
    found: list[str] = []
    for flag in known.flags:
        if flag.name in found or not (told or flag.anyone):
            continue
        if not all(_found(group, text, known) for group in flag.signs):
            continue
        for fact in flag.when:
            if fact not in facts:
                facts[fact] = _FACTS[fact](text)
        if all(facts[fact] for fact in flag.when):
            found.append(flag.name)
    return tuple(found)


def is_emergency(question: str) -> bool:
    """Whether the question tells of an emergency that happens now."""
    return bool(emergencies(question))


def _general(text: str, known: RedFlags) -> bool:
    """Whether every sentence asks for information and none tells of somebody in particular."""
    said = [sentence for sentence in _SENTENCE.findall(text) if sentence.strip()]
    asks = all(known.asks.match(sentence) for sentence in said)
    return asks and known.particular.search(text) is None


def _found(group: re.Pattern[str], text: str, known: RedFlags) -> bool:
    """Whether a sign of the group stands there that is neither denied nor past."""
    for match in group.finditer(text):
        begin = max(0, match.start() - _BEFORE)
        before = re.split(r"[.?!;\n,]|\bbut\b", text[begin : match.start()])[-1]
        if known.denied.search(" ".join(before.split()[-_NEAR:])):
            continue
        first = max(text.rfind(mark, 0, match.start()) for mark in ".?!\n") + 1
        last = min((at for at in (text.find(m, match.end()) for m in ".?!\n") if at >= 0),
                   default=len(text))  # fmt: skip
        if not known.past.search(text, first, last) or known.present.search(text, first, last):
            return True
    return False


def _under_3_months(text: str) -> bool:
    return any(age.high is not None and age.high <= 0.26 for age in ages(text))


def _pregnant(text: str) -> bool:
    stated, far = pregnancy(text, text)
    return far is not None or (stated is not None and stated.value is True)


def _pressure_low(text: str) -> bool:
    pairs = [(int(m["high"]), int(m["low"])) for m in _PRESSURE.finditer(text)]
    return any(high < 90 and 20 <= low < high for high, low in pairs)


def _pressure_high(text: str) -> bool:
    pairs = [(int(m["high"]), int(m["low"])) for m in _PRESSURE.finditer(text)]
    return any(
        (160 <= high <= 260 and low < high) or (110 <= low < high <= 260) for high, low in pairs
    )


_FACTS: Final[Mapping[str, Callable[[str], bool]]] = {
    "under_3_months": _under_3_months,
    "pregnant": _pregnant,
    "pressure_low": _pressure_low,
    "pressure_high": _pressure_high,
}
