"""Documents whose assertions and recommendations are given, with text that exports must escape."""

from __future__ import annotations

from dataclasses import replace

from asserted_world import Said, curie, document

from kgrag.records.recommendations import Grade, Recommendation
from kgrag.records.text import Metadata, Page, Section
from kgrag.stores.base import Ingested
from kgrag.stores.memory_truth import MemoryTruth

HOSTILE = 'aspirin "prevents" \\stroke\\ – β, 100 % | <b>&amp; 𝄞\u2028\u00ad\x7f.'
ONE: list[Said] = [
    ("aspirin", "prevents", "stroke", False, HOSTILE),
    ("aspirin", "treats", "gout", True, "aspirin never treats gout\\."),
    ("unnamed", "causes", "stroke", False, "unnamed causes stroke."),
]
ADVICE = "Offer aspirin to women over 50 for stroke (Grade B)."


def guideline(identifier: str = "one", said: list[Said] | None = None) -> Ingested:
    """A document of two pages and sections, with one recommendation in its last line."""
    item = document(identifier, [*(said or ONE), ("aspirin", "treats", "stroke", False, ADVICE)])
    made = item.document
    at = made.text.index(ADVICE)
    recommendation = Recommendation(
        made.id,
        at,
        at + len(ADVICE),
        ADVICE,
        "for",
        (at, at + len("Offer aspirin")),
        (at + ADVICE.index("women"), at + ADVICE.index(" for stroke")),
        Grade("USPSTF", "Grade B", "moderate", _at(made.text, "Grade B")),
        None,
        (curie("aspirin"),),
        (curie("stroke"),),
        "female",
        50.0,
        None,
        "Issuer | one",
        "2024-05",
        ("the advice of 2019",),
        "hand",
    )
    metadata = Metadata(
        'A "title"\twith <tags> & | bars\n', "Publisher", "2024-05-17", "2", "CC0", "en",
        (("pmid", "123"), ("doi", "10.1/x|y")), None,
    )  # fmt: skip
    changed = replace(
        made,
        metadata=metadata,
        sections=(Section("Top | ›", 1, 0, at), Section("Advice", 1, at, len(made.text))),
        pages=(Page(1, 0, at), Page(2, at, len(made.text))),
    )
    return replace(item, document=changed, recommendations=(recommendation,))


def _at(text: str, words: str) -> tuple[int, int]:
    return text.index(words), text.index(words) + len(words)


def world() -> MemoryTruth:
    """A guideline, and a second document of another collection that repeats its first sentence."""
    truth = MemoryTruth()
    truth.put(guideline())
    truth.put(document("two", ONE[:1], collection="other"))
    return truth
