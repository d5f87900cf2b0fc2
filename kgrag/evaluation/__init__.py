"""How well passages are found: suites of questions, standard measures, paired comparisons.

from kgrag.evaluation import compare, load_suite, measure, rank
suite = load_suite("scifact").of("dev")
with Engine.open(kb) as engine:
    scores = measure(suite, rank(engine, suite))
"""

from __future__ import annotations

from kgrag.evaluation.compare import Comparison, Estimate, compare, estimate
from kgrag.evaluation.measures import MEASURES, Scores, measure
from kgrag.evaluation.run import Rankings, baselines, rank, rank_all
from kgrag.evaluation.suite import Query, Suite, half
from kgrag.evaluation.suites import SUITES, load_suite

__all__ = [
    "MEASURES",
    "SUITES",
    "Comparison",
    "Estimate",
    "Query",
    "Rankings",
    "Scores",
    "Suite",
    "baselines",
    "compare",
    "estimate",
    "half",
    "load_suite",
    "measure",
    "rank",
    "rank_all",
]
