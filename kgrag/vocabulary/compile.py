"""Writing a lexicon: concepts with their names become one file that opens fast."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from kgrag.ids import canonical, sha256
from kgrag.records.concepts import Concept
from kgrag.vocabulary.lexicon import CASED, FORMAT, TYPES

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE concept (curie TEXT PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,
  synonyms TEXT NOT NULL, parents TEXT NOT NULL, same_as TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE alias (curie TEXT PRIMARY KEY, concept TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE matching (names TEXT NOT NULL, starts BLOB NOT NULL, concepts BLOB NOT NULL,
  kinds BLOB NOT NULL, curies TEXT NOT NULL, types BLOB NOT NULL);
"""


def write_lexicon(
    path: Path,
    concepts: Iterable[Concept],
    names: Mapping[str, Mapping[str, tuple[int, bool]]],
    *,
    registry: Sequence[Mapping[str, object]] = (),
) -> str:
    """Write the lexicon at ``path`` in one rename and give its content hash.

    ``names`` maps a folded name to CURIEs of ``concepts``, each with (kind, cased); see
    ``kgrag.vocabulary.lexicon``. An id in ``same_as`` of one concept only, and no concept itself,
    becomes an alias of that concept.
    """
    ordered = sorted(concepts, key=lambda concept: concept.curie)
    number = {concept.curie: at for at, concept in enumerate(ordered)}
    spelled = sorted(name for name in names if name)
    starts, targets, kinds = array("I", [0]), array("I"), bytearray()
    for name in spelled:
        for curie, (kind, cased) in sorted(names[name].items(), key=lambda i: (i[1][0], i[0])):
            targets.append(number[curie])
            kinds.append(kind | (CASED if cased else 0))
        starts.append(len(targets))
    rows = [
        (c.curie, c.name, c.type, "\n".join(c.synonyms), "\n".join(c.parents), "\n".join(c.same_as))
        for c in ordered
    ]
    content = sha256(canonical([rows, spelled]) + starts.tobytes() + targets.tobytes() + kinds)
    claims: dict[str, set[str]] = {}
    for concept in ordered:
        for other in concept.same_as:
            if other not in number:
                claims.setdefault(other, set()).add(concept.curie)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(part)) as connection:
        connection.executescript(_SCHEMA)
        connection.executemany("INSERT INTO concept VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.executemany(
            "INSERT INTO alias VALUES (?, ?)",
            ((other, *owners) for other, owners in sorted(claims.items()) if len(owners) == 1),
        )
        connection.execute(
            "INSERT INTO matching VALUES (?, ?, ?, ?, ?, ?)",
            (
                "\n".join(spelled),
                starts.tobytes(),
                targets.tobytes(),
                bytes(kinds),
                "\n".join(c.curie for c in ordered),
                bytes(TYPES.index(c.type) for c in ordered),
            ),
        )
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
    return content
