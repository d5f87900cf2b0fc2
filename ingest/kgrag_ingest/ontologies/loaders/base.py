"""What loaders share: the draft that they fill, and reading of hostile and broken files."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Protocol

from kgrag.errors import UnreadableFile
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import Retired
from kgrag.vocabulary.prefixes import canonical, flaw
from kgrag_ingest.ontologies.base import Entry, Link

HEAD: Final = 16_384  # characters by which a file is recognised
_SHOWN: Final = 200  # problems kept as lines; further ones are counted
_LONGEST: Final = 1_000_000  # characters of one line or cell


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may say of a file: the type of its concepts, their prefix, sources to take."""

    type: ConceptType | None = None
    prefix: str | None = None
    sources: tuple[str, ...] = ()


@dataclass(slots=True)
class Draft:
    """What a loader found so far. ``problems`` are lines that name the place and the reason."""

    path: Path
    name: str | None = None
    version: str | None = None
    licence: str | None = None
    date: str | None = None
    entries: list[Entry] = field(default_factory=list)
    retired: list[Retired] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    authority: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def problem(self, where: str, what: str) -> None:
        """One line on something that was left out; the rest goes on."""
        self.counts["problems"] += 1
        if len(self.problems) < _SHOWN:
            self.problems.append(f"{where}: {what}")

    def xrefs(self, identifiers: Iterable[str]) -> list[str]:
        """The ids as kgrag writes them; those of unknown prefixes or bad form are counted off."""
        kept: dict[str, None] = {}
        for identifier in identifiers:
            known = canonical(identifier)
            if known is None:
                self.counts["cross-references of unknown prefix"] += 1
            elif flaw(known) is not None:
                self.counts["cross-references of wrong form"] += 1
            else:
                kept[known] = None
        return list(kept)

    def finish(self) -> None:
        """Ids are whole and used once, and there is something to use; else UnreadableFile."""
        kept: dict[str, Entry] = {}
        for entry in self.entries:
            wrong = flaw(entry.curie)
            if wrong is not None:
                self.problem(entry.curie, wrong)
            elif not entry.name.strip():
                self.problem(entry.curie, "has no name")
            elif entry.curie in kept:
                self.problem(entry.curie, "comes twice; the first was kept")
            else:
                kept[entry.curie] = entry
        self.entries = list(kept.values())
        if not (self.entries or self.retired or self.links):
            reason = f" ({self.problems[0]})" if self.problems else ""
            raise UnreadableFile(str(self.path), f"holds no concept that could be read{reason}")


class Loader(Protocol):
    """A format of vocabularies.

    ``recognises`` looks at the path and at the first ``HEAD`` characters (the names of the files
    in a folder). ``read`` fills the draft; it raises UnreadableFile where nothing can be used and
    notes a problem where a part cannot.
    """

    kind: str

    def recognises(self, path: Path, head: str) -> bool: ...

    def read(self, path: Path, draft: Draft, options: Options) -> None: ...


def head_of(path: Path) -> str:
    """The first characters of a file, or the names in a folder, a line each, sub-folders' too."""
    if path.is_dir():
        return "\n".join(sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file()))
    try:
        with open_bytes(path) as file:
            return file.read(HEAD).decode("utf-8-sig", errors="replace")
    except (OSError, EOFError) as error:
        raise UnreadableFile(str(path), f"cannot be read ({error})") from error


def named(folder: Path, name: str) -> Path | None:
    """The file of that name in the folder or below it, gzipped or not."""
    found = sorted(p for p in folder.rglob("*") if p.name.upper() in (name, f"{name}.GZ"))
    return found[0] if found else None


def needed(folder: Path, name: str) -> Path:
    """The same; UnreadableFile without it."""
    path = named(folder, name)
    if path is None:
        raise UnreadableFile(str(folder), f"has no {name}")
    return path


def open_bytes(path: Path) -> IO[bytes]:
    """The file, unpacked when its name ends in ``.gz``."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def text_lines(path: Path, draft: Draft) -> Iterator[tuple[int, str]]:
    """The lines with their numbers; one that is not UTF-8, or is giant, is a problem."""
    number = 0
    try:
        with open_bytes(path) as file:
            while raw := file.readline(_LONGEST):
                number += 1
                if len(raw) >= _LONGEST and not raw.endswith(b"\n"):
                    raise UnreadableFile(str(path), f"line {number} is longer than {_LONGEST:,}")
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError:
                    draft.problem(f"{path.name}:{number}", "is not UTF-8; left out")
                    continue
                if "\0" in line:
                    draft.problem(f"{path.name}:{number}", "holds NUL bytes; left out")
                    continue
                yield number, line.rstrip("\r\n")
    except (OSError, EOFError) as error:
        raise UnreadableFile(str(path), f"cannot be read behind line {number} ({error})") from error


def pipe_rows(path: Path, draft: Draft, fields: int) -> Iterator[list[str]]:
    """The rows of an RRF file (``a|b|...|``) that have at least ``fields`` fields."""
    for number, line in text_lines(path, draft):
        row = line.split("|")
        if len(row) < fields:
            draft.problem(f"{path.name}:{number}", f"has {len(row)} fields of {fields}; left out")
        else:
            yield row


def table_rows(
    path: Path, draft: Draft, needed: tuple[str, ...], *, quoted: bool = True
) -> Iterator[Mapping[str, str]]:
    """The rows of a table by its header; lines before it that begin with ``#`` are passed over.

    The separator is what the header has most of: tab, comma, semicolon or bar. UnreadableFile
    when a ``needed`` column is missing; a row with more or fewer cells is a problem.
    """
    numbered = text_lines(path, draft)
    header = next((line for _, line in numbered if line.strip() and line[0] != "#"), "")
    separator = max("\t,;|", key=header.count)
    columns = [name.strip() for name in _cells(header, separator, quoted)]
    missing = [name for name in needed if name not in columns]
    if missing:
        shown = ", ".join(columns)[:200]
        raise UnreadableFile(str(path), f"has no column {', '.join(missing)} (it has: {shown})")
    for number, line in numbered:
        if not line.strip():
            continue
        cells = _cells(line, separator, quoted)
        if len(cells) != len(columns):
            what = f"has {len(cells)} cells of {len(columns)}; left out"
            draft.problem(f"{path.name}:{number}", what)
            continue
        yield dict(zip(columns, cells, strict=True))


def _cells(line: str, separator: str, quoted: bool) -> list[str]:
    if not quoted or '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        return line.split(separator)


def source_sha256(path: Path) -> str:
    """The SHA-256 of the file; of a folder, that of its files' names and hashes in order."""
    if path.is_dir():
        total = hashlib.sha256()
        for inner in sorted(p for p in path.rglob("*") if p.is_file()):
            total.update(f"{inner.relative_to(path)}\0{source_sha256(inner)}\n".encode())
        return total.hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
