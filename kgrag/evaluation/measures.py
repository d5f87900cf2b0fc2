"""Standard measures of rankings, by ``ir-measures`` over ``trec_eval``'s own code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.errors import MissingExtra
from kgrag.evaluation.suite import Suite

# ``S@k`` is the share of questions with something right among the first k; ``R@k`` the share of
# what is right that is among them. Equal where one document is right for each question.
MEASURES: Final = ("nDCG@10", "S@1", "R@1", "R@10", "S@10", "R@100", "MRR")
_NAMES: Final = {"MRR": "RR", "S": "Success"}

# By measure, one value a question, in the order of the suite's questions.
Scores = Mapping[str, NDArray[np.float64]]


def measure(
    suite: Suite,
    rankings: Mapping[str, Sequence[str]],
    measures: Sequence[str] = MEASURES,
) -> Scores:
    """By measure, shape (questions,), in the order of ``suite.queries``; 0 for no ranking.

    ``rankings`` has documents by question, best first, each once. nDCG takes the grade as gain.
    MissingExtra without ``ir-measures``.
    """
    ir_measures = library()
    parsed = {ir_measures.parse_measure(_spelled(name)): name for name in measures}
    place = {q.id: at for at, q in enumerate(suite.queries)}
    qrels = {i: dict(suite.qrels[i]) for i in place}
    # trec_eval orders by score and breaks ties by id, so every rank gets a score of its own.
    run = {i: {d: float(-at) for at, d in enumerate(rankings[i])} for i in place if rankings.get(i)}
    scores = {name: np.zeros(len(place)) for name in measures}
    if run:
        for value in ir_measures.iter_calc(list(parsed), qrels, run):
            scores[parsed[value.measure]][place[value.query_id]] = value.value
    return scores


def library() -> ModuleType:
    """The package that measures; MissingExtra without it."""
    try:
        return import_module("ir_measures")
    except ModuleNotFoundError as error:
        raise MissingExtra("ir-measures", extra="eval", purpose="measuring rankings") from error


def _spelled(name: str) -> str:
    head, at, depth = name.partition("@")
    return _NAMES.get(head, head) + at + depth
