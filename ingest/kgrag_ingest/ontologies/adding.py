"""``kgrag vocab add`` and ``remove``: a user's vocabulary joins the lexicon, or leaves it.

The lexicon is compiled anew from the default vocabularies and all added ones, so that the outcome
depends on what was added and not on the order. Until the new one is whole nothing is changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from filelock import FileLock

from kgrag import __version__
from kgrag.errors import NotFound, SettingsError
from kgrag.ids import canonical, sha256
from kgrag.paths import cache_dir
from kgrag.vocabulary.lexicon import Lexicon, default_path
from kgrag.vocabulary.registry import NO_LICENCE, terms_of
from kgrag_ingest.ontologies import added, carriers
from kgrag_ingest.ontologies.base import Vocabulary
from kgrag_ingest.ontologies.build import Progress, build_lexicon
from kgrag_ingest.ontologies.loaders import detect, read
from kgrag_ingest.ontologies.loaders.base import Draft, Options, source_sha256


@dataclass(frozen=True, slots=True)
class Stated:
    """What the user says of a vocabulary; None where the file or the registry is to say it."""

    id: str | None = None
    name: str | None = None
    version: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """``state`` of the vocabulary, its record, and whether the default vocabularies are in."""

    state: Literal["added", "replaced", "unchanged"]
    record: Mapping[str, object]
    defaults: bool


def add(
    path: Path,
    kind: str | None = None,
    stated: Stated | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """The vocabulary at ``path`` is part of the user's lexicon.

    Adding the same again changes nothing; the same id with other content replaces the older one.
    UnreadableFile and SettingsError leave everything as it was.
    """
    chosen, said, how = kind or detect(path), stated or Stated(), options or Options()
    with FileLock(str(cache_dir("lexicon") / ".lock")):
        source = source_sha256(path)
        request = sha256(canonical([__version__, source, chosen, asdict(said), asdict(how)]))
        known = _asked_before(request)
        if known:
            return Outcome("unchanged", known, _has_defaults())
        draft = read(path, chosen, how)
        vocabulary = replace(_vocabulary(path, chosen, draft, said, source), request=request)
        _refuse_default_id(vocabulary.id)
        kept = added.path_of(vocabulary.id)
        there = kept.is_file()
        new = kept.with_name(f"{kept.name}.new")
        added.write(vocabulary, new)
        try:
            stored = added.stored_sha256(new)
            with_defaults = _may_have_defaults()
            vocabulary = replace(vocabulary, stored_sha256=stored)
            build_lexicon(
                default_path(),
                progress,
                brought=[*added.read_all(but=vocabulary.id), vocabulary],
                defaults=with_defaults,
            )
            new.replace(kept)
        finally:
            new.unlink(missing_ok=True)
    return Outcome("replaced" if there else "added", _record(vocabulary.id), with_defaults)


def remove(identifier: str, progress: Progress | None = None) -> None:
    """The vocabulary that the user added is no longer part of the lexicon; NotFound without it."""
    with FileLock(str(cache_dir("lexicon") / ".lock")):
        kept = added.path_of(identifier)
        if not kept.is_file():
            raise NotFound(
                "added vocabulary",
                identifier,
                hint=f"added: {', '.join(added.names()) or 'none'}",
            )
        build_lexicon(
            default_path(),
            progress,
            brought=added.read_all(but=identifier),
            defaults=_may_have_defaults(),
        )
        kept.unlink()


def _asked_before(request: str) -> Mapping[str, object]:
    """The record of the vocabulary that the same request gave, if it is whole; else nothing."""
    for record in _records():
        if record.get("request") == request:
            kept = added.path_of(str(record["id"]))
            if kept.is_file() and added.stored_sha256(kept) == record["stored_sha256"]:
                return record
    return {}


def _vocabulary(path: Path, kind: str, draft: Draft, stated: Stated, source: str) -> Vocabulary:
    spelled = Counter(entry.curie.partition(":")[0] for entry in draft.entries)
    prefix = spelled.most_common(1)[0][0] if spelled else None
    terms = terms_of(kind, prefix)
    name = stated.name or draft.name or (terms.name if terms else path.stem)
    identifier = stated.id or _id(kind, prefix, path)
    return Vocabulary(
        id=identifier,
        name=name,
        version=stated.version or draft.version or "not stated",
        licence=stated.licence or draft.licence or (terms.licence if terms else NO_LICENCE),
        origin=str(path.resolve()),
        sha256=source,
        date=draft.date,
        entries=tuple(draft.entries),
        counts=dict(draft.counts),
        retired=tuple(replace(record, vocabulary=identifier) for record in draft.retired),
        links=tuple(draft.links),
        kind=kind,
        needs_licence=terms.needs_licence if terms else False,
        authority=frozenset(draft.authority),
        problems=tuple(draft.problems),
    )


def _id(kind: str, prefix: str | None, path: Path) -> str:
    """By the format where there is one vocabulary of it, else by the ids, else by the file."""
    if kind not in ("obo", "owl", "skos", "sssom", "table"):
        return kind
    plain = (prefix or path.name.partition(".")[0]).lower()
    return re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-._") or kind


def _records() -> tuple[Mapping[str, object], ...]:
    path = default_path()
    if not path.is_file():
        return ()
    try:
        with Lexicon.open(path) as lexicon:
            return lexicon.registry
    except SettingsError:  # of another format: it is compiled anew
        return ()


def _record(identifier: str) -> Mapping[str, object]:
    return next((record for record in _records() if record["id"] == identifier), {})


def _has_defaults() -> bool:
    return any(record["id"] == "hpo" and not record.get("added") for record in _records())


def _refuse_default_id(identifier: str) -> None:
    if any(r["id"] == identifier and not r.get("added") for r in _records()):
        raise SettingsError(
            f"{identifier!r} is the id of a default vocabulary", hint="give another with --id"
        )


def _may_have_defaults() -> bool:
    """Whether the default vocabularies can be compiled in; it is no option to lose them."""
    if carriers.are_fetched():
        return True
    if default_path().is_file() and (_has_defaults() or not _records()):
        raise SettingsError(
            "the packages of the default vocabularies are gone from the cache",
            hint="kgrag vocab build fetches them; then add again",
        )
    return False
