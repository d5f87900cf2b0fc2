"""Whether what was found answers at all: features of the best pieces for a logistic model.

The words that matter for "is this covered?" are rare ones, so weights come from the retrieved
pieces, and a word that none of them has is as heavy as the heaviest. Where studies could answer, a
text about the subject is not one with the answer: what tells them apart is how well the best
passage is met, word by word, and how far it stands out from the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from kgrag.reasoning.coverage import content_words, coverage, weights
from kgrag.retrieval.context import Citable
from kgrag.retrieval.rerank import Ranked
from kgrag.retrieval.rerank_features import asks_finding

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

LOOKED_AT: Final = 10
"""How many of the best pieces are read for the question's words."""
# Where late interaction is off its score is put at what it is on average beside the pieces' own,
# and the gap between those of questions with an answer (0.18) and without one.
LATE_OF_MAXSIM: Final = 0.87
USUAL_GAP: Final = 0.13


def answer_features(question: str, ranked: Sequence[Ranked]) -> dict[str, float]:
    """The values of ``ANSWER_FEATURES`` and ``FINDING_FEATURES``; all 0 when nothing was found."""
    from kgrag.retrieval.rerank import ANSWER_FEATURES, FINDING_FEATURES

    if not ranked:
        return dict.fromkeys((*ANSWER_FEATURES, *FINDING_FEATURES), 0.0)
    asked = content_words(question)
    subjects = [w for w in asked if w not in _ASKING] or asked
    near = [
        set(content_words(f"{_around(r.citable)} {r.citable.text}")) for r in ranked[:LOOKED_AT]
    ]
    weight = weights(content_words(f"{_around(r.citable)} {r.citable.text}") for r in ranked[:60])
    best = ranked[0]
    maxsim = max(r.features.get("maxsim", 0.0) for r in ranked)
    late = ranked[0].citable.best_late
    first = [
        coverage(asked, content_words(f"{_around(r.citable)} {r.citable.text}"), weight)
        for r in ranked[:3]
    ]
    return {
        "top_covered": coverage(asked, content_words(best.citable.text), weight),
        "top_covered_before": coverage(asked, near[0], weight),
        "subject": coverage(subjects, near[0], weight),
        "top_maxsim": best.features.get("maxsim", 0.0),
        "top_cosine": best.features.get("cosine", 0.0),
        "mean_covered_before": sum(first) / len(first),
        "best_maxsim": maxsim,
        "top_weakest": ranked[0].features.get("weakest", 0.0),
        "passage_cosine": max(r.citable.passage_cosine for r in ranked),
        "subject_named": coverage(subjects, near[0]),
        "best_covered": max(coverage(asked, words) for words in near),
        "passage_late": LATE_OF_MAXSIM * maxsim if late is None else late,
        "passage_gap": USUAL_GAP if late is None else ranked[0].citable.best_gap,
        "asks_finding": float(asks_finding(question)),
    }


def _around(citable: Citable) -> str:
    return " ".join((citable.before, citable.title, *citable.section))


def speaks_to(question: str, citable: Citable, weight: Mapping[str, float]) -> float:
    """The weight, in [0, 1], of the question's subject words that the piece or its place names."""
    asked = content_words(question)
    subjects = [w for w in asked if w not in _ASKING] or asked
    return coverage(subjects, content_words(f"{_around(citable)} {citable.text}"), weight)
