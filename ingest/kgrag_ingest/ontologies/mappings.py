"""kgrag's own mappings between vocabularies: ``ontologies/mappings/*.sssom.tsv``."""

from __future__ import annotations

from collections.abc import Iterator

import kgrag
from kgrag.paths import resource
from kgrag_ingest.ontologies.base import Vocabulary, file_sha256
from kgrag_ingest.ontologies.loaders import read as read_draft


def read() -> Iterator[Vocabulary]:
    """The mapping files in order of name, a vocabulary each; a line of wrong form is an error."""
    for path in sorted(resource("ontologies", "mappings").glob("*.sssom.tsv")):
        draft = read_draft(path, "sssom")
        yield Vocabulary(
            id=f"mappings-{path.name.partition('.')[0].replace('_', '-')}",
            name=draft.name or path.name,
            version=draft.version or kgrag.__version__,
            licence=draft.licence or "Apache-2.0",
            origin=f"kgrag:ontologies/mappings/{path.name}",
            sha256=file_sha256(path),
            date=draft.date,
            entries=(),
            counts=dict(draft.counts),
            links=tuple(draft.links),
            kind="default",
            problems=tuple(draft.problems),
        )
