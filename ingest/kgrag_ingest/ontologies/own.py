"""kgrag's own short list of procedures, tests and populations: ``ontologies/own_terms.toml``."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import cast, get_args

import kgrag
from kgrag.errors import SettingsError
from kgrag.linking.normalise import key
from kgrag.paths import resource
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import SYNONYM
from kgrag_ingest.ontologies.base import Entry, Name, Vocabulary, file_sha256


def read() -> Vocabulary:
    """The terms of the file; each line is a name with its synonyms behind bars."""
    path = resource("ontologies", "own_terms.toml")
    with path.open("rb") as file:
        data = tomllib.load(file)
    counts: Counter[str] = Counter()
    entries = []
    for type_, lines in data.items():
        if type_ not in get_args(ConceptType):
            raise SettingsError(f"{path.name}: {type_!r} is no type of concept")
        for line in lines:
            name, *others = (part.strip() for part in line.split("|"))
            counts[type_] += 1
            entries.append(
                Entry(
                    f"KGRAG:{key(name).replace(' ', '-')}",
                    name,
                    cast("ConceptType", type_),
                    [Name(other, SYNONYM, other.isupper()) for other in others],
                )
            )
    return Vocabulary(
        id="kgrag",
        name="Procedures, tests and populations of kgrag",
        version=kgrag.__version__,
        licence="Apache-2.0",
        origin="kgrag:ontologies/own_terms.toml",
        sha256=file_sha256(path),
        date=None,
        entries=tuple(entries),
        counts=counts,
    )
