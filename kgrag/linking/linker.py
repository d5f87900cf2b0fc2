"""Text to mentions: fold, match, resolve short forms, choose concepts, set flags.

The same code reads passages and questions.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any, Final

from kgrag.linking.abbreviations import Definition, definitions
from kgrag.linking.context import flagged, rules, triggers
from kgrag.linking.coordination import is_joined, name_words, otherwise_headed, shared
from kgrag.linking.disambiguate import (
    Choice,
    Disambiguator,
    Kin,
    has_capitals,
    in_context,
    settle,
)
from kgrag.linking.identifiers import look_up, written_ids
from kgrag.linking.learned import Learned
from kgrag.linking.match import Matcher, Words
from kgrag.linking.normalise import Folded, fold, key
from kgrag.linking.propose import Proposal, Proposer, agreed
from kgrag.linking.propose.spans import unmatched
from kgrag.paths import resource
from kgrag.records.concepts import Mention
from kgrag.vocabulary.lexicon import Candidate, Lexicon

# A name does not reach over these, but for a comma or a stop inside a number or a formula.
_BARRIER: Final = re.compile(r"[\n;:!?()\[\]{}|=<>\"•]|[.,](?![0-9])|(?<![0-9])[.,]")
_PROPOSED: Final = 0.6  # of a proposal's score: no name was matched
_SUBSTANCES: Final = frozenset(("drug", "chemical"))
_CONDITIONS: Final = frozenset(("disease", "phenotype"))
_HEADED: Final = 0.8  # of the score, when another last word stands in the text
_SHARED: Final = 0.9  # of the score, when a name has to lend its last words
_DENYING: Final = re.compile(r"(?i)(?:.*\W)?(?:non|anti)[-‐‑–]", re.S)


def crosses(surface: str) -> bool:
    """Whether the characters of several words go over the end of a clause."""
    return _BARRIER.search(surface) is not None


@cache
def shipped() -> Learned:
    """What kgrag ships as learned; its data note lies beside it in ``ontologies/linking``."""
    return Learned.read(resource("ontologies", "linking"))


class Linker:
    """Links texts to the concepts of a lexicon. It keeps nothing of the texts it has read.

    ``learned`` is what labelled documents taught, that which is shipped by default; concepts that
    the lexicon lacks are not used. ``as_labelled`` reads as the labellers did: by their concepts,
    in the lexicon or not, and without names of classes ("analgesics") that a reader of guidelines
    wants. ``proposers`` look at long words and long forms that no name matches; what they propose
    becomes a mention only where something else agrees (``kgrag.linking.propose.agree``).
    """

    def __init__(
        self,
        lexicon: Lexicon,
        learned: Learned | None = None,
        *,
        as_labelled: bool = False,
        proposers: Sequence[Proposer] = (),
    ) -> None:
        self.lexicon = lexicon
        self._proposers = tuple(proposers)
        self.learned = shipped() if learned is None else learned
        if not as_labelled:
            self.learned = self.learned.within(lexicon.current)
        names = tuple(self.learned.by_name)
        self._matcher = Matcher(lexicon, names)
        self._disambiguator = Disambiguator(lexicon, self.learned, as_labelled=as_labelled)
        self._kin = Kin(lexicon)
        self._find = look_up(lexicon)

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
        mentions = self._named(text, folded, words, defined)
        if self._proposers:
            mentions = self._with_proposed(text, folded, words, mentions, defined)
        if defined:
            mentions = _with_short_forms(text, mentions, defined)
        if ids := list(written_ids(text, self._find)):
            mentions = _with_ids(mentions, ids)
        if not mentions:
            return ()
        return flagged(text, mentions, triggers(words, folded, rules()))

    def _named(
        self, text: str, folded: Folded, words: Words, defined: Mapping[str, Definition]
    ) -> list[Mention]:
        free, tokens, choose = 0, words.words, self._disambiguator.choose
        found: list[Mention] = []
        doubtful: list[tuple[int, tuple[Candidate, ...]]] = []
        added: list[Mention] = []
        ends: set[int] = set()
        heads, genes = name_words().heads, name_words().genes
        exact = text.isascii()
        for at, names in self._matcher.find(words):
            if at < free:
                continue
            for count, name in names:
                first, last = words.span(at, count)
                choice = choose(name, folded.text[first:last])
                if choice is None:
                    if count == 1:
                        self._matcher.drop(tokens[at])
                    continue
                begin, stop = (first, last) if exact else (folded.start(first), folded.end(last))
                surface = text[begin:stop]
                if count > 1 and _BARRIER.search(surface):
                    continue
                if surface in defined:
                    continue  # a short form: its definition in this document decides
                if (
                    begin
                    and text[begin - 1] in "-‐‑–"
                    and _DENYING.fullmatch(text, max(0, begin - 6), begin)
                ):
                    continue
                meant = self._meant(choice, text, tokens, at, count, begin, stop)
                if meant is None:
                    continue
                if not exact:
                    while stop < len(text) and unicodedata.combining(text[stop]):
                        stop += 1
                    surface = text[begin:stop]
                if meant.type in _SUBSTANCES and at + count < len(tokens):
                    if tokens[at + count] in genes:
                        continue
                    meant = in_context(meant, tokens[at + count])
                if meant.rivals:
                    doubtful.append((len(found), meant.rivals))
                found.append(
                    Mention(
                        begin, stop, surface, meant.concept, meant.type, meant.score,
                        runners_up=meant.runners_up,
                    )
                )  # fmt: skip
                free = at + count
                ends.add(free)
                if meant.type in _CONDITIONS and is_joined(tokens, at):
                    added += self._sharing(text, folded, words, at, count, meant)
                break
        if doubtful:
            self._settle(found, doubtful)
        for at in [at for at, word in enumerate(tokens) if word in heads and at + 1 not in ends]:
            added += islice(self._otherwise_headed(text, folded, words, at), 1)
        return _with_free(found, added) if added else found

    def _meant(
        self,
        choice: Choice,
        text: str,
        tokens: list[str],
        at: int,
        count: int,
        begin: int,
        stop: int,
    ) -> Choice | None:
        """The choice, or what the name means otherwise, where this place allows it."""
        surface = text[begin:stop]
        meant: Choice | None = choice
        while meant is not None:
            if not (
                meant.defined
                or (meant.cased and not has_capitals(surface))
                or (meant.capital and not surface[0].isupper())
            ):
                if meant.odds is None or not meant.is_doubtful:
                    return meant
                odds = meant.odds + self._disambiguator.places(meant).sum(
                    surface,
                    tokens[at - 1] if at else "",
                    tokens[at + count] if at + count < len(tokens) else "",
                    text[begin - 1] if begin else "",
                    text[stop : stop + 1],
                    known=meant.known,
                )
                if odds >= 0:
                    return meant
            meant = meant.otherwise
        return None

    def _sharing(
        self, text: str, folded: Folded, words: Words, at: int, count: int, whole: Choice
    ) -> Iterator[Mention]:
        """Mentions of the parts before a name that lend their last words from it."""
        for first, number, name in shared(words.words, at, count, self._knows):
            choice = self._disambiguator.choose(self._number(name), name)
            if choice is None or choice.concept == whole.concept:
                continue
            if choice.type not in _CONDITIONS or choice.cased or choice.defined:
                continue
            yield from _lent(text, folded, words.span(first, number), choice, _SHARED)

    def _otherwise_headed(
        self, text: str, folded: Folded, words: Words, at: int
    ) -> Iterator[Mention]:
        """Mentions of names that have another last word than the head at word ``at``."""
        for first, number, name in otherwise_headed(words.words, at, self._knows):
            choice = self._disambiguator.choose(self._number(name), name)
            if choice is None or choice.type not in _CONDITIONS or choice.cased or choice.defined:
                continue
            yield from _lent(text, folded, words.span(first, number), choice, _HEADED)

    def _knows(self, name: str) -> bool:
        return self._matcher.number(name) is not None

    def _number(self, name: str) -> int:
        number = self._matcher.number(name)
        assert number is not None
        return number

    def _with_proposed(
        self,
        text: str,
        folded: Folded,
        words: Words,
        mentions: list[Mention],
        defined: Mapping[str, Definition],
    ) -> list[Mention]:
        """The mentions, with those of unknown long words and long forms that were agreed on."""
        spans = unmatched(text, folded, words, mentions, defined)
        if not spans:
            return mentions
        surfaces = list(dict.fromkeys(text[begin:stop] for begin, stop, _ in spans))
        proposals: dict[str, list[Proposal]] = {surface: [] for surface in surfaces}
        for proposer in self._proposers:
            for surface, found in zip(surfaces, proposer.propose(surfaces), strict=True):
                proposals[surface] += found
        named = {m.concept for m in mentions}
        added = []
        for begin, stop, short in spans:
            surface = text[begin:stop]
            known = {c.curie for c in self.lexicon.names(key(short))} if short else ()
            accepted = agreed(proposals[surface], named=named, short_form=known)
            if accepted is not None:
                score = round(accepted.score * _PROPOSED, 3)
                added.append(Mention(begin, stop, surface, accepted.concept, accepted.type, score))
        return _without_overlaps([*mentions, *added]) if added else mentions

    def _settle(
        self, found: list[Mention], doubtful: list[tuple[int, tuple[Candidate, ...]]]
    ) -> None:
        """Names with rivals get the concept that the rest of the document speaks for."""
        unsure = {at for at, _ in doubtful}
        sure = Counter(m.concept for at, m in enumerate(found) if at not in unsure)
        for at, rivals in doubtful:
            concept, margin = settle(rivals, sure, self._kin)
            before = found[at]
            others = (before.concept, *before.runners_up)
            found[at] = replace(
                before,
                concept=concept,
                type=next(c.type for c in rivals if c.curie == concept),
                runners_up=tuple(c for c in dict.fromkeys(others) if c != concept),
                margin=margin,
            )


def _lent(
    text: str, folded: Folded, span: tuple[int, int], choice: Choice, worth: float
) -> Iterator[Mention]:
    """The mention of a name that shares words with another, unless something parts its words."""
    begin, stop = folded.start(span[0]), folded.end(span[1])
    if not _BARRIER.search(text[begin:stop]):
        score = round(choice.score * worth, 3)
        yield Mention(begin, stop, text[begin:stop], choice.concept, choice.type, score)


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


def _with_ids(mentions: list[Mention], ids: list[Mention]) -> list[Mention]:
    """The ids, and the mentions that overlap none of them: an id has one meaning, a name many."""
    kept = _with_free(ids, mentions)
    kept.sort(key=lambda m: m.start)
    return kept


def _with_free(found: list[Mention], added: Iterable[Mention]) -> list[Mention]:
    """The mentions found, and those added that overlap none of them nor one another."""
    taken = [m.start for m in found]
    free = []
    for mention in added:
        at = bisect_left(taken, mention.end)
        if at == 0 or found[at - 1].end <= mention.start:
            free.append(mention)
    return _without_overlaps([*found, *free])


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
