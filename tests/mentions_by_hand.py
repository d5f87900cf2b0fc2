"""Mentions of a few names, for tests of extraction that need no lexicon."""

from __future__ import annotations

import re
from typing import Final

from kgrag.records.concepts import ConceptType, Mention

NAMES: Final[dict[str, ConceptType]] = {
    "amoxicillin": "drug", "warfarin": "drug", "aspirin": "drug", "propranolol": "drug",
    "pneumonia": "disease", "bronchitis": "disease", "asthma": "disease", "stroke": "disease",
    "fever": "phenotype", "cough": "phenotype", "spirometry": "procedure",
    "colorectal cancer": "disease", "hepatitis b": "disease", "hyperkalemia": "disease",
    "potassium": "chemical", "iodine": "chemical", "metformin": "drug", "sitagliptin": "drug",
    "infection": "disease", "toxicity": "disease", "bleeding": "phenotype",
    "colonoscopy": "procedure", "creatinine": "drug", "pregnancy": "other",
    "ophthalmic solution": "drug",
}  # fmt: skip
_PATTERN: Final = re.compile("|".join(NAMES), re.IGNORECASE)


def mentions(text: str) -> list[Mention]:
    """The names in ``text``, each as the concept ``X:name``."""
    return [
        Mention(m.start(), m.end(), m.group(), f"X:{m.group().lower()}", NAMES[m.group().lower()])
        for m in _PATTERN.finditer(text)
    ]
