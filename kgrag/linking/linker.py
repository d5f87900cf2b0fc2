"""Text to mentions: fold, match, resolve short forms, choose concepts, set flags.

The same code reads passages and questions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from kgrag.linking.abbreviations import Definition, definitions
from kgrag.linking.context import flagged, rules, triggers
from kgrag.linking.disambiguate import Disambiguator, has_capitals, in_context
from kgrag.linking.match import Matcher, Words
from kgrag.linking.normalise import Folded, fold
from kgrag.records.concepts import Mention
from kgrag.vocabulary.lexicon import Lexicon

# A name does not reach over these, but for a comma or a stop inside a number or a formula.
_BARRIER: Final = re.compile(r"[\n;:!?()\[\]{}|=<>\"•]|[.,](?![0-9])|(?<![0-9])[.,]")
_DENYING: Final = re.compile(r"(?i)(?:\bnon|\banti)[-‐‑–]$")


class Linker:
    """Links texts to the concepts of a lexicon. It keeps nothing of the texts it has read."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._matcher = Matcher(lexicon)
        self._disambiguator = Disambiguator(lexicon)

    def link(self, text: str, start: int = 0, end: int | None = None) -> tuple[Mention, ...]:
        """The mentions in ``text[start:end]``: sorted, not overlapping, offsets into ``text``.

        Short forms count when they are defined within the range, so give a document whole.
        """
        stop = len(text) if end is None else end
        piece = text[start:stop] if start or stop < len(text) else text
        mentions = self._link(piece)
        if start:
            return tuple(replace(m, start=m.start + start, end=m.end + start) for m in mentions)
        return mentions

    def _link(self, text: str) -> tuple[Mention, ...]:
        folded = fold(text)
        words = Words(folded.text)
        defined = definitions(text) if "(" in text or "[" in text else {}
        mentions = list(self._named(text, folded, words, defined))
        if defined:
            mentions = _with_short_forms(text, mentions, defined)
        if not mentions:
            return ()
        return flagged(text, mentions, triggers(words, folded, rules()))

    def _named(
        self, text: str, folded: Folded, words: Words, defined: Mapping[str, Definition]
    ) -> Iterator[Mention]:
        free, tokens, choose = 0, words.words, self._disambiguator.choose
        for at, names in self._matcher.starts(words):
            if at < free:
                continue
            for count, name in names:
                first, last = words.span(at, count)
                choice = choose(name, folded.text[first:last])
                if choice is None:
                    continue
                begin, stop = folded.start(first), folded.end(last)
                surface = text[begin:stop]
                if (
                    (choice.cased and not has_capitals(surface))
                    or (choice.capital and not surface[0].isupper())
                    or (count > 1 and _BARRIER.search(surface))
                ):
                    continue
                if choice.defined or surface in defined:
                    continue  # a short form: its definition in this document decides
                if begin and text[begin - 1] in "-‐‑–" and _DENYING.search(text, 0, begin):
                    continue
                if not surface.isascii() or not text.isascii():
                    while stop < len(text) and unicodedata.combining(text[stop]):
                        stop += 1
                    surface = text[begin:stop]
                following = tokens[at + count] if at + count < len(tokens) else ""
                choice = in_context(choice, following)
                yield Mention(begin, stop, surface, choice.concept, choice.type, choice.score)
                free = at + count
                break


def _with_short_forms(
    text: str, mentions: list[Mention], defined: Mapping[str, Definition]
) -> list[Mention]:
    """The mentions and those of the short forms whose long form is a mention.

    A short form with another long form means nothing here, whatever the lexicon says.
    """
    added: list[Mention] = []
    for short, definition in defined.items():
        meant = _long_form(mentions, definition)
        if meant is None:
            continue
        for begin, stop in _places(text, short):
            added.append(replace(meant, start=begin, end=stop, text=text[begin:stop]))
    if not added:
        return mentions
    added.sort(key=lambda m: (m.start, -m.end))
    return _without_overlaps([*mentions, *added])


def _long_form(mentions: list[Mention], definition: Definition) -> Mention | None:
    """The mention that is the long form: it ends with it and covers most of it."""
    long = definition.long
    for mention in mentions:
        if mention.start >= long.end:
            break
        if abs(mention.end - long.end) <= 1:
            covered = min(mention.end, long.end) - max(mention.start, long.start)
            if covered * 3 >= (long.end - long.start) * 2:
                return mention
    return None


def _places(text: str, short: str) -> Iterator[tuple[int, int]]:
    """Where ``short`` stands as a word of its own, also with a plural s."""
    at = text.find(short)
    while at >= 0:
        stop = at + len(short)
        if text[stop : stop + 1] == "s" and not text[stop + 1 : stop + 2].isalnum():
            stop += 1
        if not (at and text[at - 1].isalnum()) and not text[stop : stop + 1].isalnum():
            yield at, stop
        at = text.find(short, stop)


def _without_overlaps(mentions: list[Mention]) -> list[Mention]:
    """Leftmost first, of those that start together the longest."""
    kept: list[Mention] = []
    for mention in sorted(mentions, key=lambda m: (m.start, -m.end)):
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
    return kept


def link_batch(linker: Linker, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """For each ``{"id", "text"}`` the contract's ``{"id", "mentions": [...]}``, in order.

    A row without a text gives ``{"id", "error"}``.
    """
    for row in rows:
        text = row.get("text")
        if not isinstance(text, str):
            yield {"id": row.get("id"), "error": "the row has no text"}
            continue
        yield {"id": row.get("id"), "mentions": [mention_json(m) for m in linker.link(text)]}


_FLAGS: Final = ("negated", "hypothetical", "family", "historical", "absent", "against")


def mention_json(mention: Mention) -> dict[str, Any]:
    """The mention in the form of the contract, with the flags that are set."""
    return {
        "start": mention.start,
        "end": mention.end,
        "text": mention.text,
        "concept": mention.concept,
        "type": mention.type,
        "score": mention.score,
        "flags": [name for name in _FLAGS if getattr(mention, name)],
    }
