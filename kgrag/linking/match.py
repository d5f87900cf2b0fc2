"""Finding the names of a lexicon in a folded text: leftmost, longest, on whole words.

The folded text is split at spaces and only those words are looked at that begin a name, so no
automaton has to be built: a lexicon of millions of names is ready when it is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate

from kgrag.vocabulary.lexicon import Lexicon
from kgrag.vocabulary.names import pairs as pairs_of

Found = tuple[int, list[tuple[int, int]]]  # word, [(number of words, number of the name), ...]


class Words:
    """The words of a folded text and where each begins. Empty words stand for double spaces."""

    __slots__ = ("starts", "words")

    def __init__(self, folded: str) -> None:
        self.words = folded.split(" ")
        self.starts = list(accumulate([len(word) + 1 for word in self.words], initial=0))

    def span(self, at: int, count: int) -> tuple[int, int]:
        """The folded offsets of ``count`` words from word ``at``."""
        return self.starts[at], self.starts[at + count] - 1


class Matcher:
    """All places where a text writes a name of the lexicon, or one of the ``further`` names.

    Further names have negative numbers: ``~n`` is the n-th. A name that the lexicon has too goes
    by the lexicon's number.
    """

    def __init__(self, lexicon: Lexicon, further: Iterable[str] = ()) -> None:
        self._table = lexicon.table
        self._further: Mapping[str, int] = {name: ~at for at, name in enumerate(further)}
        self._further_pairs: Mapping[str, int] = pairs_of(self._further)

    def number(self, name: str) -> int | None:
        """The number of a folded name; None when there is no such name."""
        self._table.load((name.partition(" ")[0],))
        number = self._table.index.get(name)
        return self._further.get(name) if number is None else number

    def find(self, words: Words) -> list[Found]:
        """(word, [(number of words, number of the name), ...]) with the longest names first.

        In text order, one for each word that begins a name; the names of different words overlap.
        """
        tokens = words.words
        self._table.load(tokens)
        index, pairs = self._table.index, self._table.pairs
        further, further_pairs = self._further, self._further_pairs
        following = tokens[1:]
        found: dict[int, list[tuple[int, int]]] = {}
        joined = list(map(" ".join, zip(tokens, following, strict=False)))
        for at in [at for at, pair in enumerate(joined) if pair in pairs or pair in further_pairs]:
            pair = joined[at]
            most = max(pairs.get(pair, 0), further_pairs.get(pair, 0))
            longer = []
            for count in range(min(most, len(tokens) - at), 1, -1):
                name = " ".join(tokens[at : at + count]) if count > 2 else pair
                number = index.get(name)
                if number is None:
                    number = further.get(name)
                if number is not None:
                    longer.append((count, number))
            if longer:
                found[at] = longer
        for at in [at for at, word in enumerate(tokens) if word in index or word in further]:
            word = tokens[at]
            number = index.get(word)
            single = (1, further[word] if number is None else number)
            if at in found:
                found[at].append(single)
            else:
                found[at] = [single]
        return sorted(found.items())
