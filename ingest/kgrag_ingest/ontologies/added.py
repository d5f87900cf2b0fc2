"""The vocabularies that the user added, kept in the cache beside the lexicon, a file each.

A file holds what was read, so that the lexicon can be compiled again when the original is gone;
it is written whole and replaced by one rename.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from kgrag.errors import DataError, SettingsError
from kgrag.ids import sha256
from kgrag.paths import cache_dir
from kgrag.vocabulary.lexicon import Retired
from kgrag_ingest.ontologies.base import Entry, Link, Name, Vocabulary

_FORMAT: Final = 1
_SUFFIX: Final = ".jsonl.gz"
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def folder() -> Path:
    return cache_dir("lexicon", "added")


def path_of(identifier: str) -> Path:
    """Where the vocabulary of that id is kept; SettingsError for what cannot be an id."""
    if _ID.fullmatch(identifier) is None:
        raise SettingsError(
            f"{identifier!r} cannot be the id of a vocabulary",
            hint="lower-case letters, digits, dots, dashes and underscores",
        )
    return folder() / f"{identifier}{_SUFFIX}"


def names() -> tuple[str, ...]:
    """The ids of the added vocabularies, sorted."""
    return tuple(sorted(p.name.removesuffix(_SUFFIX) for p in folder().glob(f"*{_SUFFIX}")))


def write(vocabulary: Vocabulary, path: Path) -> None:
    """The vocabulary stands whole at ``path``; equal vocabularies give equal bytes."""
    part = path.with_name(f"{path.name}.part")
    with (
        part.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as file,
    ):
        for row in _rows(vocabulary):
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode())
            file.write(b"\n")
    part.replace(path)


def _rows(v: Vocabulary) -> Iterator[Any]:
    fields = ("id", "name", "version", "licence", "origin", "sha256", "date", "kind", "request")
    head: dict[str, Any] = {name: getattr(v, name) for name in fields}
    head |= {"needs_licence": v.needs_licence, "authority": sorted(v.authority)}
    head |= {"counts": dict(v.counts), "problems": list(v.problems), "format": _FORMAT}
    yield head
    for e in v.entries:
        names_ = [[n.text, n.kind, n.cased, n.matched] for n in e.names]
        yield ["E", e.curie, e.name, e.type, names_, e.parents, e.same_as]
    for r in v.retired:
        yield ["R", r.curie, r.name, list(r.replaced_by)]
    for link in v.links:
        yield ["L", *asdict(link).values()]


def read(path: Path) -> Vocabulary:
    """The vocabulary of a file; DataError when the file is not whole."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            head = json.loads(next(file))
            if head.pop("format") != _FORMAT:
                raise ValueError("it was written by another version")
            entries, retired, links = [], [], []
            for line in file:
                tag, *row = json.loads(line)
                if tag == "E":
                    curie, name, type_, names_, parents, same_as = row
                    spelled = [Name(*n) for n in names_]
                    entries.append(Entry(curie, name, type_, spelled, parents, same_as))
                elif tag == "R":
                    retired.append(Retired(row[0], row[1], tuple(row[2]), head["id"]))
                else:
                    links.append(Link(*row))
    except (OSError, EOFError, ValueError, KeyError, StopIteration) as error:
        raise DataError(
            f"{path}: the added vocabulary cannot be read ({error})", hint="add it again"
        ) from error
    head["authority"] = frozenset(head["authority"])
    head["problems"] = tuple(head["problems"])
    return Vocabulary(
        **head,
        entries=tuple(entries),
        retired=tuple(retired),
        links=tuple(links),
        stored_sha256=stored_sha256(path),
    )


def read_all(*, but: str | None = None) -> list[Vocabulary]:
    """All added vocabularies in order of id, without that of the id ``but``."""
    return [read(path_of(identifier)) for identifier in names() if identifier != but]


def stored_sha256(path: Path) -> str:
    """The hash by which ``kgrag vocab check`` knows the file again."""
    return sha256(path.read_bytes())
