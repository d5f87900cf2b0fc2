"""``kgrag vocab check``: the lexicon holds what its registry says, and its ids can be right."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from kgrag.errors import KgragError
from kgrag.ids import sha256
from kgrag.paths import resource
from kgrag.vocabulary.compile import content_sha256
from kgrag.vocabulary.lexicon import Lexicon, default_path
from kgrag.vocabulary.prefixes import flaw, prefixes
from kgrag.vocabulary.registry import NO_LICENCE
from kgrag.vocabulary.relations import relations
from kgrag_ingest.ontologies import added
from kgrag_ingest.ontologies.base import package_file

_EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (``error``) or worth knowing (``note``); ``about`` says of what."""

    level: Literal["error", "note"]
    about: str
    what: str


def check(path: Path | None = None) -> tuple[Finding, ...]:
    """All findings on the lexicon at ``path``, the default one without; SettingsError without it.

    Errors: a hash that does not hold, a vocabulary whose file is gone, changed or not compiled
    in, an id of wrong form or unknown prefix, a missing licence, a predicate that the Biolink
    model lacks. Notes: ids that were refused, retired ids that lead nowhere.
    """
    with Lexicon.open(path) as lexicon:
        return (
            *_content(lexicon),
            *_sources(lexicon),
            *_licences(lexicon),
            *_identifiers(lexicon),
            *_retired(lexicon),
            *_model(lexicon),
        )


def _content(lexicon: Lexicon) -> Iterator[Finding]:
    uri = f"{lexicon.path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            found = content_sha256(connection)
    except sqlite3.DatabaseError as error:
        yield Finding("error", "lexicon", f"the file is damaged ({error}); kgrag vocab build")
        return
    if found != lexicon.sha256:
        yield Finding(
            "error",
            "lexicon",
            f"its content has sha256 {found[:12]}..., it says {lexicon.sha256[:12]}...;"
            " kgrag vocab build",
        )


def _sources(lexicon: Lexicon) -> Iterator[Finding]:
    records = {str(record["id"]): record for record in lexicon.registry}
    for identifier, record in records.items():
        if record.get("added"):
            yield from _added_source(identifier, record)
            continue
        try:
            found = _default_sha256(str(record["origin"]))
        except (KgragError, OSError) as error:
            yield Finding("error", identifier, f"its source cannot be read: {error}")
            continue
        if found != record["sha256"]:
            what = "was compiled from another file than is here now; kgrag vocab build"
            yield Finding("error", identifier, what)
    if lexicon.path == default_path():
        for identifier in added.names():
            if identifier not in records:
                what = "was added and is not in the lexicon; kgrag vocab build"
                yield Finding("error", identifier, what)


def _added_source(identifier: str, record: Mapping[str, object]) -> Iterator[Finding]:
    kept = added.path_of(identifier)
    if not kept.is_file():
        yield Finding("error", identifier, "its kept copy is gone; add it again")
    elif added.stored_sha256(kept) != record.get("stored_sha256"):
        yield Finding("error", identifier, "its kept copy was changed; add it again")


def _default_sha256(origin: str) -> str:
    """The hash of the file that a default vocabulary is compiled from."""
    paths = []
    for one in origin.split("+"):
        scheme, _, rest = one.partition(":")
        parts = rest.split("/")
        is_package = scheme == "pypi"
        paths.append(
            package_file(parts[0], *parts[1:]) if is_package else resource("ontologies", *parts[1:])
        )
    return sha256(b"".join(path.read_bytes() for path in paths))


def _licences(lexicon: Lexicon) -> Iterator[Finding]:
    for record in lexicon.registry:
        identifier = str(record["id"])
        if record.get("licence") in (None, "", NO_LICENCE):
            what = "its licence is not stated; add it again with --licence"
            yield Finding("error", identifier, what)
        elif record.get("needs_licence"):
            what = f"needs a licence of your own: {record['licence']}"
            yield Finding("note", identifier, what)
        problems: Any = record.get("problems") or ()
        if problems:
            what = f"{len(problems)} or more lines were left out, the first: {problems[0]}"
            yield Finding("note", identifier, what)


@dataclass(slots=True)
class _Examples:
    """Findings of one sort, counted, with the first few told."""

    number: Counter[str] = field(default_factory=Counter)
    shown: dict[str, list[str]] = field(default_factory=dict)

    def add(self, sort: str, example: str) -> None:
        self.number[sort] += 1
        shown = self.shown.setdefault(sort, [])
        if len(shown) < _EXAMPLES and example not in shown:
            shown.append(example)

    def findings(self, level: Literal["error", "note"]) -> Iterator[Finding]:
        for sort, number in self.number.items():
            yield Finding(level, "ids", f"{number:,} {sort}: {', '.join(self.shown[sort])}")


def _identifiers(lexicon: Lexicon) -> Iterator[Finding]:
    own: set[str] = set()
    for record in lexicon.registry:
        authority: Any = record.get("authority") or ()
        own.update(authority)
    known = prefixes()
    wrong, strange = _Examples(), _Examples()
    for concept in lexicon:
        for identifier in (concept.curie, *concept.same_as):
            prefix = identifier.partition(":")[0]
            if prefix not in known and prefix not in own:
                wrong.add("with a prefix that is in no registry", identifier)
            elif (reason := flaw(identifier)) is not None:
                wrong.add("of wrong form", reason)
        if lexicon.retired(concept.curie) is not None:
            strange.add("both in use and retired", concept.curie)
    yield from wrong.findings("error")
    yield from strange.findings("note")


def _retired(lexicon: Lexicon) -> Iterator[Finding]:
    counts: Counter[str] = Counter()
    for record in lexicon.all_retired():
        how = "lead to a concept in use" if lexicon.current(record.curie) else "lead nowhere"
        counts[how] += 1
    if counts:
        told = ", ".join(f"{number:,} {how}" for how, number in sorted(counts.items()))
        yield Finding("note", "retired ids", told)


def _model(lexicon: Lexicon) -> Iterator[Finding]:
    model = lexicon.part("biolink")
    if model is None:
        return
    for relation in relations().values():
        if relation.biolink is not None and relation.biolink not in model["predicates"]:
            what = f"{relation.biolink} of {relation.name} is no predicate of the compiled model"
            yield Finding("error", "biolink", what)
