"""The labelled abstracts of BC5CDR, NCBI-disease and BioRED, as documents to learn from."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from kgrag.linking.learn import Label, Labelled
from kgrag.linking.learned import Kind

Half = Literal["dev", "test"]

KINDS: dict[str, Kind] = {
    "Chemical": "substance", "ChemicalEntity": "substance", "Disease": "condition",
    "DiseaseClass": "condition", "SpecificDisease": "condition", "CompositeMention": "condition",
    "Modifier": "condition", "DiseaseOrPhenotypicFeature": "condition",
}  # fmt: skip


def folder() -> Path:
    data = os.environ.get("KGRAG_DATA")
    if not data:
        sys.exit("set KGRAG_DATA to the folder of benchmark data")
    return Path(data) / "bench"


def bc5cdr() -> list[Labelled]:
    return list(_articles(folder() / "bc5cdr/bc5cdr.PubTator"))


def ncbi_disease() -> list[Labelled]:
    return list(_articles(folder() / "ncbi_disease/ncbi_disease.PubTator"))


def biored_rest() -> list[Labelled]:
    """The BioRED abstracts that are in neither of the other two."""
    known = {document.id for document in (*bc5cdr(), *ncbi_disease())}
    return [d for d in _articles(folder() / "biored/biored.PubTator") if d.id not in known]


def half(document: Labelled) -> Half:
    """By parity of the SHA-256 of the id: rules were made while reading the dev half alone."""
    return "dev" if hashlib.sha256(document.id.encode()).digest()[0] % 2 == 0 else "test"


def fold(document: Labelled, folds: int = 10) -> int:
    return int(hashlib.sha256(f"fold {document.id}".encode()).hexdigest(), 16) % folds


def _articles(path: Path) -> Iterator[Labelled]:
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        title, text, number = "", "", ""
        labels: list[Label] = []
        for line in block.splitlines():
            if "|t|" in line[:20]:
                number, _, title = line.split("|", 2)
            elif "|a|" in line[:20]:
                text = f"{title} {line.split('|', 2)[2]}"
            else:
                parts = line.split("\t")
                if len(parts) >= 6 and parts[4] in KINDS:
                    labels.append(
                        Label(int(parts[1]), int(parts[2]), KINDS[parts[4]], _concepts(parts[5]))
                    )
        if number:
            yield Labelled(number, text, tuple(labels))


def _concepts(field: str) -> tuple[str, ...]:
    """The MeSH ids of a label, in order; OMIM ids and "-1" are left out."""
    ids = (i.strip() for piece in field.replace(",", "|").split("|") for i in piece.split("+"))
    return tuple(
        f"MESH:{i.removeprefix('MESH:').removeprefix('MESH_')}"
        for i in ids
        if i not in ("-1", "-", "") and not i.startswith("OMIM")
    )
