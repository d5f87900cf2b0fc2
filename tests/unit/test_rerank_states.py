"""Token states of pieces are made once while they are remembered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kgrag.retrieval.rerank_states import RememberedStates


class Counting:
    """States that tell the length of their text, and what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def encode_tokens(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        self.asked.append(list(texts))
        return [np.full((1, 2), len(text), dtype=np.float32) for text in texts]


def lengths(states: Sequence[NDArray[np.float32]]) -> list[float]:
    return [float(s[0, 0]) for s in states]


def test_only_new_texts_are_encoded_and_the_order_is_that_of_the_texts() -> None:
    encoder = Counting()
    states = RememberedStates(encoder)
    assert lengths(states.encode_tokens(["a", "bbb", "a"])) == [1, 3, 1]
    assert lengths(states.encode_tokens(["cc", "bbb", "a"])) == [2, 3, 1]
    assert lengths(states.encode_tokens(["a", "bbb"])) == [1, 3]
    assert encoder.asked == [["a", "bbb"], ["cc"]]


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    encoder = Counting()
    states = RememberedStates(encoder, kept=2)
    states.encode_tokens(["a", "bb"])
    states.encode_tokens(["a"])
    states.encode_tokens(["ccc"])  # in the place of "bb"
    states.encode_tokens(["a", "bb"])
    assert encoder.asked == [["a", "bb"], ["ccc"], ["bb"]]


def test_more_texts_than_are_kept_have_their_states() -> None:
    states = RememberedStates(Counting(), kept=1)
    assert lengths(states.encode_tokens(["a", "bb", "ccc"])) == [1, 2, 3]
    assert lengths(states.encode_tokens([])) == []
