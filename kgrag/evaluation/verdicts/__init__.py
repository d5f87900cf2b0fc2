"""How well verdicts hold: statements against evidence, with what people said of them.

from kgrag.evaluation.verdicts import load_pairs, judge_rules, score
"""

from __future__ import annotations

from kgrag.evaluation.verdicts.pairs import Gold, Pair, PairSuite, load_pairs, own_pairs

__all__ = ["Gold", "Pair", "PairSuite", "load_pairs", "own_pairs"]
