"""What a name may mean as a condition or as a substance, and how much speaks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kgrag.linking.features import Features, name_features
from kgrag.linking.learned import KINDS, Kind, LearnedName
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import Candidate

# What a name of several types means when nothing around it tells: substances before analytes,
# diseases before findings.
ORDER: Final[dict[ConceptType, int]] = {
    "disease": 0, "drug": 0, "chemical": 1, "phenotype": 2, "procedure": 3,
    "analyte": 4, "anatomy": 5, "other": 6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """A folded name as one kind: its concept, and the features that are weighed.

    ``best`` is the best candidate of the lexicon, None for a name that only labels know.
    """

    concept: str
    type: ConceptType
    features: Features
    best: Candidate | None
    known: bool
    runners_up: tuple[str, ...]


def option(
    name: str,
    kind: Kind,
    candidates: Sequence[Candidate],
    entry: LearnedName | None,
    *,
    same: Mapping[str, str],
    concepts: Mapping[str, int],
    stopped: bool,
) -> Option | None:
    """The option of a name, None when neither the lexicon nor the labels know it as that kind.

    ``candidates`` are all of the lexicon; ``concepts`` counts the labels of each concept.
    """
    its = sorted(
        (c for c in candidates if KINDS.get(c.type) == kind),
        key=lambda c: (c.kind, not concepts.get(c.curie), ORDER[c.type], c.curie),
    )
    if entry is not None and entry.concept is not None:
        concept, type_ = entry.concept, its[0].type if its else entry.type
    elif its:
        concept, type_ = same.get(its[0].curie, its[0].curie), its[0].type
    else:
        return None
    others = sorted({c.type for c in candidates if KINDS.get(c.type) != kind})
    labelled = entry.labelled if entry else 0
    seen = entry.seen if entry else 0
    features = name_features(
        name,
        its,
        others,
        labelled=labelled,
        seen=seen,
        variant=entry is not None and entry.variant,
        stopped=stopped,
        concept_labelled=concepts.get(concept, 0),
    )
    runners_up = tuple(dict.fromkeys(c.curie for c in its if c.curie != concept))[:3]
    return Option(
        concept, type_, features, its[0] if its else None, bool(labelled or seen), runners_up
    )
