"""Judges that are fitted on the dev half: the claims model's, and one that sees no evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from kgrag.evaluation.verdicts.fitting import Array, chance, logistic, thresholds, verdicts
from kgrag.evaluation.verdicts.judges import Judge, scored
from kgrag.evaluation.verdicts.pairs import Gold, Pair
from kgrag.evaluation.verdicts.scoring import Judged

if TYPE_CHECKING:
    from kgrag.encoding.base import TokenEncoder
    from kgrag.verification.calibration_regimes import Regime

_RIDGE: Final = 5.0
_HEDGE: Final = re.compile(r"\b(?:may|might|could|can|suggest\w*|potential\w*|likely|possibl\w+)\b")
_NOT: Final = re.compile(r"\b(?:not|no|never|none|without|cannot|lack\w*|fail\w*)\b")
_FIRM: Final = re.compile(r"\b(?:all|always|every|must|only|significant\w*|solely|primarily)\b")


def alone(fitted_on: Sequence[Pair], labels: Sequence[Gold]) -> Judge:
    """By the statement alone: length, numbers, hedges, negations. What a set gives away by its
    style is no checking; where this is near a judge that reads evidence, that one read little."""
    if len(fitted_on) < 20:
        return scored("statement alone", lambda pairs: _style(pairs)[:, 0].tolist(), (), labels)
    rows = _style(fitted_on)
    right = [p.gold == "supported" for p in fitted_on]
    weights = logistic(rows, right, np.ones(len(rows)), _RIDGE)

    def score(pairs: Sequence[Pair]) -> list[float]:
        return chance(weights, _style(pairs)).tolist() if pairs else []

    return scored("statement alone", score, fitted_on, labels)


def _style(pairs: Sequence[Pair]) -> Array:
    rows = []
    for pair in pairs:
        text = pair.statement.lower().replace("n't", " not")
        words = len(text.split())
        rows.append(
            (
                float(np.log1p(words)),
                float(bool(re.search(r"\d", text))),
                float(len(_HEDGE.findall(text))),
                float(len(_NOT.findall(text))),
                float(len(_FIRM.findall(text))),
                float(text.count(",")),
            )
        )
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), 6)


def free(
    encoder: TokenEncoder,
    fitted_on: Sequence[Pair],
    labels: Sequence[Gold],
    regime: Regime | None,
) -> Judge:
    """The claims model's likeliest verdict, by thresholds of the best macro-F1 on the dev half.

    No verdict of the product: that speaks only above a threshold whose bound was met. Scores are
    the probabilities of the regime ``free`` where it was measured.
    """
    from kgrag.verification.claims_model import claims_model

    model = claims_model()
    kept: dict[str, tuple[float, float]] = {}

    def weigh(pairs: Sequence[Pair]) -> tuple[Array, Array]:
        new = [p for p in pairs if p.id not in kept]
        asked = [(p.statement, p.evidence) for p in new]
        for pair, of in zip(new, model.weigh(asked, encoder), strict=True):
            kept[pair.id] = of.supported, of.contradicted
        table = np.asarray([kept[p.id] for p in pairs], dtype=np.float64).reshape(len(pairs), 2)
        return table[:, 0], table[:, 1]

    if "not_enough_info" not in labels:
        judge = scored("claims model", lambda pairs: weigh(pairs)[0].tolist(), fitted_on, labels)
        return Judge("claims model", judge.judge)
    at = (0.5, 0.5)
    if fitted_on:
        at = thresholds(*weigh(fitted_on), [p.gold for p in fitted_on], labels)

    def judged(pairs: Sequence[Pair]) -> list[Judged]:
        supported, contradicted = weigh(pairs)
        curve = regime.chance if regime is not None else None
        found = []
        for one, other, verdict in zip(
            supported.tolist(),
            contradicted.tolist(),
            verdicts(supported, contradicted, at),
            strict=True,
        ):
            margin = max(one - at[0], other - at[1])
            sure = margin if margin >= 0 else -margin
            found.append(Judged(verdict, sure, one if curve is None else curve(one)))
        return found

    return Judge("claims model", judged, chance=regime is not None and regime.chance is not None)
