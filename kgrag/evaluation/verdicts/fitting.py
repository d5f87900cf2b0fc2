"""Small fits for judges: a ridge logistic model, and the two thresholds of a three-way verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.evaluation.verdicts.pairs import Gold

Array = NDArray[np.float64]
_STEPS: Final = 30


def logistic(rows: Array, right: Sequence[bool], weight: Array, ridge: float) -> Array:
    """Intercept and one weight a column of ``rows``, shape (columns + 1,), by Newton's steps.

    The ridge holds the weights of standardised columns; the intercept is free.
    """
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    table = np.column_stack([np.ones(len(rows)), (rows - mean) / spread])
    target = np.asarray(right, dtype=np.float64)
    penalty = np.diag([1e-6, *[ridge] * rows.shape[1]])
    found = np.zeros(table.shape[1])
    for _ in range(_STEPS):
        chances = _sigmoid(table @ found)
        slope = table.T @ (weight * (chances - target)) + penalty @ found
        curve = (table * (weight * chances * (1 - chances))[:, None]).T @ table + penalty
        found = found - np.linalg.solve(curve, slope)
    weights = found[1:] / spread
    made: Array = np.concatenate([[found[0] - weights @ mean], weights])
    return made


def chance(weights: Array, rows: Array) -> Array:
    """Shape (rows,), probabilities."""
    return _sigmoid(weights[0] + rows @ weights[1:])


def _sigmoid(values: Array) -> Array:
    found: Array = 1 / (1 + np.exp(-np.clip(values, -60, 60)))
    return found


def thresholds(
    supported: Array, contradicted: Array, golds: Sequence[Gold], labels: Sequence[Gold]
) -> tuple[float, float]:
    """Those for ``supported`` and ``contradicted`` with the best macro-F1 over ``golds``."""
    best, found = -1.0, (0.5, 0.5)
    gold = np.asarray(golds)
    for one in np.quantile(supported, np.linspace(0.02, 0.98, 25)):
        for other in np.quantile(contradicted, np.linspace(0.02, 1.0, 25)):
            said = np.asarray(verdicts(supported, contradicted, (float(one), float(other))))
            f1 = [
                2
                * ((said == v) & (gold == v)).sum()
                / max(1, (said == v).sum() + (gold == v).sum())
                for v in labels
            ]
            if np.mean(f1) > best:
                best, found = float(np.mean(f1)), (float(one), float(other))
    return found


def verdicts(supported: Array, contradicted: Array, at: tuple[float, float]) -> list[Gold]:
    """Three-way: the one whose threshold is met, the farther above of both, else neither."""
    made: list[Gold] = []
    for one, other in zip(supported - at[0], contradicted - at[1], strict=True):
        if max(one, other) < 0:
            made.append("not_enough_info")
        else:
            made.append("supported" if one >= other else "contradicted")
    return made
