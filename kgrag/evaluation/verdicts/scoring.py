"""Figures of verdicts: accuracy, macro-F1, precision of ``supported``, reliability, intervals.

Intervals draw whole groups, since pairs of one claim or document go right or wrong together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.evaluation.compare import Estimate
from kgrag.evaluation.verdicts.pairs import Gold, Pair
from kgrag.verification.calibration import (
    Bin,
    area,
    expected_error,
    lower_bound,
    reliability,
    risk_coverage,
)

ROUNDS: Final = 2_000
SEED: Final = 20260101
_ASKED: Final = 0.95

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on one pair. ``confidence`` orders verdicts, surest highest.

    ``supported`` rises with the chance of being supported; it is that chance where ``chance`` of
    the judge says so. None for a judge that has no such score. ``stated`` is the probability of
    being right that is told with the verdict, None where none is.
    """

    verdict: Gold
    confidence: float
    supported: float | None = None
    stated: float | None = None


@dataclass(frozen=True, slots=True)
class Selected:
    """What is called supported above a threshold.

    ``precision`` with its one-sided lower ``bound``; ``coverage`` is the share of all pairs that
    are called supported, ``recall`` that of the supported ones.
    """

    called: int
    right: int
    precision: float | None
    bound: float
    coverage: float
    recall: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one judge over the pairs of a suite.

    ``confusion`` counts by gold, then verdict. ``aurc`` is the area under risk against coverage,
    risk being the share of wrong verdicts among the surest. ``said`` is what the judge itself calls
    supported; ``best`` the largest share that could be called supported at precision 0.95 if the
    threshold were chosen on these very pairs: a ceiling, no promise. ``ece`` and ``bins`` only
    where the scores are probabilities; ``stated_ece`` and ``stated`` of verdicts that are told with
    a probability of being right.
    """

    accuracy: Estimate
    macro_f1: Estimate
    confusion: Mapping[str, Mapping[str, int]]
    flagged_f1: Estimate
    aurc: float | None
    said: Selected
    best: Selected | None
    auc: float | None
    ece: float | None
    bins: tuple[Bin, ...]
    stated_ece: float | None = None
    stated: tuple[Bin, ...] = ()


def figures(
    pairs: Sequence[Pair],
    judged: Sequence[Judged],
    labels: Sequence[Gold],
    *,
    chance: bool = False,
    rounds: int = ROUNDS,
    seed: int = SEED,
) -> Figures:
    """The figures of one judge; ValueError without pairs."""
    if not pairs or len(pairs) != len(judged):
        raise ValueError("figures need one verdict a pair")
    right = right_ones(pairs, judged, labels)
    table = _tables(pairs, judged, labels)
    draws = _draws(len(table), rounds, seed)
    gold = [p.gold == "supported" for p in pairs]
    scores = [j.supported for j in judged]
    known = [s for s in scores if s is not None]
    scored = len(known) == len(scores)
    bins = reliability(known, gold) if chance and scored else ()
    told = [(j.stated, r) for j, r in zip(judged, right, strict=True) if j.stated is not None]
    stated = reliability([s for s, _ in told], [r for _, r in told])
    verdicts = [as_label(j.verdict, labels) for j in judged]
    confusion: dict[str, dict[str, int]] = {
        label: {
            verdict: sum(
                p.gold == label and v == verdict for p, v in zip(pairs, verdicts, strict=True)
            )
            for verdict in _columns(labels)
        }
        for label in labels
    }
    return Figures(
        accuracy=_interval(table, draws, _accuracy(len(labels)), len(pairs)),
        macro_f1=_interval(table, draws, _macro_f1(len(labels)), len(pairs)),
        confusion=confusion,
        flagged_f1=_interval(table, draws, _flagged(labels), len(pairs)),
        aurc=area(risk_coverage([j.confidence for j in judged], right)),
        said=_selected([j.verdict == "supported" for j in judged], gold),
        best=_largest(known, gold) if scored else None,
        auc=auc(known, gold) if scored else None,
        ece=expected_error(bins),
        bins=bins,
        stated_ece=expected_error(stated),
        stated=stated,
    )


def as_label(verdict: Gold, labels: Sequence[Gold]) -> Gold:
    """The verdict in the words of the suite: what is not supported is ``unsupported`` where the
    suite knows but that, and a verdict that it does not know stays."""
    return "unsupported" if "unsupported" in labels and verdict != "supported" else verdict


def right_ones(
    pairs: Sequence[Pair], judged: Sequence[Judged], labels: Sequence[Gold]
) -> list[bool]:
    """Whether each verdict is the people's."""
    return [as_label(j.verdict, labels) == p.gold for p, j in zip(pairs, judged, strict=True)]


def _columns(labels: Sequence[Gold]) -> tuple[Gold, ...]:
    """The labels, and not_enough_info after them where people never said it but we may."""
    if "unsupported" in labels or "not_enough_info" in labels:
        return tuple(labels)
    return (*labels, "not_enough_info")


def _tables(pairs: Sequence[Pair], judged: Sequence[Judged], labels: Sequence[Gold]) -> Counts:
    """Shape (groups, labels, columns): counts of gold against verdict, by group."""
    columns = _columns(labels)
    groups = {g: at for at, g in enumerate(dict.fromkeys(p.group for p in pairs))}
    table = np.zeros((len(groups), len(labels), len(columns)))
    for pair, one in zip(pairs, judged, strict=True):
        verdict = as_label(one.verdict, labels)
        table[groups[pair.group], labels.index(pair.gold), columns.index(verdict)] += 1
    return table


def _draws(groups: int, rounds: int, seed: int) -> Counts:
    """Shape (rounds, groups): how often each group is drawn."""
    rng = np.random.default_rng(seed)
    found: Counts = rng.multinomial(groups, np.full(groups, 1 / groups), rounds).astype(float)
    return found


def _interval(table: Counts, draws: Counts, figure: Callable[[Counts], Counts], n: int) -> Estimate:
    drawn = np.tensordot(draws, table, axes=1)
    values = figure(drawn)
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(float(figure(table.sum(axis=0)[None])[0]), float(low), float(high), n)


def _accuracy(labels: int) -> Callable[[Counts], Counts]:
    def accuracy(tables: Counts) -> Counts:
        hits = sum(tables[:, at, at] for at in range(labels))
        found: Counts = hits / np.maximum(tables.sum(axis=(1, 2)), 1)
        return found

    return accuracy


def _macro_f1(labels: int) -> Callable[[Counts], Counts]:
    def macro(tables: Counts) -> Counts:
        scores = [
            2 * tables[:, at, at]
            / np.maximum(tables[:, at].sum(axis=1) + tables[:, :, at].sum(axis=1), 1)
            for at in range(labels)
        ]  # fmt: skip
        found: Counts = np.mean(scores, axis=0)
        return found

    return macro


def _flagged(labels: Sequence[Gold]) -> Callable[[Counts], Counts]:
    """F1 of telling what is not supported, whatever else it is called."""
    columns = _columns(labels)
    bad = [at for at, label in enumerate(labels) if label != "supported"]
    flagged = [at for at, label in enumerate(columns) if label != "supported"]

    def f1(tables: Counts) -> Counts:
        hits = tables[:, bad][:, :, flagged].sum(axis=(1, 2))
        there, said = tables[:, bad].sum(axis=(1, 2)), tables[:, :, flagged].sum(axis=(1, 2))
        found: Counts = 2 * hits / np.maximum(there + said, 1)
        return found

    return f1


def difference(
    pairs: Sequence[Pair],
    first: Sequence[Judged],
    second: Sequence[Judged],
    labels: Sequence[Gold],
    *,
    rounds: int = ROUNDS,
    seed: int = SEED,
) -> Estimate:
    """Macro-F1 of the first less that of the second, with the interval of the same draws."""
    one, other = _tables(pairs, first, labels), _tables(pairs, second, labels)
    draws = _draws(len(one), rounds, seed)
    figure = _macro_f1(len(labels))
    values = figure(np.tensordot(draws, one, axes=1)) - figure(np.tensordot(draws, other, axes=1))
    low, high = np.quantile(values, [0.025, 0.975])
    mean = figure(one.sum(axis=0)[None])[0] - figure(other.sum(axis=0)[None])[0]
    return Estimate(float(mean), float(low), float(high), len(pairs))


def auc(scores: Sequence[float], right: Sequence[bool]) -> float | None:
    """The chance that a right one scores above a wrong one, ties half; None with one kind only."""
    values, hits = np.asarray(scores, dtype=float), np.asarray(right, dtype=bool)
    if hits.all() or not hits.any():
        return None
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    n, m = int(hits.sum()), int((~hits).sum())
    return float((ranks[hits].sum() - n * (n + 1) / 2) / (n * m))


def _selected(called: Sequence[bool], gold: Sequence[bool]) -> Selected:
    total = sum(called)
    right = sum(c and g for c, g in zip(called, gold, strict=True))
    return Selected(
        total,
        right,
        right / total if total else None,
        lower_bound(right, total),
        total / len(gold),
        right / max(1, sum(gold)),
    )


def _largest(scores: Sequence[float], gold: Sequence[bool]) -> Selected | None:
    order = sorted(set(scores))
    for at in order:
        found = _selected([s >= at for s in scores], gold)
        if found.precision is not None and found.precision >= _ASKED:
            return found
    return None
