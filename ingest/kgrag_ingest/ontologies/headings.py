"""Common MeSH headings written down by hand: ``ontologies/mesh_headings.tsv``.

The entity packages have wrong ids for many of the commonest headings, and no other package can
mend them. A line is used only where neither MeSH nor the cross-walk gives its id another name.
"""

from __future__ import annotations

from typing import cast, get_args

import kgrag
from kgrag.errors import SettingsError
from kgrag.linking.normalise import key, numbers
from kgrag.paths import resource
from kgrag.records.concepts import ConceptType
from kgrag_ingest.ontologies.base import Entry, Name, Vocabulary, file_sha256
from kgrag_ingest.ontologies.crosswalk import Crosswalk


def read(crosswalk: Crosswalk) -> tuple[Vocabulary, dict[str, str]]:
    """The headings as entries, and their ids by folded name."""
    path = resource("ontologies", "mesh_headings.tsv")
    entries: list[Entry] = []
    refused = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        curie, type_, names = line.split("\t")
        name, *others = names.split("|")
        if type_ not in get_args(ConceptType):
            raise SettingsError(f"{path.name}: {type_!r} is no type of concept")
        known = {form for own in crosswalk.names(curie) for form in numbers(key(own))}
        if known and known.isdisjoint(f for n in (name, *others) for f in numbers(key(n))):
            refused += 1
            continue
        entries.append(Entry(curie, name, cast("ConceptType", type_), [Name(o) for o in others]))
    vocabulary = Vocabulary(
        id="mesh-headings",
        name="Common MeSH headings, written down by hand",
        version=kgrag.__version__,
        licence="Apache-2.0; MeSH courtesy of the U.S. National Library of Medicine",
        origin="kgrag:ontologies/mesh_headings.tsv",
        sha256=file_sha256(path),
        date=None,
        entries=tuple(entries),
        counts={"refused: the id is named otherwise": refused},
    )
    return vocabulary, {key(entry.name): entry.curie for entry in entries}
