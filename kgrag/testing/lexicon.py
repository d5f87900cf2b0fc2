"""A small lexicon of a dozen concepts, for tests that need one and no packages."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kgrag.linking.normalise import variants
from kgrag.records.concepts import Concept
from kgrag.vocabulary.compile import write_lexicon
from kgrag.vocabulary.lexicon import GENERATED, PREFERRED, SYNONYM, Lexicon

CONCEPTS: Final = (
    Concept("MESH:D003920", "Diabetes Mellitus", "disease", ("diabetes",), (), ("DOID:9351",)),
    Concept("MESH:D003924", "Diabetes Mellitus, Type 2", "disease", ("type 2 diabetes",),
            ("MESH:D003920",)),
    Concept("MESH:D006333", "Heart Failure", "disease", ("cardiac failure",)),
    Concept("MESH:D006973", "Hypertension", "disease", ("high blood pressure",)),
    Concept("MESH:D000740", "Anemia", "disease"),
    Concept("MESH:D004487", "Edema", "phenotype", ("swelling",)),
    Concept("MESH:D001241", "Aspirin", "drug", ("acetylsalicylic acid", "ASA")),
    Concept("MESH:D008687", "Metformin", "drug"),
    Concept("MESH:D014859", "Warfarin", "drug"),
    Concept("MESH:D012964", "Sodium", "chemical"),
    Concept("LOINC:2951-2", "Sodium", "analyte"),
    Concept("CHEBI:1", "beta-alanine", "chemical"),
    Concept("MESH:D000544", "Alzheimer's Disease", "disease"),
    Concept("KGRAG:colonoscopy", "Colonoscopy", "procedure"),
)  # fmt: skip


def small_lexicon(path: Path) -> Lexicon:
    """The lexicon of ``CONCEPTS``, written at ``path`` and opened; short capitals are cased."""
    names: dict[str, dict[str, tuple[int, bool]]] = {}
    for concept in CONCEPTS:
        for at, name in enumerate((concept.name, *concept.synonyms)):
            cased = name.isupper()
            for number, spelled in enumerate(variants(name, plural=not cased)):
                kind = GENERATED if number else (SYNONYM if at else PREFERRED)
                names.setdefault(spelled, {}).setdefault(concept.curie, (kind, cased))
    write_lexicon(path, CONCEPTS, names, registry=[{"id": "small", "version": "1"}])
    return Lexicon.open(path)
