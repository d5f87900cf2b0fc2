"""What local models have in common: prompts of tokens, and speech inside a closed set."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from kgrag.generation.allowed import ClosedSet, Said, statements
from kgrag.generation.chat import ChatForm, instruction
from kgrag.generation.trie import Compiled, TokenTrie, Walk

# A candidate is a passage at most; beyond this many tokens it is cut for scoring.
CANDIDATE_TOKENS: Final = 512
QUESTION_TOKENS: Final = 512
# What free text is written after, and what candidates are scored after.
PROMPT_TOKENS: Final = 3072


class LocalModel(ABC):
    """Scores, chooses and composes. Safe to use from several threads.

    ``choice_tokens`` is how many tokens of numbered sentences it reads before it chooses; those
    beyond are not offered.
    """

    def __init__(
        self, form: ChatForm, *, end: int, name: str, sha256: str, choice_tokens: int
    ) -> None:
        self._form, self._end, self._choice_tokens = form, end, choice_tokens
        self._name, self._sha256, self._lock = name, sha256, threading.Lock()

    @property
    def name(self) -> str:
        return self._name

    @property
    def sha256(self) -> str:
        return self._sha256

    def query_likelihood(self, question: str, candidates: Sequence[str]) -> list[float]:
        """Mean log p(question token | candidate), natural log, one a candidate, in their order.

        Candidates are cut at 512 tokens and so is the question; an empty question scores 0.
        """
        asked = self._form.plain(question)[:QUESTION_TOKENS]
        if not asked or not candidates:
            return [0.0] * len(candidates)
        told = instruction("question")
        prompts = [
            self._form.prompt(told, self._form.plain(text)[:CANDIDATE_TOKENS])
            for text in candidates
        ]
        return self._likelihood(asked, prompts)

    def choose(self, question: str, candidates: Sequence[str], *, count: int) -> list[int]:
        """Indices into ``candidates`` that the model emitted inside the closed set, in its order.

        Greedy. Each candidate is said whole, with its citation mark ``[number]``; after the first
        the model may end instead of going on. At most ``count``, without repeats. Offered are the
        candidates, in their order, that fit into the prompt of a choice.
        """
        if not candidates or count < 1:
            return []
        offered = candidates[: self._within(candidates)]
        said = self._say("choose", question, offered, statements(offered, most=count))
        return [value for value in said.values if isinstance(value, int)]

    def compose(self, question: str, sentences: Sequence[str], allowed: ClosedSet) -> Said:
        """A text of ``allowed``, greedily; NothingAllowed when that is empty.

        The model reads the numbered ``sentences``, as many as fit into the prompt of a choice,
        before it.
        """
        return self._say("compose", question, sentences[: self._within(sentences)], allowed)

    def warnings(self) -> tuple[str, ...]:
        """None: what breaks here raises."""
        return ()

    def compiled(self, allowed: ClosedSet) -> Compiled:
        """``allowed`` in the tokens of this model."""
        return TokenTrie(allowed, self._tokens, end=self._end)

    @abstractmethod
    def _likelihood(self, said: list[int], prompts: list[list[int]]) -> list[float]:
        """Mean log p(said | prompt) of each prompt."""

    @abstractmethod
    def _follow(self, walk: Walk, prompt: list[int]) -> None:
        """``walk`` is done, greedily, after ``prompt``.

        Where only one token can follow, the model is not asked; it reads the whole run at its next
        choice.
        """

    def _prompt(self, told: str, prompt: str) -> list[int]:
        """The tokens of ``prompt`` under the instruction; its beginning is kept."""
        return self._form.prompt(instruction(told), self._form.plain(prompt)[:PROMPT_TOKENS])

    def _tokens(self, text: str) -> list[int]:
        return [token for token in self._form.plain(text) if token != self._end]

    def _within(self, sentences: Sequence[str]) -> int:
        """How many of the first sentences fit into the prompt of a choice; at least one."""
        total = 0
        for number, text in enumerate(sentences):
            total += len(self._form.plain(text)) + 8  # its number, its mark and the line end
            if total > self._choice_tokens:
                return max(number, 1)
        return len(sentences)

    def _say(self, told: str, question: str, sentences: Sequence[str], allowed: ClosedSet) -> Said:
        """The text of ``allowed`` that the model says after the numbered sentences."""
        walk = self.compiled(allowed).walk()
        numbered = "\n".join(f"[{number}] {text}" for number, text in enumerate(sentences, 1))
        content = self._form.plain(f"{numbered}\n\n")
        content += self._form.plain(question)[:QUESTION_TOKENS]
        self._follow(walk, self._form.prompt(instruction(told), content))
        return walk.said()
