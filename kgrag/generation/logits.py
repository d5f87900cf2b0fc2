"""How the tree restricts a model: all tokens but the allowed ones are made impossible."""

from __future__ import annotations

from typing import Final

import torch
from transformers import LogitsProcessor

from kgrag.errors import BrokenInvariant
from kgrag.generation.trie import TokenTrie

IMPOSSIBLE: Final = float("-inf")


def best_of(logits: torch.Tensor, allowed: list[int]) -> int:
    """The allowed token of the largest logit, the lowest id among equals.

    ``logits`` has shape (vocabulary,). BrokenInvariant when nothing is allowed or the model gave
    something that is no number: there is then no choice that would be the model's.
    """
    if not allowed:
        raise BrokenInvariant("no token may follow")
    values = logits[torch.tensor(allowed)].float()
    if torch.isnan(values).any():
        raise BrokenInvariant("the language model gave logits that are no numbers")
    return allowed[int(values.argmax())]


class TrieLogitsProcessor(LogitsProcessor):
    """For ``generate`` of transformers: from ``start`` on, only whole candidates can be emitted.

    After an end only the end may follow, which is the padding of a finished row.
    """

    def __init__(self, trie: TokenTrie, *, start: int) -> None:
        self._trie, self._start = trie, start

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Shapes (batch, length) and (batch, vocabulary); forbidden scores are -inf after it."""
        out = torch.full_like(scores, IMPOSSIBLE)
        for row, ids in enumerate(input_ids[:, self._start :].tolist()):
            done = self._trie.end in ids
            allowed = [self._trie.end] if done else self._trie.allowed(ids)
            values = scores[row, allowed]
            if torch.isnan(values).any():
                raise BrokenInvariant("the language model gave logits that are no numbers")
            # A filter before this one may have excluded all of them; the set stays closed.
            out[row, allowed] = values.clamp(min=torch.finfo(scores.dtype).min)
        return out
