"""The order of the citable pieces: a small linear model over readable features.

The weights lie in ``weights.json`` beside this file, with what they were fitted on and how;
``bench/fit_reranker.py`` writes them. Cheap features choose the pieces worth an encoder's pass.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder, TokenEncoder
from kgrag.errors import BrokenInvariant
from kgrag.retrieval.context import Citable
from kgrag.retrieval.rerank_features import (
    CHEAP,
    NAMES,
    Pool,
    asks_finding,
    cheap_features,
    late_features,
)
from kgrag.retrieval.rerank_states import RememberedStates

WEIGHTS: Final = Path(__file__).with_name("weights.json")
SHORTLIST: Final = 32
"""How many pieces the encoder reads; the others keep their place after these. On development
questions 40 put no more right pieces among the first three, and cost a quarter more."""
STUDIES: Final = 0.15
"""From this share of pieces that tell findings of studies a question is taken to be one for them:
a guideline answers "does it work" in its own words, and not with p values."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A piece with its score (no unit, higher is better) and its features by name."""

    citable: Citable
    score: float
    features: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Weights:
    """Linear models as read from ``weights.json``.

    ``cheap``, ``full`` and ``finding`` map feature names to weights; ``finding`` orders in place
    of ``full`` what studies say to a question of theirs. ``answer`` is the logistic model of
    whether the best piece answers, with ``bias``, and ``threshold`` its least probability.
    """

    cheap: Mapping[str, float]
    full: Mapping[str, float]
    finding: Mapping[str, float]
    answer: Mapping[str, float]
    threshold: float

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> Weights:
        """The weights of the file; BrokenInvariant when names or values do not fit."""
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        linear = [values[name] for name in ("cheap", "full", "finding")]
        cheap, full, finding = linear
        studies = {f"{_FINDING}{name}": value for name, value in values["answer_finding"].items()}
        answer = {**values["answer"], **studies}
        weights = cls(cheap, full, finding, answer, values["threshold"])
        numbers = [n for part in (*linear, weights.answer) for n in part.values()]
        if [set(part) for part in linear] != [set(CHEAP), set(NAMES), set(NAMES)]:
            raise BrokenInvariant(f"{path} was written for other features; fit it anew")
        named = {"bias", *ANSWER_FEATURES, *(f"{_FINDING}{n}" for n in ("bias", *FINDING_FEATURES))}
        if set(answer) != named:
            raise BrokenInvariant(f"{path} was written for other features; fit it anew")
        if not all(math.isfinite(n) for n in numbers) or not 0 < weights.threshold < 1:
            raise BrokenInvariant(f"{path} has weights that are no finite numbers")
        return weights


class LinearReranker:
    """Orders citable pieces. Holds the weights and, when there is one, a token encoder."""

    name: Final = "linear-maxsim"

    def __init__(self, encoder: Encoder | None = None, weights: Weights | None = None) -> None:
        self.weights = weights or Weights.load()
        # An encoder without token states (hashing, static) leaves the cheap model to decide.
        self.states = RememberedStates(encoder) if isinstance(encoder, TokenEncoder) else None

    def rank(
        self,
        question: str,
        citables: Sequence[Citable],
        *,
        evidence: Collection[tuple[str, int, int]] = (),
    ) -> list[Ranked]:
        """Best first, all pieces; ties keep the order of ``citables``."""
        if not citables:
            return []
        pool = Pool.of(question, citables)
        cheap = cheap_features(question, citables, evidence=evidence, pool=pool)
        scores = standard(cheap) @ _vector(self.weights.cheap, CHEAP)
        order = np.argsort(-scores, kind="stable")
        if self.states is None:
            return [self._ranked(citables[i], float(scores[i]), cheap[i]) for i in order]
        head, tail = order[:SHORTLIST], order[SHORTLIST:]
        late = late_features(question, [citables[i] for i in head], self.states)
        full = np.hstack([cheap[head], late])
        studies = asks_finding(question) and tells_findings(full)
        late_scores = standard(full) @ _vector(
            self.weights.finding if studies else self.weights.full, NAMES
        )
        best = np.argsort(-late_scores, kind="stable")
        ranked = [
            self._ranked(citables[head[i]], float(late_scores[i]), full[i]) for i in best
        ]  # fmt: skip
        floor = ranked[-1].score - 1.0
        ranked.extend(
            self._ranked(citables[i], floor + float(scores[i] - scores[order[0]]), cheap[i])
            for i in tail
        )
        if not all(math.isfinite(r.score) for r in ranked):
            raise BrokenInvariant("the reranker gave a score that is no number")
        return ranked

    def _ranked(self, citable: Citable, score: float, row: NDArray[np.float64]) -> Ranked:
        return Ranked(
            citable, score, dict(zip(NAMES, map(float, row), strict=False))
        )  # fmt: skip


_EVIDENCE: Final = CHEAP.index("evidence")
_FOUND: Final = CHEAP.index("found")


def tells_findings(rows: NDArray[np.float64]) -> bool:
    """Whether enough of the pieces, with their features, tell what studies found."""
    return float((rows[:, _FOUND] > 0).mean()) >= STUDIES


def standard(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each column with mean 0 and spread 1 over the pieces of one question; constants become 0.

    Scores of one question are then on the scale of another's, whatever its words and corpus. That
    a piece is evidence of an assertion stays 0 or 1: it is rare, and would weigh by its rarity.
    """
    spread = rows.std(axis=0)
    centred: NDArray[np.float64] = rows - rows.mean(axis=0)
    scaled: NDArray[np.float64] = centred / np.where(spread > 1e-9, spread, np.inf)
    scaled[:, _EVIDENCE] = rows[:, _EVIDENCE]
    return scaled


def _vector(weights: Mapping[str, float], names: Sequence[str]) -> NDArray[np.float64]:
    return np.array([weights[name] for name in names])


ANSWER_FEATURES: Final = (
    "top_covered",  # of the question's words, in the best piece
    "top_covered_before",  # and in what stands around it
    "subject",  # the question's rarest word stands in the best piece, its section or its title
    "top_maxsim",
    "top_weakest",
    "top_cosine",
    "passage_cosine",  # of the best passage
    "mean_covered_before",  # over the first three pieces
)
FINDING_FEATURES: Final = (
    "best_maxsim",  # of the pieces: that what the question says is said somewhere
    "top_weakest",  # of the best piece
    "passage_cosine",  # of the best passage
    "subject_named",  # share of the question's subject words in the best piece and around it
    "best_covered",  # the greatest share of the question's words in and around one of the first
    "passage_late",  # late interaction of the best passage listed
    "passage_gap",  # how far that stands out from the mean of the passages
    "asks_finding",  # what a study could answer is said in fewer of the question's own words
)
_FINDING: Final = "finding "


def probability(answer: Mapping[str, float], features: Mapping[str, float]) -> float:
    """The logistic model's probability, in [0, 1], that the best piece answers.

    ``answer`` is that of ``Weights``: the model of questions that studies could answer is in it
    under its own names, and is on the scale of the other's threshold.
    """
    prefix, names = (
        (_FINDING, FINDING_FEATURES) if features["asks_finding"] else ("", ANSWER_FEATURES)
    )
    total = answer[f"{prefix}bias"] + sum(answer[f"{prefix}{n}"] * features[n] for n in names)
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
