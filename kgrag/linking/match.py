"""Finding the names of a lexicon in a folded text: leftmost, longest, on whole words.

The folded text is split at spaces and only those words are looked at that begin a name, so no
automaton has to be built: a lexicon of half a million names is ready when it is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate

from kgrag.vocabulary.lexicon import Lexicon


class Words:
    """The words of a folded text and where each begins. Empty words stand for double spaces."""

    __slots__ = ("starts", "words")

    def __init__(self, folded: str) -> None:
        self.words = folded.split(" ")
        self.starts = [0, *accumulate(len(word) + 1 for word in self.words)]

    def span(self, at: int, count: int) -> tuple[int, int]:
        """The folded offsets of ``count`` words from word ``at``."""
        last = at + count - 1
        return self.starts[at], self.starts[last] + len(self.words[last])


class Matcher:
    """All places where a text writes a name of the lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._index: Mapping[str, int] = lexicon.index
        self._pairs: Mapping[str, int] = lexicon.pairs

    def starts(self, words: Words) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """(word, [(number of words, number of the name), ...]) with the longest names first.

        In text order, one for each word that begins a name; the names of different words overlap.
        """
        index, pairs, tokens = self._index, self._pairs, words.words
        following = [*tokens[1:], ""]
        longest = list(map(pairs.get, map(" ".join, zip(tokens, following, strict=True))))
        for at, single in enumerate(map(index.get, tokens)):
            found: list[tuple[int, int]] = []
            if (most := longest[at]) is not None:
                for count in range(min(most, len(tokens) - at), 1, -1):
                    name = index.get(" ".join(tokens[at : at + count]))
                    if name is not None:
                        found.append((count, name))
            if single is not None:
                found.append((1, single))
            if found:
                yield at, found
