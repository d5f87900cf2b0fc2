"""Annotations of the Human Phenotype Ontology (``phenotype.hpoa``), one document a disease.

The file has a line for each finding of a disease. A line becomes a row that stands alone, with the
ids and codes as the file gives them: nothing is looked up, counted or left out but the curator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from kgrag.errors import UnreadableFile
from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.encoding import Decoded, decode
from kgrag_ingest.readers.limits import check_size, no_text

# The columns of the format, in its order; the last is who wrote the line.
COLUMNS: Final = (
    "database_id", "disease_name", "qualifier", "hpo_id", "reference", "evidence", "onset",
    "frequency", "sex", "modifier", "aspect", "biocuration",
)  # fmt: skip
# What the term of a line is, by its aspect; other aspects are no finding of the disease.
_ASPECTS: Final = {
    "P": "Phenotype", "I": "Inheritance", "C": "Clinical course", "H": "Past medical history",
    "M": "Clinical modifier",
}  # fmt: skip
_FURTHER: Final = (
    ("Frequency", "frequency"), ("Onset", "onset"), ("Sex", "sex"), ("Modifier", "modifier"),
    ("Evidence", "evidence"), ("Reference", "reference"),
)  # fmt: skip
HEADER: Final = (
    "Disease", "Qualifier", *_ASPECTS.values(), *(name for name, _ in _FURTHER)
)  # fmt: skip


_UNFIT: Final = re.compile(r"[^\w.:@+=,-]+")
_RECORD_CHARS: Final = 120


class HpoaReader:
    """Reads the file of annotations; a disease's lines need not stand together."""

    name = "hpoa"
    version = "1"
    media_types: tuple[str, ...] = ("text/tab-separated-values",)
    suffixes: tuple[str, ...] = (".hpoa",)

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """A reading a disease, named by its id; ``original`` is the head and its own lines."""
        check_size(data, uri)
        decoded = decode(data, uri)
        lines = [line.rstrip("\r") for line in decoded.text.split("\n")]
        head = [line for line in lines if line.startswith("#")]
        body = [line for line in lines if line.strip() and not line.startswith("#")]
        if not body or tuple(body[0].rstrip().split("\t")) != COLUMNS:
            raise UnreadableFile(uri, "it has not the columns of an HPO annotation file")
        diseases: dict[str, list[list[str]]] = {}
        bad: list[UnreadableFile] = []
        for line in body[1:]:
            cells = line.split("\t")
            if len(cells) != len(COLUMNS) or not cells[0].strip() or not cells[3].strip():
                bad.append(UnreadableFile(uri, f"{clean(line)[:60]!r} is no line of annotations"))
                continue
            diseases.setdefault(cells[0].strip(), []).append(cells)
        if not diseases:
            raise no_text(uri)
        yield from bad
        version = _version(head)
        seen: set[str] = set()
        for identifier, rows in diseases.items():
            record = _UNFIT.sub("_", identifier)[:_RECORD_CHARS].lstrip(".")
            if not record or record in seen:
                yield UnreadableFile(uri, f"{clean(identifier)[:60]!r} cannot name a record")
                continue
            seen.add(record)
            own = "\n".join([*head, body[0], *("\t".join(cells) for cells in rows), ""])
            yield _reading(identifier, rows, version, record, own.encode(), decoded)


def _reading(
    identifier: str,
    rows: Sequence[Sequence[str]],
    version: str,
    record: str,
    original: bytes,
    decoded: Decoded,
) -> Reading:
    name = next((text for row in rows if (text := clean(row[1]))), clean(identifier))
    out = TextBuilder()
    out.heading(1, f"Phenotype annotations of {name} ({identifier})")
    out.table(HEADER, [_row(identifier, dict(zip(COLUMNS, row, strict=True))) for row in rows])
    if decoded.doubt:
        out.doubt(decoded.doubt.kind, decoded.doubt.level, decoded.doubt.message)
    metadata = meta.of(title=name, date=version, version=version, language="en")
    return out.build(metadata, record=record, original=original)


def _row(identifier: str, line: dict[str, str]) -> list[str]:
    disease = f"{line['disease_name']} ({identifier})"
    kind = _ASPECTS.get(line["aspect"].strip(), "Phenotype")
    return [
        disease,
        line["qualifier"],
        *(line["hpo_id"] if name == kind else "" for name in _ASPECTS.values()),
        *(line[column] for _, column in _FURTHER),
    ]


def _version(head: Sequence[str]) -> str:
    """What the head of the file says after ``#version:``; empty when it does not say."""
    for line in head:
        name, _, value = line[1:].partition(":")
        if name.strip().lower() == "version":
            return clean(value)
    return ""
