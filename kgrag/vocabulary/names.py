"""The names of a lexicon, fetched by their first word when a text writes that word.

A lexicon of millions of names has to be ready at once, while a text uses few of them. So the file
keeps the names sorted, in shelves of one first word each, with a table of the hashes of those
words; opening reads bytes and makes no string. Names that were fetched stand in two plain
dictionaries, which is what reading text needs to be fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

# Words that were looked up are remembered, up to this many; then they are looked up anew.
_MOST_SEEN: Final = 4_000_000

SHELF: Final = np.dtype([("hash", "<u4"), ("first", "<u4"), ("begin", "<u8"), ("end", "<u8")])


def shelves(names: Iterable[str]) -> tuple[bytes, bytes, int]:
    """(the names joined by line feeds, the table of shelves, their number); ``names`` are sorted.

    The table is an array of ``SHELF`` sorted by hash: number of the first name, and where the
    shelf begins and ends in the joined names.
    """
    rows: list[tuple[int, int, int, int]] = []
    text = bytearray()
    word, first, begin, number = b"", 0, 0, 0
    for number, name in enumerate(names, 1):
        encoded = name.encode("ascii")
        its = encoded.partition(b" ")[0]
        if number > 1 and its != word:
            rows.append((crc32(word), first, begin, len(text)))
            first, begin = number - 1, len(text)
        word = its
        text += encoded
        text += b"\n"
    if number:
        rows.append((crc32(word), first, begin, len(text)))
    rows.sort()
    return bytes(text), np.array(rows, dtype=SHELF).tobytes(), number


class NameTable:
    """Folded names to their numbers, fetched as texts need them; safe to share between threads.

    ``index`` maps fetched names to numbers; ``pairs`` the first two words of each longer one to
    the most words such a name has. Both hold every name that begins with a word given to
    ``load``, and grow.
    """

    __slots__ = ("_hashes", "_lock", "_names", "_seen", "_shelves", "index", "pairs")

    def __init__(self, names: bytes, table: bytes) -> None:
        self._names = names
        self._shelves: NDArray[np.void] = np.frombuffer(table, dtype=SHELF)
        self._hashes: NDArray[np.uint32] = np.ascontiguousarray(self._shelves["hash"])
        self.index: dict[str, int] = {}
        self.pairs: dict[str, int] = {}
        self._seen: set[str] = set()
        self._lock = Lock()

    def load(self, words: Iterable[str]) -> None:
        """Every name that begins with one of the folded ``words`` is in ``index`` and ``pairs``."""
        if self._seen.issuperset(words):
            return
        with self._lock:
            new = list(set(words) - self._seen)
            hashes = np.fromiter((crc32(w.encode()) for w in new), np.uint32, len(new))
            low = np.searchsorted(self._hashes, hashes, side="left")
            high = np.searchsorted(self._hashes, hashes, side="right")
            for at in np.flatnonzero(high > low).tolist():
                for shelf in range(int(low[at]), int(high[at])):
                    self._fetch(shelf)
            if len(self._seen) > _MOST_SEEN:
                self._seen = set()
            self._seen.update(new)

    def _fetch(self, shelf: int) -> None:
        row = self._shelves[shelf]
        piece = self._names[int(row["begin"]) : int(row["end"]) - 1].decode("ascii")
        first = int(row["first"])
        for number, name in enumerate(piece.split("\n"), first):
            if " " in name:
                _pair(name, self.pairs)
            self.index[name] = number

    def __iter__(self) -> Iterator[str]:
        """All names in the order of their numbers."""
        return iter(self._names.decode("ascii").split("\n")[:-1])


def pairs(names: Iterable[str]) -> dict[str, int]:
    """The first two words of each longer name, to the most words such a name has."""
    found: dict[str, int] = {}
    for name in names:
        if " " in name:
            _pair(name, found)
    return found


def _pair(name: str, found: dict[str, int]) -> None:
    words = name.split(" ")
    pair = f"{words[0]} {words[1]}"
    if found.get(pair, 0) < len(words):
        found[pair] = len(words)
