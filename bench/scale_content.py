"""Made passages of any number for the scale run: texts, terms and vectors, the same every time.

Words are made up and as frequent as words are (Zipf-Mandelbrot). Vectors are drawn around real
ones: two of them mixed, with noise, so that there are near ones and far ones as among real texts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kgrag.ids import document_id, passage_id, sha256
from kgrag.records.text import Block, Document, Metadata, Passage, Source
from kgrag.retrieval import terms
from kgrag.stores.base import Ingested, Point

WORDS, EACH, PASSAGES = 40_000, 100, 100  # vocabulary, words of a passage, passages of a document
DIMENSIONS = 384
_NOISE = 0.35  # length of the noise beside a vector of length 1


def real_vectors(kbs: Sequence[Path]) -> NDArray[np.float32]:
    """The distinct embeddings that the kbs keep, shape (n, 384)."""
    rows: dict[bytes, bytes] = {}
    for kb in kbs:
        with sqlite3.connect(f"file:{kb / 'truth.sqlite'}?mode=ro", uri=True) as truth:
            rows.update(truth.execute("select text_sha256, vector from embeddings"))
    return np.frombuffer(b"".join(rows.values()), dtype="<f4").reshape(-1, DIMENSIONS)


class Content:
    """Documents by number; ``real`` are the vectors to draw around, random ones when None."""

    def __init__(self, real: NDArray[np.float32] | None) -> None:
        chances = 1 / (np.arange(WORDS) + 20.0) ** 1.05
        self._cumulative = np.cumsum(chances / chances.sum())
        syllables = [a + b for a, b in product("bdfgklmnprstvz", "aeiou")]
        made = ["".join(parts) for parts in product(syllables, repeat=3)]
        self.words = [str(w) for w in np.random.default_rng(0).permutation(made)[:WORDS]]
        self._terms = [next(iter(terms.question_terms(word))) for word in self.words]
        if real is None:
            real = unit(np.random.default_rng(1).standard_normal((20_000, DIMENSIONS)))
        self._real = real

    def drawn(self, rng: np.random.Generator, number: int) -> NDArray[np.float32]:
        """Vectors of length 1, shape (number, 384)."""
        one, other = (self._real[rng.integers(0, len(self._real), number)] for _ in "ab")
        share = rng.uniform(0, 0.35, (number, 1)).astype(np.float32)
        noise = rng.standard_normal((number, DIMENSIONS), dtype=np.float32)
        return unit((1 - share) * one + share * other + noise * (_NOISE / DIMENSIONS**0.5))

    def chosen(self, rng: np.random.Generator, number: int) -> NDArray[np.int64]:
        """Numbers of words, as frequent as they are."""
        return np.searchsorted(self._cumulative, rng.random(number))

    def document(self, number: int, passages: int = PASSAGES) -> tuple[Ingested, list[Point]]:
        """What the truth keeps and what the index holds of document ``number``."""
        rng = np.random.default_rng([7, number])
        chosen = self.chosen(rng, passages * EACH).reshape(passages, EACH)
        parts = [" ".join(map(self.words.__getitem__, row)) for row in chosen.tolist()]
        text = "\n\n".join(parts)
        digest = sha256(text.encode())
        source = Source(f"c{number % 2}", f"made/{number}")
        identifier = document_id(source.collection, source.identifier, digest, "made/1")
        found, points, start = [], [], 0
        vectors = self.drawn(rng, passages)
        for row, part, vector in zip(chosen, parts, vectors, strict=True):
            name = passage_id(identifier, start, start + len(part))
            found.append(Passage(name, identifier, start, start + len(part)))
            points.append(Point(name, identifier, source.collection, vector, self._weights(row)))
            start += len(part) + 2
        document = Document(
            id=identifier,
            source=source,
            uri=f"made/{number}.txt",
            media_type="text/plain",
            original_sha256=digest,
            reader="made/1",
            text=text,
            metadata=Metadata(title=f"Made document {number}"),
            blocks=(Block("paragraph", 0, len(text)),),
        )
        return Ingested(document, text.encode(), passages=tuple(found)), points

    def vectors(self, number: int, passages: int = PASSAGES) -> NDArray[np.float32]:
        """Those of ``document(number)``, without making its text."""
        rng = np.random.default_rng([7, number])
        rng.random(passages * EACH)  # the words are drawn before them
        return self.drawn(rng, passages)

    def _weights(self, row: NDArray[np.int64]) -> dict[int, float]:
        words, counts = np.unique(row, return_counts=True)
        norm = terms.K1 * (1 - terms.B + terms.B * EACH / terms.AVERAGE_LENGTH)
        pairs = zip(words.tolist(), counts.tolist(), strict=True)
        return {self._terms[w]: n * (terms.K1 + 1) / (n + norm) for w, n in pairs}

    def question(self, rng: np.random.Generator, words: int = 8) -> tuple[str, NDArray[np.float32]]:
        """Words and a vector near some passages' own."""
        chosen = self.chosen(rng, words).tolist()
        return " ".join(self.words[w] for w in chosen), self.drawn(rng, 1)[0]


def unit(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of length 1."""
    made: NDArray[np.float32] = rows.astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made
