"""Questions with known answers: is what ``ask`` quotes right, beside quotations chosen plainly.

Every way answers under the same limits of statements and words. The baselines read the passages
that retrieval found for ``ask`` too, so that what differs is what is quoted of them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from kgrag.evaluation.suite import Split, half

STATEMENTS: Final = 3
WORDS: Final = 60

Right = Callable[[str, Sequence[str]], bool]
"""Whether a quotation (its text) is right by the gold texts of its question."""

_TOKEN: Final = re.compile(r"\w+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class AnswerQuery:
    """A question with its gold texts: any of them makes a quotation right."""

    id: str
    text: str
    split: Split
    gold: tuple[str, ...]

    @classmethod
    def of(cls, identifier: str, text: str, gold: Sequence[str], split: Split | None = None) -> (
        AnswerQuery
    ):  # fmt: skip
        """A question in the half that its id says, or in ``split``."""
        return cls(identifier, text, split or half(identifier), tuple(gold))


@dataclass(frozen=True, slots=True)
class AnswerSuite:
    """Questions to ask, and what makes a quotation right.

    ``corpus`` is the JSONL file that a kb of the suite is made of, read with ``recipe``; empty
    where a kb must be given. ``notes`` say how right is judged and what was left out.
    """

    name: str
    queries: tuple[AnswerQuery, ...]
    right: Right
    base: str = ""
    corpus: bytes = field(default=b"", repr=False)
    recipe: str | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ids = [q.id for q in self.queries]
        if len(set(ids)) != len(ids):
            raise ValueError(f"the suite {self.name} has a question id twice")
        if not all(q.gold and all(g.strip() for g in q.gold) for q in self.queries):
            raise ValueError(f"the suite {self.name} has a question without gold")

    def of(self, split: Split | Literal["all"] = "all", limit: int | None = None) -> AnswerSuite:
        """The suite with the questions of one half, at most ``limit``, chosen by their ids."""
        kept = [q for q in self.queries if split in ("all", q.split)]
        if limit is not None and limit < len(kept):
            chosen = sorted(kept, key=lambda q: (zlib.crc32(b"limit" + q.id.encode()), q.id))
            names = {q.id for q in chosen[:limit]}
            kept = [q for q in kept if q.id in names]
        return replace(self, queries=tuple(kept))


def flat(text: str) -> str:
    """Lower case, one space between words."""
    return " ".join(text.lower().split())


def holds(quotation: str, gold: Sequence[str]) -> bool:
    """The quotation has all characters of a gold span, but for case and white space."""
    said = flat(quotation)
    return any(flat(g) in said for g in gold)


def names(quotation: str, gold: Sequence[str]) -> bool:
    """The quotation has a gold name as whole words, whatever the punctuation."""
    said = f" {' '.join(_tokens(quotation))} "
    return any(f" {' '.join(_tokens(g))} " in said for g in gold if _tokens(g))


def shares(quotation: str, gold: Sequence[str]) -> bool:
    """The quotation has three in five of the different words of a gold text, numbers included;
    or it is a part, of eight words or more, of a gold text too long for that."""
    said = _tokens(quotation)
    joined = f" {' '.join(said)} "
    for text in gold:
        wanted = set(_tokens(text))
        if len(wanted & set(said)) >= 0.6 * len(wanted):
            return True
        if len(said) >= 8 and joined in f" {' '.join(_tokens(text))} ":
            return True
    return False


def lies_in(quotation: str, gold: Sequence[str]) -> bool:
    """At least half of the quotation's words stand in one run in a gold text."""
    said = _tokens(quotation)
    run = max(1, (len(said) + 1) // 2)
    texts = [f" {' '.join(_tokens(g))} " for g in gold]
    return any(
        f" {' '.join(said[at : at + run])} " in text
        for text in texts
        for at in range(len(said) - run + 1)
    )


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())
