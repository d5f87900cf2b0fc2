"""Token states of pieces, remembered: further rounds of a question read mostly the same pieces."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kgrag.ids import sha256

KEPT: Final = 400
"""Texts whose states are kept: about 50 KB each."""


class EncodesTokens(Protocol):
    """The part of ``TokenEncoder`` that late interaction reads."""

    def encode_tokens(self, texts: Sequence[str]) -> list[NDArray[np.float32]]: ...


class RememberedStates:
    """What ``encoder`` gives for texts, each encoded once while it is among the last ``kept`` used.

    Kept by the hash of the text, so that no text of a document stays. Threads may share it.
    """

    def __init__(self, encoder: EncodesTokens, kept: int = KEPT) -> None:
        self._encoder, self._kept = encoder, kept
        self._states: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    def encode_tokens(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """As ``TokenEncoder.encode_tokens``; the arrays are shared and not to be written to."""
        keys = [sha256(text.encode("utf-8", "surrogatepass")) for text in texts]
        with self._lock:
            known = {key: self._states[key] for key in keys if key in self._states}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            made = self._encoder.encode_tokens(list(new.values()))
            known.update(zip(new, made, strict=True))
        with self._lock:
            for key in keys:
                self._states[key] = known[key]
                self._states.move_to_end(key)
            while len(self._states) > self._kept:
                self._states.popitem(last=False)
        return [known[key] for key in keys]
