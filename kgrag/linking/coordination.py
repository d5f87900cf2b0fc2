"""Names that share their last words: "breast and ovarian cancer" names breast cancer too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

_JOIN: Final = frozenset(("and", "or"))
_MOST: Final = 5  # parts of one list
_LONGEST: Final = 3  # words of one part


def shared(
    tokens: list[str], at: int, count: int, known: Callable[[str], bool]
) -> Iterator[tuple[int, int, str]]:
    """(first word, number of words, name) of each part before the name at ``tokens[at:at+count]``.

    A part stands before "and" or "or", further parts before a comma (an empty word); the name is
    the part with the last words of the name that it leans on, and one that is ``known``.
    """
    if count < 2 or at < 2 or tokens[at - 1] not in _JOIN:
        return
    stop = at - 1
    for _ in range(_MOST):
        while stop > 0 and (not tokens[stop - 1] or tokens[stop - 1] in _JOIN):
            stop -= 1
        found = _part(tokens, stop, tokens[at + 1 : at + count], known)
        if found is None:
            return
        yield found
        stop = found[0]
        if stop == 0 or tokens[stop - 1]:
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
