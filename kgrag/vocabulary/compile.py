"""Writing a lexicon: concepts with their names become one file that opens fast."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from kgrag.ids import canonical
from kgrag.records.concepts import Concept
from kgrag.vocabulary.lexicon import CASED, FORMAT, TYPES, Retired
from kgrag.vocabulary.names import shelves

# A name as texts write it: (folded, CURIE, kind, cased).
Spelling = tuple[str, str, int, bool]
Names = Mapping[str, Mapping[str, tuple[int, bool]]] | Iterable[Spelling]

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE concept (curie TEXT PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,
  synonyms TEXT NOT NULL, parents TEXT NOT NULL, same_as TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE narrower (parent TEXT NOT NULL, child TEXT NOT NULL,
  PRIMARY KEY (parent, child)) WITHOUT ROWID;
CREATE TABLE alias (curie TEXT PRIMARY KEY, concept TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE retired (curie TEXT PRIMARY KEY, name TEXT NOT NULL, replaced_by TEXT NOT NULL,
  vocabulary TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE matching (names BLOB NOT NULL, shelves BLOB NOT NULL, starts BLOB NOT NULL,
  concepts BLOB NOT NULL, kinds BLOB NOT NULL, curies BLOB NOT NULL, types BLOB NOT NULL);
CREATE TABLE part (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_STAGING = "CREATE TEMP TABLE spelling (name TEXT, concept INTEGER, kind INTEGER)"


def write_lexicon(
    path: Path,
    concepts: Iterable[Concept],
    names: Names,
    *,
    retired: Iterable[Retired] = (),
    registry: Sequence[Mapping[str, object]] = (),
    parts: Mapping[str, object] | None = None,
) -> str:
    """Write the lexicon at ``path`` in one rename and give its content hash.

    ``names`` maps a folded name to CURIEs of ``concepts``, each with (kind, cased), or gives the
    same as spellings, in any order. An id in ``same_as`` of one concept only, and no concept
    itself, becomes an alias of that concept; so does a retired id with one replacement.
    ``parts`` are further tables as JSON (units, the Biolink model), under their names.
    """
    ordered = sorted(concepts, key=lambda concept: concept.curie)
    number = {concept.curie: at for at, concept in enumerate(ordered)}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(part)) as connection:
            # A file that is not whole is thrown away, so nothing of it need survive a crash.
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            connection.executescript(_SCHEMA)
            _write_concepts(connection, ordered, number)
            _write_matching(connection, ordered, number, _spellings(names))
            _write_aliases(connection, ordered, number, tuple(retired))
            for name, value in sorted((parts or {}).items()):
                text = json.dumps(value, ensure_ascii=False, sort_keys=True)
                connection.execute("INSERT INTO part VALUES (?, ?)", (name, text))
            content = content_sha256(connection)
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [
                    ("format", str(FORMAT)),
                    ("sha256", content),
                    ("registry", json.dumps(list(registry), ensure_ascii=False, sort_keys=True)),
                ],
            )
            connection.commit()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return content


def content_sha256(connection: sqlite3.Connection) -> str:
    """The hash of what a lexicon's file holds, whatever the file looks like inside."""
    digest = hashlib.sha256()
    for table, columns in _HASHED.items():
        for row in connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1"):  # noqa: S608
            digest.update(canonical(row))
    for row in connection.execute("SELECT names, starts, concepts, kinds, types FROM matching"):
        for piece in row:
            digest.update(piece)
    return digest.hexdigest()


_HASHED = {
    "concept": "curie, name, type, synonyms, parents, same_as",
    "retired": "curie, name, replaced_by",
    "alias": "curie, concept",
    "part": "name, value",
}


def _spellings(names: Names) -> Iterator[Spelling]:
    if not isinstance(names, Mapping):
        yield from names
        return
    for name, its in names.items():
        for curie, (kind, cased) in its.items():
            yield name, curie, kind, cased


def _write_concepts(
    connection: sqlite3.Connection,
    ordered: Sequence[Concept],
    number: Mapping[str, int],
) -> None:
    def rows() -> Iterator[tuple[str, ...]]:
        for c in ordered:
            yield c.curie, c.name, c.type, *map("\n".join, (c.synonyms, c.parents, c.same_as))

    connection.executemany("INSERT INTO concept VALUES (?, ?, ?, ?, ?, ?)", rows())
    pairs = {(parent, c.curie) for c in ordered for parent in c.parents if parent in number}
    connection.executemany("INSERT INTO narrower VALUES (?, ?)", sorted(pairs))


def _write_matching(
    connection: sqlite3.Connection,
    ordered: Sequence[Concept],
    number: Mapping[str, int],
    spellings: Iterable[Spelling],
) -> None:
    """The names in order, each with its concepts: of two kinds of one name the better holds."""
    connection.execute(_STAGING)
    connection.executemany(
        "INSERT INTO spelling VALUES (?, ?, ?)",
        ((name, number[curie], kind * 2 + cased) for name, curie, kind, cased in spellings if name),
    )
    starts, targets, kinds = array("I", [0]), array("I"), bytearray()

    def sorted_names() -> Iterator[str]:
        # The database sorts on disk what would not fit in memory.
        rows = connection.execute(
            "SELECT name, kind, concept FROM spelling ORDER BY name, kind / 2, concept, kind"
        )
        for name, its in groupby(rows, itemgetter(0)):
            taken: set[int] = set()
            for _, kind, concept in its:
                if concept not in taken:
                    taken.add(concept)
                    targets.append(concept)
                    kinds.append(kind // 2 | (CASED if kind % 2 else 0))
            starts.append(len(targets))
            yield name

    text, table, _ = shelves(sorted_names())
    connection.execute("DROP TABLE spelling")
    connection.execute(
        "INSERT INTO matching VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            text,
            table,
            starts.tobytes(),
            targets.tobytes(),
            bytes(kinds),
            "".join(f"{c.curie}\n" for c in ordered).encode(),
            bytes(TYPES.index(c.type) for c in ordered),
        ),
    )


def _write_aliases(
    connection: sqlite3.Connection,
    ordered: Sequence[Concept],
    number: Mapping[str, int],
    retired: Sequence[Retired],
) -> None:
    claims: dict[str, set[str]] = {}
    for concept in ordered:
        for other in concept.same_as:
            if other not in number:
                claims.setdefault(other, set()).add(concept.curie)
    used = {other: owners.pop() for other, owners in claims.items() if len(owners) == 1}
    followed = {r.curie: r.replaced_by[0] for r in retired if len(r.replaced_by) == 1}
    for record in sorted(retired, key=lambda record: record.curie):
        if record.curie in number:
            continue  # a vocabulary still has it
        connection.execute(
            "INSERT OR IGNORE INTO retired VALUES (?, ?, ?, ?)",
            (record.curie, record.name, "\n".join(record.replaced_by), record.vocabulary),
        )
        target, passed = followed.get(record.curie), {record.curie}
        while target is not None and target not in number and target not in passed:
            passed.add(target)
            target = used.get(target) or followed.get(target)
        if target is not None and target in number:
            used.setdefault(record.curie, target)
    connection.executemany("INSERT INTO alias VALUES (?, ?)", sorted(used.items()))
