"""Names that a text writes in part, or with another last word.

"breast and ovarian cancer" names breast cancer too; "renal damage" names what "renal diseases"
are when no vocabulary has a name of its own for it. The words are ``ontologies/name_words.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from kgrag.errors import SettingsError
from kgrag.paths import resource

_JOIN: Final = frozenset(("and", "or"))
_MOST: Final = 6  # parts of one list
_LONGEST: Final = 3  # words of one part


@dataclass(frozen=True, slots=True)
class NameWords:
    """``heads`` say that a part of the body is ill, as one of ``stand_for`` does in its names.

    ``genes`` behind the name of a substance say that no substance is meant.
    """

    heads: frozenset[str]
    stand_for: tuple[str, ...]
    genes: frozenset[str]


@cache
def name_words() -> NameWords:
    """The shipped words; SettingsError names what is missing."""
    path = resource("ontologies", "name_words.toml")
    with path.open("rb") as file:
        data = tomllib.load(file)
    if set(data) != {"heads", "stand_for", "genes"}:
        raise SettingsError(f"{path.name} must hold the lists heads, stand_for and genes")
    return NameWords(frozenset(data["heads"]), tuple(data["stand_for"]), frozenset(data["genes"]))


def is_joined(tokens: list[str], at: int) -> bool:
    """Whether "and" or "or" stands at most two words before the name at ``tokens[at]``."""
    return any(at > back and tokens[at - back] in _JOIN for back in (1, 2, 3))


def shared(
    tokens: list[str], at: int, count: int, known: Callable[[str], bool]
) -> Iterator[tuple[int, int, str]]:
    """(first word, number of words, name) of each part before the name at ``tokens[at:at+count]``.

    A part stands before "and" or "or", further parts before a comma (an empty word); the name is
    the part with the last words of the name that it leans on, and one that is ``known``.
    """
    if at > 1 and tokens[at - 1] in _JOIN:
        stop, rest = at - 1, tokens[at + 1 : at + count]
    else:  # "cervical" of "breast and cervical carcinomas" is no name with what follows it
        stop = next((at - back for back in (2, 3) if at > back and tokens[at - back] in _JOIN), 0)
        rest = tokens[at : at + count]
    if not rest:
        return
    for _ in range(_MOST):
        while stop > 0 and (not tokens[stop - 1] or tokens[stop - 1] in _JOIN):
            stop -= 1
        found = _part(tokens, stop, rest, known)
        if found is not None:
            yield found
        stop = found[0] if found else stop - 1
        if stop <= 0 or tokens[stop - 1]:
            return  # no comma before it


def _part(
    tokens: list[str], stop: int, rest: list[str], known: Callable[[str], bool]
) -> tuple[int, int, str] | None:
    for words in range(min(_LONGEST, stop), 0, -1):
        part = tokens[stop - words : stop]
        if not all(part) or not _JOIN.isdisjoint(part):
            continue
        for skipped in range(len(rest)):
            name = " ".join((*part, *rest[skipped:]))
            if known(name):
                return stop - words, words, name
    return None


def otherwise_headed(
    tokens: list[str], at: int, known: Callable[[str], bool]
) -> Iterator[tuple[int, int, str]]:
    """(first word, number of words, name) for the head at ``tokens[at]``, the longest first.

    The name is a known one that has one of ``stand_for`` where the text has the head.
    """
    for words in range(min(_LONGEST, at), 0, -1):
        part = tokens[at - words : at]
        if all(part):
            for stands in name_words().stand_for:
                name = " ".join((*part, stands))
                if known(name):
                    yield at - words, words + 1, name
