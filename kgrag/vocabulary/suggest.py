"""Concepts of a vocabulary for a text: what it names, and what a searcher should look at beside.

Every id is one of the lexicon; a concept that the vocabulary has no id for is told apart and gets
none. The order is by use to a searcher: what the text names, then what stands beside it in the
passages of a kb, then what its names may also mean, then what its other words are spelled like.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from kgrag.linking import Linker
from kgrag.linking.propose.agree import SPELLING
from kgrag.linking.propose.base import Proposer
from kgrag.records.concepts import Concept, ConceptType, Mention
from kgrag.vocabulary.lexicon import Lexicon

if TYPE_CHECKING:
    from kgrag.retrieval.concepts_index import ConceptIndex

Why = Literal["named", "beside", "ambiguous", "spelling"]
# Passages in which a concept must stand beside those that are named.
_LEAST: Final = 2
# Words of five letters and more that no name covers are looked at by their spelling.
_WORD: Final = re.compile(r"[^\W\d_][\w-]{4,}")


@dataclass(frozen=True, slots=True)
class Near:
    """A concept beside another one: its id in the vocabulary and its name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A concept for the text and why it is suggested.

    ``id`` is the concept's id in the vocabulary that was asked for; ``concept`` the id that kgrag
    knows it by. ``words`` are the text's own that led to it. ``score`` orders those of one ``why``
    and compares with no other's. ``terms`` are its names as the vocabularies write them;
    ``parents`` and ``narrower`` are the concepts next above and below, those with an id there.
    """

    id: str
    concept: str
    name: str
    type: ConceptType
    why: Why
    words: tuple[str, ...]
    score: float
    terms: tuple[str, ...]
    parents: tuple[Near, ...]
    narrower: tuple[Near, ...]


@dataclass(frozen=True, slots=True)
class Suggestions:
    """``without_id``: concepts that the text names and the vocabulary has no id for, by name."""

    suggestions: tuple[Suggestion, ...]
    without_id: tuple[str, ...]


def suggest(
    text: str,
    linker: Linker,
    *,
    vocabulary: str | None = "MESH",
    limit: int = 10,
    narrower: int = 10,
    beside: ConceptIndex | None = None,
    spelled: Proposer | None = None,
) -> Suggestions:
    """At most ``limit`` concepts for ``text``, best first, each once, with its surroundings.

    ``vocabulary`` is a prefix of CURIEs; None takes every concept by the id that kgrag knows it by.
    ``beside`` adds those that stand in the same passages of a kb; ``spelled`` those whose names are
    spelled like words that nothing names.
    """
    lexicon = linker.lexicon
    mentions = linker.link(text)
    named = _named(mentions)
    found: dict[str, Suggestion] = {}
    without: dict[str, None] = {}
    for concept, why, words, score in (
        *((one, "named", words, score) for one, (words, score) in named.items()),
        *_beside(tuple(named), beside),
        *_ambiguous(mentions),
        *_spelled(text, mentions, spelled),
    ):
        used = lexicon.current(concept)
        identifier = None if used is None else id_in(lexicon, used, vocabulary)
        if used is None or identifier is None:
            if why == "named" and used is not None:
                without[lexicon.concept(used).name] = None
            continue
        if identifier not in found and len(found) < limit:
            record = lexicon.concept(used)
            found[identifier] = Suggestion(
                id=identifier,
                concept=used,
                name=record.name,
                type=record.type,
                why=why,
                words=words,
                score=score,
                terms=_terms(record),
                parents=_near(lexicon, record.parents, vocabulary, narrower),
                narrower=_near(lexicon, lexicon.children(used), vocabulary, narrower),
            )
    return Suggestions(tuple(found.values()), tuple(without))


def id_in(lexicon: Lexicon, curie: str, vocabulary: str | None) -> str | None:
    """The concept's id with the prefix ``vocabulary``; None when it has none."""
    if vocabulary is None:
        return curie
    every = lexicon.equivalents(curie)
    return next((one for one in every if one.startswith(f"{vocabulary}:")), None)


def _named(mentions: Sequence[Mention]) -> dict[str, tuple[tuple[str, ...], float]]:
    """Concepts in the order of the text, with their words and the best score."""
    found: dict[str, tuple[tuple[str, ...], float]] = {}
    for mention in mentions:
        words, score = found.get(mention.concept, ((), 0.0))
        words = words if mention.text in words else (*words, mention.text)
        found[mention.concept] = words, max(score, mention.score)
    return found


_Found = Iterator[tuple[str, Why, tuple[str, ...], float]]


def _beside(named: Sequence[str], index: ConceptIndex | None) -> _Found:
    """What stands in passages of the kb that mention what is named, the closest first.

    The closeness to one named concept is the share of its passages that mention the other, times
    how rare that one is (the logarithm of all passages over its own); those to several add up.
    """
    if index is None:
        return
    close: dict[int, float] = {}
    own = {n for c in named if (n := index.concept_number(c)) is not None}
    arrays = index.arrays
    for number in sorted(own):
        counts: dict[int, int] = {}
        rows = index.rows_with(number)
        for passage in index.passage[rows].tolist():
            for other in arrays.concept[index.rows_of(passage)].tolist():
                counts[other] = counts.get(other, 0) + 1
        for other, together in counts.items():
            if other in own or together < _LEAST:
                continue
            name = arrays.concepts[other].decode()
            rarity = math.log(1 + len(index) / index.frequency(name))
            close[other] = close.get(other, 0.0) + together / len(rows) * rarity
    for other, score in sorted(close.items(), key=lambda item: (-item[1], item[0])):
        yield arrays.concepts[other].decode(), "beside", (), score


def _ambiguous(mentions: Sequence[Mention]) -> _Found:
    for mention in mentions:
        for other in mention.runners_up:
            yield other, "ambiguous", (mention.text,), 1.0 - (mention.margin or 0.0)


def _spelled(text: str, mentions: Sequence[Mention], proposer: Proposer | None) -> _Found:
    if proposer is None:
        return
    taken = [(m.start, m.end) for m in mentions]
    words = dict.fromkeys(
        match.group()
        for match in _WORD.finditer(text)
        if not any(start < match.end() and match.start() < end for start, end in taken)
    )
    found = [
        (proposal, word)
        for word, proposals in zip(words, proposer.propose(tuple(words), limit=1), strict=True)
        for proposal in proposals
        if proposal.score >= SPELLING
    ]
    for proposal, word in sorted(found, key=lambda one: -one[0].score):
        yield proposal.concept, "spelling", (word,), proposal.score


def _terms(concept: Concept) -> tuple[str, ...]:
    """Its names, the preferred one first, each spelling once whatever its case."""
    seen: dict[str, str] = {}
    for name in (concept.name, *concept.synonyms):
        seen.setdefault(name.casefold(), name)
    return tuple(seen.values())


def _near(
    lexicon: Lexicon, curies: Iterable[str], vocabulary: str | None, limit: int
) -> tuple[Near, ...]:
    found: dict[str, Near] = {}
    for curie in curies:
        identifier = id_in(lexicon, curie, vocabulary) if curie in lexicon else None
        if identifier is not None and len(found) < limit:
            found.setdefault(identifier, Near(identifier, lexicon.concept(curie).name))
    return tuple(found.values())
