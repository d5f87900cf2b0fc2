"""The closed set as token trees: one a state, grown when a walk first comes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kgrag.errors import BrokenInvariant
from kgrag.generation.allowed import Arc, ClosedSet, NothingAllowed, Said, State, Value

Tokens = Callable[[str], Sequence[int]]


class Walk(Protocol):
    """One text on its way, token by token; it can only become a text of the set."""

    @property
    def done(self) -> bool:
        """Whether the end was taken."""
        ...

    def allowed(self) -> list[int]:
        """The tokens that may follow, ascending, the end among them where the text may be over.

        None after the end. NothingAllowed when the set is empty.
        """
        ...

    def take(self, token: int) -> None:
        """Go on with ``token``; BrokenInvariant when it may not follow."""
        ...

    def said(self) -> Said:
        """The text that was said; BrokenInvariant before the end."""
        ...


class Compiled(Protocol):
    """A closed set in the tokens of one model."""

    def walk(self) -> Walk: ...


@dataclass(slots=True)
class _Place:
    """A place in the tree of a state: what may follow, and the arcs that are complete here."""

    children: dict[int, _Place] = field(default_factory=dict)
    complete: list[Arc] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _At:
    """One reading of the tokens so far."""

    state: State
    place: _Place
    text: str
    values: tuple[Value, ...]


class TokenTrie:
    """``closed`` in tokens. Each arc is cut into tokens by itself.

    A ValueError when the tokens of an arc hold ``end``: the text would be over inside it.
    """

    def __init__(self, closed: ClosedSet, tokens: Tokens, *, end: int) -> None:
        self.closed, self.end = closed, end
        self._tokens = tokens
        self._trees: dict[State, _Place] = {}

    def walk(self) -> TrieWalk:
        """A text that begins."""
        return TrieWalk(self)

    def tree(self, state: State) -> _Place:
        """The tokens of all arcs that leave ``state``."""
        if state not in self._trees:
            root = _Place()
            for arc in self.closed.arcs(state):
                at = root
                tokens = self._tokens(arc.text)
                if self.end in tokens:
                    raise ValueError("a text of the set holds the end token")
                for token in tokens:
                    at = at.children.setdefault(token, _Place())
                at.complete.append(arc)
            self._trees[state] = root
        return self._trees[state]


class TrieWalk:
    """See ``Walk``. Where tokens can be read in several ways all are followed, the first counts."""

    def __init__(self, trie: TokenTrie) -> None:
        self._trie = trie
        self._said: Said | None = None
        closed = trie.closed
        self._at: list[_At] = []
        if not closed.empty:
            self._at = self._closure([_At(closed.start, trie.tree(closed.start), "", ())])

    @property
    def done(self) -> bool:
        return self._said is not None

    def _closure(self, reached: Sequence[_At]) -> list[_At]:
        """With the beginnings of what follows each complete arc; equal readings once."""
        found: dict[tuple[State, int], _At] = {}
        waiting = list(reversed(reached))
        while waiting:
            at = waiting.pop()
            key = (at.state, id(at.place))
            if key in found:
                continue
            found[key] = at
            for arc in reversed(at.place.complete):
                values = at.values if arc.value is None else (*at.values, arc.value)
                waiting.append(_At(arc.to, self._trie.tree(arc.to), at.text + arc.text, values))
        return list(found.values())

    def _over(self) -> _At | None:
        """The first reading by which the text may be over here."""
        ends, tree = self._trie.closed.ends, self._trie.tree
        return next((a for a in self._at if a.place is tree(a.state) and ends(a.state)), None)

    def allowed(self) -> list[int]:
        if self.done:
            return []
        tokens = {token for at in self._at for token in at.place.children}
        if self._over() is not None:
            tokens.add(self._trie.end)
        if not tokens:
            raise NothingAllowed("nothing may be said")
        return sorted(tokens)

    def take(self, token: int) -> None:
        if self.done:
            raise BrokenInvariant("generation went on after its end")
        if token == self._trie.end:
            over = self._over()
            if over is None:
                raise BrokenInvariant("generation ended inside a text of the closed set")
            self._said = Said(over.text, over.values)
            return
        onward = [
            _At(a.state, a.place.children[token], a.text, a.values)
            for a in self._at
            if token in a.place.children
        ]
        if not onward:
            raise BrokenInvariant("generation left the closed set")
        self._at = self._closure(onward)

    def said(self) -> Said:
        if self._said is None:
            raise BrokenInvariant("generation has not ended")
        return self._said
