"""Late interaction: compare a question with a candidate token by token (ColBERT's MaxSim).

States are kept with two bits a number, an eighth of float16: turned by a fixed orthogonal matrix,
so that every axis carries as much, each number falls on one of four levels (Lloyd-Max for a normal
distribution). What that costs in ranking is in ``bench/RESULTS.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import TokenEncoder

Array = NDArray[np.float32]
Codes = NDArray[np.uint8]

WEAKEST_WEIGHT: Final = 0.3
"""How much the quarter of the question's tokens that is met worst counts beside the mean."""
TELLING: Final = 40
"""Of how many candidates it is taken what tells them apart."""

# Lloyd-Max levels of two bits for a normal variable, as multiples of its spread.
_LEVELS: Final = (-1.510, -0.4528, 0.4528, 1.510)
_BORDER: Final = 0.9816
_PER_BYTE: Final = 4


@runtime_checkable
class BothEncoder(TokenEncoder, Protocol):
    """An encoder that gives vectors and token states from one pass."""

    def encode_both(self, texts: Sequence[str]) -> tuple[Array, list[Array]]: ...


def encode_both(encoder: TokenEncoder, texts: Sequence[str]) -> tuple[Array, list[Array]]:
    """Vectors and token states of ``texts``, from one pass where the encoder can."""
    if isinstance(encoder, BothEncoder):
        return encoder.encode_both(texts)
    return encoder.encode(texts), encoder.encode_tokens(texts)


def best_matches(question: Array, tokens: Array, counts: Sequence[int]) -> Array:
    """Shape (len(counts), question tokens): of each, the largest cosine to a candidate's token.

    ``tokens`` has the tokens of all candidates one after the other, ``counts`` how many each has.
    Rows have length 1. Zeros for a candidate without tokens.
    """
    sizes = np.asarray(counts, dtype=np.int64)
    found = np.zeros((len(sizes), len(question)), dtype=np.float32)
    filled = np.flatnonzero(sizes)
    if not len(filled) or not len(question):
        return found
    # One product for all candidates; each is then a run of columns.
    starts = np.cumsum([0, *sizes[filled][:-1]])
    found[filled] = np.maximum.reduceat(question @ tokens.T, starts, axis=1).T
    return found


def maxsim(question: Array, candidates: Sequence[Array]) -> Array:
    """Shape (len(candidates),): the mean over question tokens of the largest cosine, in [-1, 1].

    ``question`` and each candidate have shape (tokens, dimensions) and rows of length 1. A
    candidate without tokens, or a question without any, scores 0.
    """
    if not candidates or not len(question):
        return np.zeros(len(candidates), dtype=np.float32)
    met = best_matches(question, np.concatenate(candidates), [len(c) for c in candidates])
    mean: Array = met.mean(axis=1)
    return mean


def late_scores(met: Array) -> NDArray[np.float64]:
    """Shape (candidates,), in [-1, 1]: a weighted mean of ``best_matches``, and its lowest quarter.

    ``met`` has the better candidates first. What the first ``TELLING`` of them all have says
    nothing of their order, so a token weighs by how far they are from having it. And what a
    question asks beyond its subject is often a single word: a candidate that has all but that one
    is not its answer, so the quarter met worst counts again. Zeros for a question without tokens.
    """
    if not met.size:
        return np.zeros(len(met))
    weights = np.maximum(1 - met[:TELLING].mean(axis=0, dtype=np.float64), 0)
    if weights.sum() < 1e-9:
        weights = np.ones(met.shape[1])
    worst = np.sort(met, axis=1)[:, : max(1, met.shape[1] // 4)]
    scores: NDArray[np.float64] = met @ (weights / weights.sum())
    scores += WEAKEST_WEIGHT * worst.mean(axis=1, dtype=np.float64)
    return scores / (1 + WEAKEST_WEIGHT)


class StateCode:
    """Token states to two bits a number and back, for states of ``dimensions`` numbers.

    The same on every machine. ``width`` is the bytes of one token.
    """

    name: Final = "2bit-1"

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self.width = -(-dimensions // _PER_BYTE)
        self._turn = turning(dimensions)

    def turned(self, states: Array) -> Array:
        """``states`` in the axes that ``unpack`` gives; cosines stay as they were."""
        return states @ self._turn

    def pack(self, states: Array) -> Codes:
        """Shape (tokens, width), of states of shape (tokens, dimensions) with rows of length 1."""
        turned = self.turned(np.asarray(states, dtype=np.float32))
        border = np.float32(_BORDER / np.sqrt(self.dimensions))
        digits = sum((turned >= at).astype(np.uint8) for at in (-border, 0.0, border))
        padded = np.zeros((len(turned), self.width * _PER_BYTE), dtype=np.uint8)
        padded[:, : self.dimensions] = digits
        quads = padded.reshape(len(turned), self.width, _PER_BYTE)
        packed: Codes = np.zeros((len(turned), self.width), dtype=np.uint8)
        for place in range(_PER_BYTE):
            packed |= quads[..., place] << np.uint8(2 * place)
        return packed

    def unpack(self, codes: Codes) -> Array:
        """Shape (tokens, dimensions), rows of length 1, in the axes of ``turned``."""
        table = _table()
        levels: Array = np.take(table, codes, axis=0).reshape(len(codes), self.width * _PER_BYTE)
        lengths = np.take((table**2).sum(axis=1), codes).sum(axis=1)
        # Where the last byte is not full, its other numbers are the lowest level.
        lengths -= (self.width * _PER_BYTE - self.dimensions) * _LEVELS[0] ** 2
        levels *= (1 / np.sqrt(lengths))[:, None]
        return levels[:, : self.dimensions]


@lru_cache(maxsize=1)
def _table() -> Array:
    """Shape (256, 4): the levels of the four numbers in a byte."""
    digits = (np.arange(256)[:, None] >> np.array([0, 2, 4, 6])) & 3
    table: Array = np.asarray(_LEVELS, dtype=np.float32)[digits]
    return table


@lru_cache(maxsize=4)
def turning(dimensions: int) -> Array:
    """An orthogonal matrix that mixes all axes, made of signs and Hadamard blocks.

    No random numbers of a library: their streams, and the roundings of a decomposition, change
    with versions, and what was packed before would no longer fit.
    """
    block = dimensions & -dimensions  # the largest power of two that divides
    hadamard = np.ones((1, 1), dtype=np.float64)
    while len(hadamard) < block:
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    mix = np.kron(np.eye(dimensions // block), hadamard / np.sqrt(block))
    spread = np.arange(dimensions).reshape(-1, block).T.ravel()
    turn = np.eye(dimensions)
    for layer in range(3):
        seed = blake2b(f"{dimensions}/{layer}".encode(), digest_size=8).digest()
        signs = [
            1.0 if blake2b(seed + at.to_bytes(4, "big"), digest_size=1).digest()[0] & 1 else -1.0
            for at in range(dimensions)
        ]
        turn = ((turn * signs) @ mix)[:, spread]
    turned: Array = turn.astype(np.float32)
    turned.setflags(write=False)
    return turned
