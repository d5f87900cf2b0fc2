"""What turns text into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


class Encoder(Protocol):
    """Text to unit vectors. ``name`` and ``sha256`` identify what made them."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str:
        """Of the weights and of all that changes the vectors."""
        ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), dimensions), rows of length 1, in the order of ``texts``."""
        ...


@runtime_checkable
class TokenEncoder(Encoder, Protocol):
    """An encoder that also gives its token states, for late interaction."""

    def encode_tokens(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """One array of shape (tokens, dimensions) a text, rows of length 1, no special tokens."""
        ...


@runtime_checkable
class QuestionEncoder(Encoder, Protocol):
    """An encoder that encodes questions otherwise than passages, into the same space."""

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (len(texts), dimensions), rows of length 1, in the order of ``texts``."""
        ...
