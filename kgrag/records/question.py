"""What is asked, and within which limits the answer is to be given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Choice = Literal["rerank", "model"]


@dataclass(frozen=True, slots=True)
class AskOptions:
    """The limits of one answer.

    ``statements`` and ``words`` bound the answer: at most so many statements of at most so many
    words each. ``passages`` is how many retrieved passages feed the context in the first round;
    a second round, when the first does not suffice, takes twice as many, up to ``rounds``.
    ``choice`` says who orders the statements: the reranker, or the language model through its
    token trie; None is what the settings say. ``threshold`` replaces the fitted least confidence,
    in [0, 1], below which the answer is an abstention. An empty ``collections`` searches all.
    """

    statements: int = 3
    words: int = 60
    passages: int = 20
    rounds: int = 2
    choice: Choice | None = None
    threshold: float | None = None
    collections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.statements <= 50:
            raise ValueError("statements must be from 1 to 50")
        if not 5 <= self.words <= 1000:
            raise ValueError("words must be from 5 to 1000")
        if not 1 <= self.passages <= 200:
            raise ValueError("passages must be from 1 to 200")
        if not 1 <= self.rounds <= 4:
            raise ValueError("rounds must be from 1 to 4")
        if self.threshold is not None and not 0.0 <= self.threshold <= 1.0:
            raise ValueError("threshold must be in [0, 1]")
