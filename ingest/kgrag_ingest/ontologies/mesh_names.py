"""The names that MeSH itself gives its ids, from the mappings of the package biomappings.

A mapping of that package, whether it is right, wrong or only predicted, names both of its ends by
the names of their own vocabularies. So its 60,000 MeSH ids with their names are a table by which
the ids of other packages can be judged. Of the mappings themselves nothing is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from kgrag.errors import DataError
from kgrag_ingest.ontologies.base import Vocabulary, package_file, package_version

_FOLDER: Final = ("biomappings", "biomappings", "resources")
_FILES: Final = ("positive.sssom.tsv", "negative.sssom.tsv", "predictions.sssom.tsv")
_ENDS: Final = (("subject_id", "subject_label"), ("object_id", "object_label"))


def read() -> tuple[Vocabulary, Mapping[str, frozenset[str]]]:
    """The record, and the names by id (``MESH:D003920``); nearly all ids have one name."""
    names: dict[str, set[str]] = {}
    digest = hashlib.sha256()
    for name in _FILES:
        path = package_file(*_FOLDER, name)
        data = path.read_bytes()
        digest.update(data)
        lines = (row for row in data.decode("utf-8").splitlines() if not row.startswith("#"))
        columns = next(lines).split("\t")
        places = [(columns.index(end), columns.index(label)) for end, label in _ENDS]
        for line in lines:
            row = line.split("\t")
            for end, label in places:
                if len(row) > label and row[end].startswith("mesh:") and row[label]:
                    names.setdefault(f"MESH:{row[end][5:]}", set()).add(row[label])
    if not names:
        raise DataError("biomappings names no MeSH id: its files have changed")
    vocabulary = Vocabulary(
        id="mesh-names",
        name="Names that MeSH gives its ids",
        version=package_version("biomappings"),
        licence="CC0 1.0; MeSH courtesy of the U.S. National Library of Medicine",
        origin="+".join(f"pypi:{'/'.join(_FOLDER)}/{name}" for name in _FILES),
        sha256=digest.hexdigest(),
        date=None,
        entries=(),
        counts={"ids": len(names)},
    )
    return vocabulary, {mesh: frozenset(its) for mesh, its in names.items()}
