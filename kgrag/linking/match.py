"""Finding the names of a lexicon in a folded text: leftmost, longest, on whole words.

The folded text is split at spaces and only those words are looked at that begin a name, so no
automaton has to be built: a lexicon of millions of names is ready when it is open. What a word
begins is remembered, so that reading more text is one dictionary look-up a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from threading import Lock
from typing import Final

import numpy as np

from kgrag.vocabulary.lexicon import Lexicon

Found = tuple[int, list[tuple[int, int]]]  # word, [(number of words, number of the name), ...]

_SPACE: Final = 32
_BITS: Final = 255


class _Longer:
    """The longer names that begin with two words: whether the two are one, the numbers of words
    of the others, most first, and by their hashes which third words those have."""

    __slots__ = ("is_name", "lengths", "thirds")

    def __init__(self) -> None:
        self.is_name = False
        self.lengths: list[int] = []
        self.thirds = 0


# What a word begins: a name of its own (or None), and longer names by their second word.
_Entry = tuple[int | None, dict[str, _Longer]]


class Words:
    """The words of a folded text and where each begins. Empty words stand for double spaces."""

    __slots__ = ("starts", "words")

    def __init__(self, folded: str) -> None:
        self.words = folded.split(" ")
        spaces = np.flatnonzero(np.frombuffer(folded.encode("ascii"), np.uint8) == _SPACE)
        self.starts: list[int] = [0, *(spaces + 1).tolist(), len(folded) + 1]

    def span(self, at: int, count: int) -> tuple[int, int]:
        """The folded offsets of ``count`` words from word ``at``."""
        return self.starts[at], self.starts[at + count] - 1


class Matcher:
    """All places where a text writes a name of the lexicon, or one of the ``further`` names.

    Further names have negative numbers: ``~n`` is the n-th. A name that the lexicon has too goes
    by the lexicon's number. Safe to share between threads.
    """

    def __init__(self, lexicon: Lexicon, further: Iterable[str] = ()) -> None:
        self._table = lexicon.table
        self._further: Mapping[str, int] = {name: ~at for at, name in enumerate(further)}
        self._longer: dict[str, dict[str, _Longer]] = {}
        self._read = 0
        self._entries: dict[str, _Entry | tuple[()]] = {}
        self._lock = Lock()
        for name in self._further:
            self._add(name)

    def number(self, name: str) -> int | None:
        """The number of a folded name; None when there is no such name."""
        self._table.load((name.partition(" ")[0],))
        return self._number(name)

    def _number(self, name: str) -> int | None:
        number = self._table.index.get(name)
        return self._further.get(name) if number is None else number

    def find(self, words: Words) -> list[Found]:
        """(word, [(number of words, number of the name), ...]) with the longest names first.

        In text order, one for each word that begins a name; the names of different words overlap.
        """
        tokens = words.words
        try:
            entries = list(map(self._entries.__getitem__, tokens))
        except KeyError:
            self._learn(set(tokens).difference(self._entries))
            entries = list(map(self._entries.__getitem__, tokens))
        index, further = self._table.index, self._further
        found: list[Found] = []
        end = len(tokens)
        tokens += ("", "")
        for at, (number, longer) in [
            (at, entry)
            for at, entry in enumerate(entries)
            if entry and (entry[0] is not None or tokens[at + 1] in entry[1])
        ]:
            names = []
            its = longer.get(tokens[at + 1])
            if its is not None:
                if its.lengths and its.thirds >> (hash(tokens[at + 2]) & _BITS) & 1:
                    for count in its.lengths:
                        name = " ".join(tokens[at : at + count])
                        known = index.get(name)
                        if known is None:
                            known = further.get(name)
                        if known is not None and at + count <= end:
                            names.append((count, known))
                if its.is_name and at + 2 <= end:
                    name = f"{tokens[at]} {tokens[at + 1]}"
                    known = index.get(name)
                    names.append((2, further[name] if known is None else known))
            if number is not None:
                names.append((1, number))
            if names:
                found.append((at, names))
        del tokens[end:]
        return found

    def drop(self, word: str) -> None:
        """The word is no longer read as a name of its own."""
        entry = self._entries.get(word)
        if entry:
            self._entries[word] = (None, entry[1]) if entry[1] else ()

    def _learn(self, words: set[str]) -> None:
        """``words`` have their entries; those that begin no name have an empty one."""
        self._table.load(words)
        with self._lock:
            index = self._table.index
            # The table only grows, at its end, whoever lets it: what is new since the last time.
            while len(index) > self._read:
                size = len(index)
                for name in list(islice(reversed(index), size - self._read)):
                    self._add(name)
                self._read = size
            for word in words:
                number, longer = self._number(word), self._longer.get(word)
                known = number is not None or longer is not None
                self._entries[word] = (number, longer or {}) if known else ()

    def _add(self, name: str) -> None:
        first, *rest = name.split(" ", 3)
        if not rest:
            return
        second, *rest = rest
        its = self._longer.setdefault(first, {}).setdefault(second, _Longer())
        if not rest:
            its.is_name = True
            return
        its.thirds |= 1 << (hash(rest[0]) & _BITS)
        length = 3 + (1 + rest[1].count(" ") if len(rest) > 1 else 0)
        if length not in its.lengths:
            its.lengths.append(length)
            its.lengths.sort(reverse=True)
