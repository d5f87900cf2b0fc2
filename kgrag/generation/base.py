"""What proposes words. A language model here chooses or scores; it never judges truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from kgrag.generation.allowed import ClosedSet, Said


class LanguageModel(Protocol):
    """A model that orders candidates."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    def query_likelihood(self, question: str, candidates: Sequence[str]) -> list[float]:
        """Mean log p(question token | candidate), natural log, one a candidate.

        SettingsError when the model lies behind a server that does not tell it.
        """
        ...

    def choose(self, question: str, candidates: Sequence[str], *, count: int) -> list[int]:
        """Indices into ``candidates`` that the model emitted inside the closed set, in its order.

        At most ``count``, without repeats; an empty ``candidates`` gives an empty list, and so
        does a black-box model whose reply lies outside of the set.
        """
        ...


@runtime_checkable
class Composes(LanguageModel, Protocol):
    """A model that also composes: from a closed set, or freely for fluent mode."""

    def compose(self, question: str, sentences: Sequence[str], allowed: ClosedSet) -> Said | None:
        """A text of ``allowed``, and no other, said to the question and the numbered sentences.

        None when a black-box model replied with anything else. NothingAllowed when the set is
        empty.
        """
        ...

    def generate(self, prompt: str, *, max_tokens: int, told: str = "fluent") -> str:
        """Free text that follows ``prompt``, at most ``max_tokens`` tokens of it.

        Nothing vouches for it: it is for fluent mode, where every sentence is checked after.
        ``told`` names the instruction of ``prompts/``; ``prompt`` is data, no mark of a chat form.
        """
        ...

    def warnings(self) -> tuple[str, ...]:
        """What is told of failed replies since this thread last asked; none of their text."""
        ...


@runtime_checkable
class Steerable(Composes, Protocol):
    """A model whose every next token can be restricted, and which tells all likelihoods."""

    def score(self, prompt: str, candidates: Sequence[str], *, told: str = "answer") -> list[float]:
        """log p(candidate | prompt), natural log, summed over the candidate's tokens."""
        ...
