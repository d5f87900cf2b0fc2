"""Late interaction: compare a question with a candidate token by token (ColBERT's MaxSim)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def maxsim(
    question: NDArray[np.float32], candidates: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Shape (len(candidates),): the mean over question tokens of the largest cosine, in [-1, 1].

    ``question`` and each candidate have shape (tokens, dimensions) and rows of length 1. A
    candidate without tokens, or a question without any, scores 0.
    """
    scores = np.zeros(len(candidates), dtype=np.float32)
    filled = [i for i, tokens in enumerate(candidates) if len(tokens)]
    if not filled or not len(question):
        return scores
    # One product for all candidates; each is then a run of columns.
    similarity = question @ np.concatenate([candidates[i] for i in filled]).T
    starts = np.cumsum([0, *(len(candidates[i]) for i in filled[:-1])])
    scores[filled] = np.maximum.reduceat(similarity, starts, axis=1).mean(axis=0)
    return scores
