"""How the closed set restricts a model: all tokens but the allowed ones are made impossible."""

from __future__ import annotations

from typing import Final

import torch
from transformers import LogitsProcessor

from kgrag.errors import BrokenInvariant
from kgrag.generation.trie import Compiled, Walk

IMPOSSIBLE: Final = float("-inf")


def best_of(logits: torch.Tensor, allowed: list[int]) -> int:
    """The allowed token of the largest logit, the lowest id among equals.

    ``logits`` has shape (vocabulary,). BrokenInvariant when nothing is allowed or the model gave
    something that is no number: there is then no choice that would be the model's.
    """
    if not allowed:
        raise BrokenInvariant("no token may follow")
    values = logits[torch.tensor(allowed, device=logits.device)].float()
    if torch.isnan(values).any():
        raise BrokenInvariant("the language model gave logits that are no numbers")
    return allowed[int(values.argmax())]


class ClosedLogitsProcessor(LogitsProcessor):
    """For ``generate`` of transformers: from ``start`` on, only whole texts of the set come out.

    After an end only the end may follow, which is the padding of a finished row. Each row is
    followed from its first token on, so that beams may change places.
    """

    def __init__(self, compiled: Compiled, *, start: int, end: int) -> None:
        self._compiled, self._start, self._end = compiled, start, end

    def _walk(self, tokens: list[int]) -> Walk:
        walk = self._compiled.walk()
        for token in tokens:
            if walk.done:
                break
            walk.take(token)
        return walk

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Shapes (batch, length) and (batch, vocabulary); forbidden scores are -inf after it."""
        out = torch.full_like(scores, IMPOSSIBLE)
        for row, ids in enumerate(input_ids[:, self._start :].tolist()):
            walk = self._walk(ids)
            allowed = [self._end] if walk.done else walk.allowed()
            values = scores[row, allowed]
            if torch.isnan(values).any():
                raise BrokenInvariant("the language model gave logits that are no numbers")
            # A filter before this one may have excluded all of them; the set stays closed.
            out[row, allowed] = values.clamp(min=torch.finfo(scores.dtype).min)
        return out
