"""Whether what was found answers at all: features of the best pieces for a logistic model.

The words that matter for "is this covered?" are rare ones, so weights come from the retrieved
pieces, and a word that none of them has is as heavy as the heaviest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from kgrag.reasoning.coverage import content_words, coverage, weights
from kgrag.retrieval.context import Citable
from kgrag.retrieval.rerank import Ranked

# Words of asking that name no subject: a source may answer without them.
_ASKING_WORDS: Final = """
    treatment treatments treat treated symptom symptoms sign signs cause causes diagnosis diagnose
    diagnosed outlook prognosis research clinical trial trials information inherited genetic change
    changes related people affected complication complications risk factor factors prevent
    prevention recommended recommend recommendation recommendations patient patients dose dosage
    management manage purpose definition effect effects role best first line effective available
    test tests guideline guidelines evidence considered important difference relationship
    disease disorder syndrome condition therapy drug medication medicine
"""
_ASKING: Final = frozenset(content_words(_ASKING_WORDS))


def answer_features(question: str, ranked: Sequence[Ranked]) -> dict[str, float]:
    """The values of ``ANSWER_FEATURES``; all 0 when nothing was found."""
    from kgrag.retrieval.rerank import ANSWER_FEATURES

    if not ranked:
        return dict.fromkeys(ANSWER_FEATURES, 0.0)
    weight = weights(content_words(f"{_around(r.citable)} {r.citable.text}") for r in ranked[:60])
    asked = content_words(question)
    subjects = [w for w in asked if w not in _ASKING] or asked
    best = ranked[0]
    near = set(content_words(f"{_around(best.citable)} {best.citable.text}"))
    first = [
        coverage(asked, content_words(f"{_around(r.citable)} {r.citable.text}"), weight)
        for r in ranked[:3]
    ]
    return {
        "top_covered": coverage(asked, content_words(best.citable.text), weight),
        "top_covered_before": coverage(asked, near, weight),
        "subject": coverage(subjects, near, weight),
        "top_maxsim": best.features.get("maxsim", 0.0),
        "top_weakest": best.features.get("weakest", 0.0),
        "top_cosine": best.features.get("cosine", 0.0),
        "passage_cosine": max(r.citable.passage_cosine for r in ranked),
        "mean_covered_before": sum(first) / len(first),
    }


def _around(citable: Citable) -> str:
    return " ".join((citable.before, citable.title, *citable.section))


def speaks_to(question: str, citable: Citable, weight: Mapping[str, float]) -> float:
    """The weight, in [0, 1], of the question's subject words that the piece or its place names."""
    asked = content_words(question)
    subjects = [w for w in asked if w not in _ASKING] or asked
    return coverage(subjects, content_words(f"{_around(citable)} {citable.text}"), weight)
