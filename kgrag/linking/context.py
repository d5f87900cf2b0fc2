"""Flags of mentions from the words around them; the rules are ``ontologies/context_rules.toml``.

Like NegEx and ConText, a phrase reaches over a number of words to one side and stops at the end
of its clause; unlike them the phrases are those of guidelines, and what is denied (the finding),
what is missing (the condition) and what is advised against are kept apart.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

from kgrag.errors import SettingsError
from kgrag.linking.match import Words
from kgrag.linking.normalise import Folded, key
from kgrag.paths import resource
from kgrag.records.concepts import Mention

Flag = Literal["negated", "hypothetical", "family", "historical", "absent", "against", "none"]
Side = Literal["after", "before"]

_STOP: Final = re.compile(r"[.!?](?:\s|$)|[;:\n]")
_KEYS: Final = frozenset({"flag", "side", "reach", "until", "phrases"})
_LETTERS: Final = 14  # the generous length of a word with its space, to bound a reach in characters


@dataclass(frozen=True, slots=True)
class Rule:
    """One flag, the side on which its mentions stand, how far it reaches and what ends it."""

    flag: Flag
    side: Side
    reach: int
    until: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Trigger:
    """A phrase of a rule found at the characters ``[start, end)``."""

    start: int
    end: int
    rule: Rule


# By first word, then by second word ("" for phrases of one), the longest first.
@dataclass(frozen=True, slots=True)
class Commas:
    """Where a comma ends a reach: before these words, and behind a mention led by these."""

    before: re.Pattern[str]
    leads: frozenset[str]


Phrases = dict[str, dict[str, list[tuple[tuple[str, ...], tuple[Rule, ...]]]]]


@cache
def commas() -> Commas:
    """The shipped rule of commas."""
    return read_commas(resource("ontologies", "context_rules.toml"))


def read_commas(path: Path) -> Commas:
    """The rule of commas of a file; SettingsError says what is missing."""
    with path.open("rb") as file:
        data = tomllib.load(file).get("terminators", {})
    if not data.get("after_comma") or not data.get("leads"):
        raise SettingsError(f"{path.name}: terminators must hold after_comma and leads")
    starts = "|".join(map(re.escape, sorted(data["after_comma"])))
    return Commas(re.compile(rf",(?:\s+\S+)?\s+(?:{starts})\b", re.I), frozenset(data["leads"]))


@cache
def rules() -> Phrases:
    """The shipped rules, by the first words of their phrases, longest phrase first."""
    return read_rules(resource("ontologies", "context_rules.toml"))


def read_rules(path: Path) -> Phrases:
    """The rules of a file; SettingsError names the first that is not well formed."""
    with path.open("rb") as file:
        data = tomllib.load(file)
    general: list[str] = data.get("terminators", {}).get("words", [])
    found: dict[tuple[str, ...], list[Rule]] = {}
    for entry in data.get("rule", []):
        rule = _rule(entry, general, path)
        for phrase in entry["phrases"]:
            words = tuple(key(phrase).split())
            if not words or " ".join(words) != phrase:
                raise SettingsError(f"{path.name}: the phrase {phrase!r} is not folded")
            found.setdefault(words, []).append(rule)
    phrases: Phrases = {}
    for words in sorted(found, key=lambda w: (-len(w), w)):
        second = words[1] if len(words) > 1 else ""
        its = phrases.setdefault(words[0], {}).setdefault(second, [])
        its.append((words, tuple(found[words])))
    return phrases


def _rule(entry: dict[str, Any], general: list[str], path: Path) -> Rule:
    if not {"flag", "side", "reach", "phrases"} <= set(entry) <= _KEYS:
        raise SettingsError(f"{path.name}: a rule has the keys {', '.join(sorted(entry))}")
    if entry["flag"] not in get_args(Flag) or entry["side"] not in get_args(Side):
        raise SettingsError(f"{path.name}: no flag and side {entry['flag']!r}, {entry['side']!r}")
    stops = sorted({*general, *entry.get("until", [])})
    until = re.compile(rf"\b(?:{'|'.join(map(re.escape, stops))})\b", re.I) if stops else None
    return Rule(entry["flag"], entry["side"], int(entry["reach"]), until)


def triggers(words: Words, folded: Folded, phrases: Phrases) -> list[Trigger]:
    """The phrases found, leftmost and longest, in text order."""
    found: list[Trigger] = []
    tokens, free = words.words, 0
    following = [*tokens[1:], ""]
    for at, word, second in [
        (at, word, second)
        for at, (word, second) in enumerate(zip(tokens, following, strict=True))
        if word in phrases and (second in phrases[word] or "" in phrases[word])
    ]:
        if at < free:
            continue
        by_second = phrases[word]
        its = by_second.get(second, ()) if second else ()
        for phrase, its_rules in (*its, *by_second.get("", ())):
            if tuple(tokens[at : at + len(phrase)]) == phrase:
                start, end = words.span(at, len(phrase))
                first, last = folded.start(start), folded.end(end)
                found += [Trigger(first, last, r) for r in its_rules if r.flag != "none"]
                free = at + len(phrase)
                break
    return found


def flagged(
    text: str, mentions: Sequence[Mention], found: Sequence[Trigger]
) -> tuple[Mention, ...]:
    """The mentions with the flags that the triggers set; spans and order stay."""
    flags: dict[int, set[str]] = {}
    at_commas = commas()
    starts = [mention.start for mention in mentions]
    for trigger in found:
        rule = trigger.rule
        if rule.side == "after":
            first = bisect_left(starts, trigger.end)
            order: Sequence[int] = range(first, len(mentions))
        else:
            order = range(bisect_left(starts, trigger.start) - 1, -1, -1)
        for at in order:
            mention = mentions[at]
            near, far = (
                (trigger.end, mention.start) if rule.side == "after"
                else (mention.end, trigger.start)
            )  # fmt: skip
            if far - near > rule.reach * _LETTERS:
                break
            gap = text[near:far]
            if near > far or _STOP.search(gap) or len(gap.split()) > rule.reach:
                break
            if rule.until is not None and rule.until.search(gap):
                break
            if "," in gap and _ends_at_comma(text, mention, gap, rule, at_commas):
                break
            flags.setdefault(at, set()).add(rule.flag)
    return tuple(
        _with_flags(mention, flags[at]) if at in flags else mention
        for at, mention in enumerate(mentions)
    )


def _ends_at_comma(text: str, mention: Mention, gap: str, rule: Rule, at_commas: Commas) -> bool:
    if at_commas.before.search(gap):
        return True
    if rule.side == "after" or not gap.startswith(","):
        return False
    led_by = text[max(0, mention.start - _LETTERS) : mention.start].split()
    return bool(led_by) and led_by[-1].lower() in at_commas.leads


def _with_flags(mention: Mention, flags: set[str]) -> Mention:
    return replace(
        mention,
        negated="negated" in flags,
        hypothetical="hypothetical" in flags,
        family="family" in flags,
        historical="historical" in flags,
        absent="absent" in flags,
        against="against" in flags,
    )
