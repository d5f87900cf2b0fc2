"""What may be said, as a tree of tokens: each way from root to end is one whole candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kgrag.errors import BrokenInvariant


class EmptyTrie(BrokenInvariant):
    """Nothing may be said; generation ends and is never opened."""


@dataclass(slots=True)
class Place:
    """A place in the tree: what may follow, and the candidates that lie below or end here."""

    children: dict[int, Place] = field(default_factory=dict)
    below: list[int] = field(default_factory=list)


class TokenTrie:
    """Candidates as token paths, each ended by ``end``, so that none is a prefix of another.

    Candidates that the tokenizer cannot tell apart share a path, in their order. A path that holds
    ``end`` before its last place is refused with a ValueError.
    """

    def __init__(self, paths: Sequence[Sequence[int]], *, end: int) -> None:
        self.root = Place()
        self.end = end
        for number, path in enumerate(paths):
            if end in path:
                raise ValueError("a candidate holds the end token")
            at = self.root
            at.below.append(number)
            for token in (*path, end):
                at = at.children.setdefault(token, Place())
                at.below.append(number)

    def place(self, tokens: Sequence[int]) -> Place:
        """Where ``tokens`` lead from the root; BrokenInvariant when they lead out of the tree."""
        at = self.root
        for token in tokens:
            if token not in at.children:
                raise BrokenInvariant("generation left the closed set of candidates")
            at = at.children[token]
        return at

    def allowed(self, tokens: Sequence[int]) -> list[int]:
        """The tokens that may follow, ascending; none after an end. EmptyTrie if nothing may."""
        if not self.root.children:
            raise EmptyTrie("no candidate may be generated")
        return sorted(self.place(tokens).children)

    def candidate(self, tokens: Sequence[int]) -> int:
        """The first candidate that ``tokens``, with their end, spell; BrokenInvariant if none."""
        at = self.place(tokens)
        if not tokens or tokens[-1] != self.end or not at.below:
            raise BrokenInvariant("generation ended inside a candidate")
        return at.below[0]
