"""An encoder without a model: words and their letters hashed into a fixed number of dimensions.

It knows no synonyms. It serves tests and machines on which no model can be had.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.ids import canonical, sha256

VERSION: Final = "1"
_WORD: Final = re.compile(r"\w+(?:[.,]\d+)*")
_GRAMS: Final = (3, 4, 5)
_GRAMS_WEIGHT: Final = 0.5  # all letter runs of a word together, beside 1 for the word itself
# Words that say nothing about the subject; they keep a little weight so that no text is empty.
_COMMON: Final = frozenset(
    re.findall(
        r"\w+",
        """a an and any are as at be by can could do does for from had has have how i if in into is
        it its may of on or should that the their there these this to was were what when which who
        why will with would""",
    )
)
_COMMON_WEIGHT: Final = 0.1


class HashingEncoder:
    """Feature hashing (Weinberger et al. 2009) with signed buckets; the same on every machine."""

    def __init__(self, dimensions: int | str = 512) -> None:
        self._dimensions = int(dimensions)
        if self._dimensions < 8:
            raise ValueError("a hashing encoder has at least 8 dimensions")
        # Bounded: a corpus repeats few words often and many once.
        self._vector = lru_cache(maxsize=50_000)(self._word_vector)

    @property
    def name(self) -> str:
        return "hashing" if self._dimensions == 512 else f"hashing:{self._dimensions}"

    @property
    def sha256(self) -> str:
        return sha256(canonical(["hashing", VERSION, self._dimensions, sorted(_COMMON)]))

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def encode(
        self, texts: Sequence[str], *, on_done: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Shape (len(texts), dimensions), rows of length 1; a text without words gets axis 0.

        ``on_done`` is called with the number of texts that each step finished.
        """
        out = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in _words(text):
                out[row] += self._vector(word) * (_COMMON_WEIGHT if word in _COMMON else 1.0)
            if on_done is not None:
                on_done(1)
        return unit_rows(out)

    def encode_tokens(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """One array of shape (words, dimensions) a text, rows of length 1."""
        empty = np.zeros((0, self._dimensions), dtype=np.float32)
        found = [[self._vector(word) for word in _words(text)] for text in texts]
        return [unit_rows(np.array(vectors)) if vectors else empty for vectors in found]

    def _word_vector(self, word: str) -> NDArray[np.float32]:
        vector = np.zeros(self._dimensions, dtype=np.float32)
        self._add(vector, f"w {word}", 1.0)
        marked = f"<{word}>"
        grams = {marked[i : i + n] for n in _GRAMS for i in range(len(marked) - n + 1)}
        for gram in sorted(grams):
            self._add(vector, f"g {gram}", _GRAMS_WEIGHT / len(grams) ** 0.5)
        return vector

    def _add(self, vector: NDArray[np.float32], feature: str, weight: float) -> None:
        # surrogatepass: text that came through a broken decoder still gets its vector
        data = feature.encode("utf-8", "surrogatepass")
        number = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
        vector[(number >> 1) % self._dimensions] += weight if number & 1 else -weight


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows scaled to length 1; a row of zeros becomes the first axis."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    zero = norms[:, 0] == 0
    out = (rows / np.where(norms == 0, 1, norms)).astype(np.float32)
    if zero.any():
        out[zero, 0] = 1.0
    return out


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
