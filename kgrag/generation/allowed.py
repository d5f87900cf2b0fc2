"""What may be said: a closed set of texts, as a machine whose arcs carry the words.

A set is written down once for a context and never listed: paths through a graph are found while
they are walked. All that restricts a model (``trie``, ``grammar``) and all that checks what a
server replied reads the same set.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from kgrag.errors import BrokenInvariant

Value = int | str
"""What a piece of the text stands for: the place of a candidate, or the id of an assertion."""
State = Hashable


class NothingAllowed(BrokenInvariant):
    """Nothing may be said; generation ends and is never opened."""


class TooLarge(BrokenInvariant):
    """The set has more states or texts than may be listed; the token trie walks it instead."""


@dataclass(frozen=True, slots=True)
class Arc:
    """``text`` leads to the state ``to`` and adds ``value``, if there is one, to what was said."""

    text: str
    to: State
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A whole text of the set, and the values of its pieces in their order."""

    text: str
    values: tuple[Value, ...]


class ClosedSet:
    """Texts that are spelled by the arcs from ``start`` to a state that ``ends``.

    Arcs that lead to no end are left out, so that whoever follows ``arcs`` can always finish.
    A ValueError says that a set goes round in a ring: only finite sets are closed.
    """

    def __init__(
        self,
        start: State,
        arcs: Callable[[State], Sequence[Arc]],
        ends: Callable[[State], bool],
    ) -> None:
        self.start, self._arcs, self._ends = start, arcs, ends
        self._living: dict[State, tuple[Arc, ...]] = {}
        self._alive: dict[State, bool | None] = {}  # None while it is being found out

    @property
    def empty(self) -> bool:
        """Whether there is no text at all."""
        return not self._lives(self.start)

    def ends(self, state: State) -> bool:
        """Whether the text may be over here."""
        return self._ends(state)

    def arcs(self, state: State) -> tuple[Arc, ...]:
        """What may follow, in a fixed order; each leads to an end."""
        if state not in self._living:
            self._living[state] = tuple(arc for arc in self._arcs(state) if self._lives(arc.to))
        return self._living[state]

    def _lives(self, state: State) -> bool:
        if state not in self._alive:
            self._alive[state] = None
            self._alive[state] = self._ends(state) or any(
                self._lives(arc.to) for arc in self._arcs(state)
            )
        known = self._alive[state]
        if known is None:
            raise ValueError("a set that goes round in a ring is not closed")
        return known

    def read(self, text: str) -> Said | None:
        """``text`` as one of the set, None when it is not exactly one of them.

        Of several ways to read it the first counts, in the order of the arcs.
        """
        if self.empty:
            return None
        failed: set[tuple[State, int]] = set()

        def go(state: State, at: int) -> tuple[Value, ...] | None:
            if at == len(text) and self._ends(state):
                return ()
            if (state, at) in failed:
                return None
            for arc in self.arcs(state):
                if text.startswith(arc.text, at):
                    rest = go(arc.to, at + len(arc.text))
                    if rest is not None:
                        return rest if arc.value is None else (arc.value, *rest)
            failed.add((state, at))
            return None

        values = go(self.start, 0)
        return None if values is None else Said(text, values)

    def states(self, *, limit: int) -> tuple[State, ...]:
        """All states that lie on a way to an end, the start first; TooLarge beyond ``limit``."""
        if self.empty:
            raise NothingAllowed("nothing may be said")
        found: dict[State, None] = {self.start: None}
        waiting = [self.start]
        while waiting:
            for arc in self.arcs(waiting.pop()):
                if arc.to not in found:
                    found[arc.to] = None
                    waiting.append(arc.to)
            if len(found) > limit:
                raise TooLarge(f"the set has more than {limit} states")
        return tuple(found)

    def longest(self, *, limit: int) -> int:
        """Bytes of the longest text in UTF-8; errors as of ``states``."""
        known: dict[State, int] = {}

        def onward(state: State) -> int:
            if state not in known:
                each = [len(arc.text.encode()) + onward(arc.to) for arc in self.arcs(state)]
                known[state] = max(each, default=0)
            return known[state]

        self.states(limit=limit)
        return onward(self.start)

    def texts(self, *, limit: int) -> tuple[str, ...]:
        """All texts, each once; NothingAllowed when there is none, TooLarge beyond ``limit``."""
        found: dict[str, None] = {}
        for text in self._spelled(self.start, ""):
            found[text] = None
            if len(found) > limit:
                raise TooLarge(f"the set has more than {limit} texts")
        if not found:
            raise NothingAllowed("nothing may be said")
        return tuple(found)

    def _spelled(self, state: State, before: str) -> Iterator[str]:
        if self._ends(state):
            yield before
        for arc in self.arcs(state):
            yield from self._spelled(arc.to, before + arc.text)


_DONE: Final = "done"


def one_of(texts: Sequence[str]) -> ClosedSet:
    """Exactly one of ``texts``; its value is its place. Of equal texts the first counts."""
    arcs = [Arc(text, _DONE, place) for text, place in _places(texts).items()]
    return ClosedSet("start", lambda s: arcs if s == "start" else (), lambda s: s == _DONE)


def some_of(texts: Sequence[str], *, most: int, joint: str = "\n") -> ClosedSet:
    """One to ``most`` of ``texts``, none twice, in any order, with ``joint`` between.

    The values are their places. Of equal texts only the first is offered.
    """
    places = _places(texts)

    def arcs(state: State) -> Sequence[Arc]:
        assert isinstance(state, frozenset)
        if len(state) >= most:
            return ()
        before = joint if state else ""
        left = ((t, p) for t, p in places.items() if p not in state)
        return [Arc(before + text, state | {place}, place) for text, place in left]

    return ClosedSet(frozenset(), arcs, bool)


def marks(count: int) -> list[str]:
    """The citation marks ``[1]`` to ``[count]``."""
    return [f"[{number}]" for number in range(1, count + 1)]


def statements(sentences: Sequence[str], *, most: int) -> ClosedSet:
    """One to ``most`` whole sentences, each with the mark it is cited by, a line each."""
    lines = [f"{s} {m}" for s, m in zip(sentences, marks(len(sentences)), strict=True)]
    return some_of(lines, most=most)


@dataclass(frozen=True, slots=True)
class Edge:
    """An assertion from the concept that it leaves to the concept it reaches."""

    id: str
    predicate: str
    object: str


def walks(
    starts: Sequence[str],
    edges_from: Callable[[str], Sequence[Edge]],
    *,
    names: Mapping[str, str],
    targets: Sequence[str] = (),
    max_edges: int = 3,
) -> ClosedSet:
    """Paths of one to ``max_edges`` edges, each followed in its own direction, no concept twice.

    ``edges_from`` gives the edges that leave a concept and is asked only for concepts that a path
    can reach. With ``targets`` a path ends at one of them and nowhere else. The text is that of
    ``reasoning.paths.path_text``; the values are the ids of the edges, in their order.
    """
    wanted = frozenset(targets)
    held: dict[str, Sequence[Edge]] = {}
    near: dict[tuple[str, int], bool] = {}

    def leaving(concept: str) -> Sequence[Edge]:
        if concept not in held:
            held[concept] = tuple(edges_from(concept))
        return held[concept]

    def reaches(concept: str, left: int) -> bool:
        """Whether some target lies at most ``left`` edges on: spares the ways that lead nowhere."""
        if not wanted or concept in wanted:
            return True
        if (concept, left) not in near:
            near[concept, left] = left > 0 and any(
                reaches(edge.object, left - 1) for edge in leaving(concept)
            )
        return near[concept, left]

    def name(concept: str) -> str:
        return names.get(concept, concept)

    def arcs(state: State) -> Sequence[Arc]:
        assert isinstance(state, tuple)
        if not state:
            return [Arc(name(c), (c,)) for c in dict.fromkeys(starts) if reaches(c, max_edges)]
        left = max_edges + 1 - len(state)
        if left == 0:
            return ()
        return [
            Arc(f" —{e.predicate.replace('_', ' ')}→ {name(e.object)}", (*state, e.object), e.id)
            for e in leaving(state[-1])
            if e.object not in state and reaches(e.object, left - 1)
        ]

    def ends(state: State) -> bool:
        assert isinstance(state, tuple)
        return len(state) > 1 and (not wanted or state[-1] in wanted)

    return ClosedSet((), arcs, ends)


def in_order(*parts: ClosedSet, joint: str = " ") -> ClosedSet:
    """A text of each part, in their order, with ``joint`` between; the values follow each other."""

    def arcs(state: State) -> Sequence[Arc]:
        assert isinstance(state, tuple)
        number, inner = state
        found = [Arc(a.text, (number, a.to), a.value) for a in parts[number].arcs(inner)]
        if parts[number].ends(inner) and number + 1 < len(parts):
            found.append(Arc(joint, (number + 1, parts[number + 1].start)))
        return found

    return ClosedSet((0, parts[0].start), arcs, partial(_last_ends, parts))


def _last_ends(parts: Sequence[ClosedSet], state: State) -> bool:
    assert isinstance(state, tuple)
    return bool(state[0] == len(parts) - 1 and parts[-1].ends(state[1]))


def either(*parts: ClosedSet) -> ClosedSet:
    """A text of one of the parts."""

    def arcs(state: State) -> Sequence[Arc]:
        assert isinstance(state, tuple)
        if not state:
            return [Arc("", (number, part.start)) for number, part in enumerate(parts)]
        number, inner = state
        return [Arc(a.text, (number, a.to), a.value) for a in parts[number].arcs(inner)]

    def ends(state: State) -> bool:
        assert isinstance(state, tuple)
        return bool(state) and parts[state[0]].ends(state[1])

    return ClosedSet((), arcs, ends)


def _places(texts: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, text in enumerate(texts):
        found.setdefault(text, place)
    return found
