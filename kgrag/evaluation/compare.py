"""Is it better, and by how much: paired differences with intervals and permutation tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROUNDS: Final = 9_999
SEED: Final = 20260101
# Values of one batch of resamples: bounds the memory at some 64 MB.
_BATCH: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95% bootstrap interval over ``n`` questions."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """By how much the first beats the second over the same questions.

    ``difference`` is of the means, with its 95% paired bootstrap interval. ``p`` is two-sided, of
    the paired permutation test: the share of random exchanges of the two that give at least this
    difference. ``better`` and ``worse`` count questions.
    """

    difference: float
    low: float
    high: float
    p: float
    better: int
    worse: int
    n: int

    def __str__(self) -> str:
        return f"{self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}], p {self.p:.4f}"


def estimate(values: ArrayLike, *, rounds: int = ROUNDS, seed: int = SEED) -> Estimate:
    """The mean of one value a question with its percentile bootstrap interval.

    ValueError without values.
    """
    array = _checked(values)
    low, high = _interval(array, rounds, seed)
    return Estimate(float(array.mean()), low, high, len(array))


def compare(
    first: ArrayLike, second: ArrayLike, *, rounds: int = ROUNDS, seed: int = SEED
) -> Comparison:
    """``first`` against ``second``: one value a question each, in the same order.

    ValueError when they are not of one length, or empty.
    """
    a, b = _checked(first), _checked(second)
    if a.shape != b.shape:
        raise ValueError(f"{len(a)} values cannot be paired with {len(b)}")
    delta = a - b
    low, high = _interval(delta, rounds, seed)
    return Comparison(
        difference=float(delta.mean()),
        low=low,
        high=high,
        p=_permutation(delta, rounds, seed),
        better=int((delta > 0).sum()),
        worse=int((delta < 0).sum()),
        n=len(delta),
    )


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ValueError("a comparison needs one finite value a question")
    return array


def _interval(values: NDArray[np.float64], rounds: int, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    means = np.empty(rounds)
    step = max(1, _BATCH // len(values))
    for at in range(0, rounds, step):
        draws = rng.integers(0, len(values), (min(step, rounds - at), len(values)))
        means[at : at + step] = values[draws].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _permutation(delta: NDArray[np.float64], rounds: int, seed: int) -> float:
    """Two-sided p of the sign-flip test, with the observed order counted as one of them.

    Under the null the two values of a question are exchangeable, so each difference is as likely
    with the other sign. Zeros do not change with their sign and are left out.
    """
    moved = delta[delta != 0]
    if not len(moved):
        return 1.0
    rng = np.random.default_rng(seed + 1)
    # Sums that are equal but for rounding count as equal.
    observed = abs(moved.sum()) - 1e-9 * np.abs(moved).sum()
    extreme = 0
    step = max(1, _BATCH // len(moved))
    for at in range(0, rounds, step):
        size = (min(step, rounds - at), len(moved))
        signs = rng.integers(0, 2, size, dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ moved) >= observed).sum())
    return (extreme + 1) / (rounds + 1)
