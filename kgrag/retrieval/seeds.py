"""From a question to the concepts that the graph is searched from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

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


def seed_weights(seeds: Sequence[Seed]) -> Mapping[str, float]:
    """The weight of each seed concept for ``Graph.pagerank``: its linking score."""
    return {seed.concept: max(seed.score, 0.01) for seed in seeds}
