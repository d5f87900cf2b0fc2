"""What a proposer is, and the names it proposes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import SYNONYM, Lexicon

Basis = Literal["spelling", "meaning"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A folded name of the lexicon and the concept that goes by it."""

    name: str
    concept: str
    type: ConceptType


@dataclass(frozen=True, slots=True)
class Proposal:
    """A concept that a surface may mean: the vocabulary's ``name`` is like it.

    ``score`` in [0, 1] is the proposer's own and compares with no other proposer's.
    """

    concept: str
    type: ConceptType
    name: str
    score: float
    basis: Basis


class Proposer(Protocol):
    """Surfaces to proposals. It accepts nothing and keeps nothing of the surfaces."""

    @property
    def name(self) -> str: ...

    @property
    def basis(self) -> Basis:
        """What its proposals rest on: two of one basis do not agree, they repeat."""
        ...

    def propose(self, surfaces: Sequence[str], *, limit: int = 5) -> list[tuple[Proposal, ...]]:
        """For each surface at most ``limit`` concepts, the likeliest first, each once."""
        ...


def entries(lexicon: Lexicon, types: frozenset[ConceptType] | None = None) -> Iterator[Entry]:
    """The vocabularies' own names (preferred and synonyms, read in any case), in order.

    ``types`` limits them; a name of several concepts comes once for each.
    """
    for number, name in enumerate(lexicon.table):
        for candidate in lexicon.candidates(number):
            if candidate.kind > SYNONYM or candidate.cased:
                continue
            if types is None or candidate.type in types:
                yield Entry(name, candidate.curie, candidate.type)


def best(found: Sequence[tuple[float, Entry]], limit: int, basis: Basis) -> tuple[Proposal, ...]:
    """The proposals of the best-scored entries, each concept once; ties in order of concept."""
    proposals: dict[str, Proposal] = {}
    for score, entry in sorted(found, key=lambda item: (-item[0], item[1].concept, item[1].name)):
        if len(proposals) == limit:
            break
        if entry.concept not in proposals:
            proposals[entry.concept] = Proposal(
                entry.concept, entry.type, entry.name, min(1.0, max(0.0, score)), basis
            )
    return tuple(proposals.values())
