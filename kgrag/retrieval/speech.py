"""How much a sentence sounds like speech to a machine that answers: a small linear model.

Words are read by their groups (``ontologies/speech.toml``): "reply", "state" and "print" are one,
"aspirin" and "gout" are none. The features are the groups, which of them stand side by side or
close together, and how the sentence begins; the weights are in ``speech.json``, by name. So a
wording that nobody wrote down is known by what it talks of. ``bench/fit_speech.py`` fits them.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from math import fsum
from pathlib import Path
from typing import Final

from kgrag.paths import resource

WEIGHTS: Final = Path(__file__).with_name("speech.json")
LONGEST: Final = 120
"""A sentence is read in pieces of so many words."""
NEAR: Final = 8
"""Groups stand close together when they are at most so many words apart."""
OTHER: Final = "_"
LEAST: Final = 2
"""Fewer groups that a machine is spoken to with are never enough."""
WEAK: Final = frozenset({"care", "patient", "study", "act", "human", "sure", "caveat"})
"""Groups of which common text is full: they do not make a sentence worth weighing."""

_WORD: Final = re.compile(r"https?:|[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+|[:\"“”'‘<>\[\]{}=#!?|*/();]")
_MARKS: Final = {"“": '"', "”": '"', "‘": '"', "'": '"', "{": "[", "}": "]"}


@dataclass(frozen=True, slots=True)
class Speech:
    """Weights by feature, the least sum at which a sentence is taken for speech, and the lower one
    at which two sentences side by side are."""

    weights: dict[str, float]
    bias: float
    alone: float
    beside: float


@cache
def speech() -> Speech:
    """The weights that are shipped, read once."""
    told = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return Speech(told["weights"], told["bias"], told["alone"], told["beside"])


@cache
def _groups() -> tuple[dict[str, str], tuple[tuple[str, str], ...], re.Pattern[str]]:
    """The group of each whole word, of each beginning of one (longest first), and the words of
    scripts without spaces."""
    told = tomllib.loads(resource("ontologies", "speech.toml").read_text(encoding="utf-8"))
    whole: dict[str, str] = {}
    begins: dict[str, str] = {}
    unspaced: set[str] = set()
    for name, words in told["groups"].items():
        for word in words.split():
            if word.endswith("*"):
                begins.setdefault(word[:-1], name)
            else:
                whole.setdefault(word, name)
            if re.search("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", word):
                unspaced.add(word.rstrip("*"))
    for word in told["kept"]["words"].split():
        whole.setdefault(word, f"={word}")
    longest = sorted(unspaced, key=lambda word: (-len(word), word))
    ordered = tuple(sorted(begins.items(), key=lambda item: (-len(item[0]), item[0])))
    return whole, ordered, re.compile("|".join(map(re.escape, longest)))


@lru_cache(maxsize=65_536)
def group(word: str) -> str:
    """The group of a word in small letters; a kept word as "=word"; ``OTHER`` for the rest."""
    whole, begins, _ = _groups()
    if word in whole:
        return whole[word]
    if word.endswith(":") and len(word) > 1:
        return "url"
    if word.isdigit():
        return "#"
    if not word[0].isalpha():
        return _MARKS.get(word, word)
    found = next((name for start, name in begins if word.startswith(start)), None)
    if found is None and "-" in word:
        parts = [group(part) for part in word.split("-") if part]
        found = next((part for part in parts if part[0].isalpha()), None)
    return found or OTHER


def words_of(text: str) -> list[str]:
    """The words and marks of ``text``, in small letters."""
    if not text.isascii():
        text = _groups()[2].sub(lambda match: f" {match[0]} ", text.replace("’", "'"))
    return _WORD.findall(text.lower())


def features(words: Sequence[str]) -> set[str]:
    """The names of what is seen in the words of a sentence; empty when it is not worth weighing."""
    symbols = [group(word) for word in words]
    named = [(at, s) for at, s in enumerate(symbols) if s[0].isalpha()]
    kinds = {s for _, s in named} - WEAK
    if len(kinds) < LEAST:
        return set()
    found = {f"many:{min(len(kinds), 6)}"}
    found.update(s for _, s in named)
    found.update(f"word:{words[at]}" for at, _ in named)
    found.update(f"{a} {b}" for a, b in pairwise(symbols) if a[0].isalpha() or b[0].isalpha())
    found.update(
        f"{a}+{b}" for at, (a, b) in enumerate(pairwise(words))
        if symbols[at] != OTHER != symbols[at + 1]
        and (symbols[at][0].isalpha() or symbols[at + 1][0].isalpha())
    )  # fmt: skip
    found.update(_threes(symbols))
    for place, (at, first) in enumerate(named):
        for later, second in named[place + 1 :]:
            if later - at > NEAR:
                break
            found.add(f"{first} > {second}")
    if any(s[0].isalpha() for s in symbols[:2]):
        found.update((f"^ {symbols[0]}", "^ " + " ".join(symbols[:2])))
    return found


def _threes(symbols: Sequence[str]) -> Iterator[str]:
    for three in zip(symbols, symbols[1:], symbols[2:], strict=False):
        if sum(s[0].isalpha() for s in three) >= 2 or (
            three[1][0].isalpha() and OTHER not in three
        ):
            yield " ".join(three)


def loudness(text: str) -> float:
    """The greatest sum of weights of a piece of ``text``, a sentence; ``-inf`` when none is worth
    weighing."""
    words, known = words_of(text), speech()
    best = float("-inf")
    for begin in range(0, len(words), LONGEST):
        found = features(words[begin : begin + LONGEST])
        if found:
            weights = known.weights
            total = known.bias + fsum(weights[name] for name in found if name in weights)
            best = max(best, total)
    return best


def is_speech(sentences: Sequence[str]) -> bool:
    """Whether one of the sentences of a text, or two side by side, are taken for speech."""
    known, before = speech(), float("-inf")
    for sentence in sentences:
        now = loudness(sentence)
        if now >= known.alone or min(now, before) >= known.beside:
            return True
        before = now
    return False
