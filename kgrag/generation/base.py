"""What proposes words. A language model here chooses or scores; it never judges truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class LanguageModel(Protocol):
    """A steerable local model: one whose next-token choice can be restricted."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    def query_likelihood(self, question: str, candidates: Sequence[str]) -> list[float]:
        """Mean log p(question token | candidate), natural log, one a candidate."""
        ...

    def choose(self, question: str, candidates: Sequence[str], *, count: int) -> list[int]:
        """Indices into ``candidates`` that the model emitted through a token trie, in its order.

        At most ``count``, without repeats; an empty ``candidates`` gives an empty list.
        """
        ...
