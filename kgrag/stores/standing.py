"""Which documents supersede others, and which were in force on a day.

Decided on issuer, scope and date alone, from what the documents, their recommendations and
recipes say: never on how alike two texts are, and never by a model. The words are data,
``ontologies/issuers.toml``; the rules and their reasons are in
``docs/decisions/0005-supersession.md``.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from kgrag.ids import sha256
from kgrag.paths import resource
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Metadata, Source

_DATE: Final = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_VERSION: Final = re.compile(r"v\d+(?:\.\d+)*")
_WORD: Final = re.compile(r"[^\W_]+(?:\.\d+)*")
# A document with any other mark than these is withdrawn: it neither supersedes nor stands.
_STANDING_MARKS: Final = (None, "expression_of_concern")


@dataclass(frozen=True, slots=True)
class Edition:
    """What supersession looks at in one document version.

    ``issuer``, ``scope`` and ``title`` are keys: equal keys are the same. An absent one is None
    and decides nothing. ``dated`` is an ISO date as exact as the source gives it. ``claims`` are
    the source's own words on what it replaces.
    """

    id: str
    source: Source
    issuer: str | None = None
    scope: str | None = None
    dated: str | None = None
    title: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()

    def supersedes(self, other: Edition) -> bool:
        """Same collection and issuer, a later date, and the same scope or a claim to replace it.

        Versions of one source never supersede each other: they replace.
        """
        if self.issuer is None or self.issuer != other.issuer or self.source == other.source:
            return False
        if self.source.collection != other.source.collection:
            return False
        if not (self.dated and other.dated and before(other.dated, self.dated)):
            return False
        if self.scope is not None and self.scope == other.scope:
            return True
        return any(_names(claim, other) for claim in self.claims)


@dataclass(frozen=True, slots=True)
class ValidThen:
    """What was in force on a day: ids of document versions.

    ``undated`` ones are live but say no date, so they are in force on no day. ``inexact`` are those
    of ``documents`` whose date is too coarse to tell whether it is before or after that day.
    """

    as_of: str
    documents: frozenset[str]
    undated: frozenset[str]
    inexact: frozenset[str]


@dataclass(frozen=True, slots=True)
class Kept:
    """A document version that is kept. ``live`` ones were not replaced within their source."""

    edition: Edition
    live: bool
    generation: int


def edition_of(
    document_id: str,
    source: Source,
    metadata: Metadata,
    recommendations: Iterable[Recommendation] = (),
) -> Edition:
    """What the version says of its issuer, scope, date and of what it replaces.

    A recipe or reader may state ``issuer``, ``scope``, ``effective`` and ``supersedes`` in the
    metadata's ``extra``. Else the issuer is the one that all recommendations name, then the
    publisher; the scope is that of the title, for documents that recommend something; the date is
    the document's own, then the one that all recommendations share. A date that the source does
    not state (``date_from``) decides nothing.
    """
    extra: dict[str, list[str]] = defaultdict(list)
    for name, value in metadata.extra:
        extra[name].append(value)
    advice = list(recommendations)
    names = {a.issuer for a in advice if a.issuer}
    issuer = _first(extra["issuer"]) or _only(names) or metadata.publisher
    dates = {a.effective for a in advice if a.effective}
    stated = metadata.date if not extra["date_from"] else None
    dated = _first(extra["effective"]) or stated or _only(dates)
    words = scope_words(metadata.title or "")
    scope = _first(extra["scope"])
    claims = [*extra["supersedes"], *(claim for a in advice for claim in a.supersedes)]
    if metadata.retracted not in _STANDING_MARKS:
        issuer = None
    key = f"stated {' '.join(_words(scope))}" if scope else None
    if key is None and advice and words:
        key = f"title {' '.join(words)}"
    return Edition(
        document_id,
        source,
        issuer_key(issuer) if issuer else None,
        key,
        dated if dated and _DATE.fullmatch(dated) else None,
        words,
        tuple(sorted({value.casefold() for _, value in metadata.identifiers if value})),
        tuple(dict.fromkeys(claims)),
    )


def issuer_key(name: str) -> str | None:
    """The key of an issuer: equal for all names of one; None for a name without a letter."""
    key = " ".join(_words(name))
    return _issuers().get(key, key) or None


def scope_words(title: str) -> tuple[str, ...]:
    """The words of a title that say what it is about, sorted; none when it only says what it is.

    Words of the edition, years and function words are left out.
    """
    lists = _lists()
    words = ["", *_words(title), ""]
    found = {
        word
        for earlier, word, later in zip(words, words[1:], words[2:], strict=False)
        if word and not _edition(earlier, word, later, lists)
    }
    return tuple(sorted(found)) if found - lists["hollow"] else ()


def _edition(earlier: str, word: str, later: str, lists: Mapping[str, frozenset[str]]) -> bool:
    """Whether the word tells the edition, or nothing; where it may be both, by its neighbours."""
    if word in lists["edition"] or word in lists["function"] or _YEAR.fullmatch(word):
        return True
    if word in lists["ordinal"]:  # not "first trimester"
        return later in lists["edition"]
    if word in lists["month"]:
        return any(_YEAR.fullmatch(beside) is not None for beside in (earlier, later))
    number = word.replace(".", "").isdigit()
    return (number and earlier in lists["numbered"]) or bool(_VERSION.fullmatch(word))


def before(one: str, other: str) -> bool:
    """Date ``one`` is earlier than ``other``, to the precision that both have."""
    precision = min(len(one), len(other))
    return one[:precision] < other[:precision]


def takes_effect_after(advice: Recommendation, as_of: str) -> bool:
    """Whether the recommendation itself says a date that is after that day."""
    effective = advice.effective
    return effective is not None and is_date(effective) and before(as_of, effective)


def is_date(text: str) -> bool:
    """Whether ``text`` is a year, a month or a day in ISO 8601."""
    return _DATE.fullmatch(text) is not None


def in_force(kept: Iterable[Kept], as_of: str) -> ValidThen:
    """The versions that were in force on the day (or at the end of the month or year) ``as_of``.

    A version is, when its date is not after that day, no newer version of its source has such a
    date, and no document in force by that day supersedes it. Of versions whose dates cannot be told
    apart the live one counts, then the one that was kept last. Dates are compared to the precision
    that both have. ValueError when ``as_of`` is no ISO date.
    """
    if not is_date(as_of):
        raise ValueError(f"{as_of!r} is no date: give YYYY, YYYY-MM or YYYY-MM-DD")
    by_source: dict[Source, list[Kept]] = defaultdict(list)
    undated: set[str] = set()
    for item in kept:
        dated = item.edition.dated
        if dated is None:
            if item.live:
                undated.add(item.edition.id)
        elif not before(as_of, dated):
            by_source[item.edition.source].append(item)
    newest = [_newest(versions).edition for versions in by_source.values()]
    groups: dict[tuple[str, str | None], list[Edition]] = defaultdict(list)
    for edition in newest:
        groups[edition.source.collection, edition.issuer].append(edition)
    valid = {e.id: e.dated or "" for e in newest}
    for group in groups.values():
        for edition in _superseded(group):
            del valid[edition.id]
    return ValidThen(
        as_of,
        frozenset(valid),
        frozenset(undated),
        frozenset(
            key
            for key, dated in valid.items()
            if len(dated) < len(as_of) and not before(dated, as_of)
        ),
    )


def _newest(versions: Sequence[Kept]) -> Kept:
    dates = [v.edition.dated or "" for v in versions]
    last = [
        version
        for version, own in zip(versions, dates, strict=True)
        if not any(before(own, date) for date in dates)
    ]
    return max(last, key=lambda v: (v.live, v.generation, v.edition.id))


def _superseded(group: Sequence[Edition]) -> list[Edition]:
    """Those of one collection and issuer that another of them supersedes."""
    by_scope: dict[str | None, list[Edition]] = defaultdict(list)
    for edition in group:
        by_scope[edition.scope].append(edition)
    claiming = [e for e in group if e.claims]
    return [
        edition
        for edition in group
        if any(o.supersedes(edition) for o in (*by_scope[edition.scope], *claiming))
    ]


def _names(claim: str, other: Edition) -> bool:
    """Whether the claim names the other document: by identifier, or by its title's words.

    A year in the claim must be that of the document.
    """
    lowered = claim.casefold()
    for identifier in other.identifiers:
        if re.search(rf"(?<![\w.]){re.escape(identifier)}(?![\w/]|\.\w)", lowered):
            return True
    words = set(_words(claim))
    if not other.title or not words.issuperset(other.title):
        return False
    years = {word for word in words if _YEAR.fullmatch(word)}
    return not years or (other.dated or "")[:4] in years


def _first(values: Sequence[str]) -> str | None:
    return values[0] if values else None


def _only(values: set[str]) -> str | None:
    return next(iter(values)) if len(values) == 1 else None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold().replace("u.s.", "us"))


@cache
def rules_sha256() -> str:
    """The hash of the words that keys are made with; other words, other keys."""
    return sha256(_path().read_bytes())


def _path() -> Path:
    return resource("ontologies", "issuers.toml")


@cache
def _data() -> dict[str, object]:
    return tomllib.loads(_path().read_text(encoding="utf-8"))


@cache
def _lists() -> Mapping[str, frozenset[str]]:
    scope = _data()["scope"]
    assert isinstance(scope, dict)
    return {name: frozenset(words) for name, words in scope.items()}


@cache
def _issuers() -> Mapping[str, str]:
    found: dict[str, str] = {}
    issuers = _data()["issuer"]
    assert isinstance(issuers, list)
    for item in issuers:
        key = " ".join(_words(item["name"]))
        for name in (item["name"], *item["aliases"]):
            found[" ".join(_words(name))] = key
    return found
