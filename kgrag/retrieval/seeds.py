"""From a question to the concepts that the graph is searched from."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Final, Protocol

from kgrag.records.answer import Seed
from kgrag.records.concepts import Concept, Mention


class Links(Protocol):
    """Text to mentions: ``kgrag.linking.Linker``."""

    def link(self, text: str) -> tuple[Mention, ...]: ...


class Names(Protocol):
    """What knows concepts: ``kgrag.vocabulary.lexicon.Lexicon``."""

    def concept(self, curie: str) -> Concept: ...
    def __contains__(self, curie: object) -> bool: ...


def find_seeds(question: str, linker: Links, names: Names) -> tuple[Seed, ...]:
    """The question's concepts in order of their first mention; of several mentions, the surest.

    A negated or absent mention is a seed too: what is denied is still what is asked about.
    """
    best: dict[str, Mention] = {}
    for mention in linker.link(question):
        held = best.get(mention.concept)
        if held is None or mention.score > held.score:
            best[mention.concept] = mention
    return tuple(
        Seed(m.start, m.end, m.text, m.concept, name_of(m.concept, names), m.score)
        for m in sorted(best.values(), key=lambda m: m.start)
    )


def name_of(curie: str, names: Names) -> str:
    """The concept's name, or the CURIE itself when the lexicon of today lacks it."""
    return names.concept(curie).name if curie in names else curie


class Hierarchy(Protocol):
    """What knows other ids of a concept and the concepts below it: the ``Lexicon``."""

    def equivalents(self, curie: str) -> tuple[str, ...]: ...
    def descendants(
        self, curie: str, *, depth: int | None = None, limit: int = ...
    ) -> tuple[str, ...]: ...


# What a source says of pneumococcal pneumonia counts for a question about pneumonia, but less.
_NARROWER: Final = 0.3
_DEPTH: Final = 2
_MOST: Final = 200


def seed_weights(
    seeds: Sequence[Seed],
    hierarchy: Hierarchy | None = None,
    known: Container[str] = (),
) -> Mapping[str, float]:
    """The weight of each seed concept for ``Graph.pagerank``: its linking score.

    With a ``hierarchy`` also the other ids of the seeds, as heavy, and narrower concepts, lighter;
    of both only those that are ``known``.
    """
    weights = {seed.concept: max(seed.score, 0.01) for seed in seeds}
    if hierarchy is None:
        return weights
    for curie, weight in list(weights.items()):
        for other in hierarchy.equivalents(curie):
            if other in known:
                weights.setdefault(other, weight)
        for other in hierarchy.descendants(curie, depth=_DEPTH, limit=_MOST):
            if other in known:
                weights.setdefault(other, weight * _NARROWER)
    return weights
