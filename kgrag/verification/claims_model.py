"""Verdicts by regime: what the slot rules say near the source's words, and beyond them.

``settled`` puts the rules' verdict into its regime. Near the source's words it stands when the
statement is as near as the precision that is asked was measured for. Anything else is free
paraphrase, and ``not_enough_info``: the fitted model that weighs what statement and evidence have
in common met no bound of precision on claims that people wrote, so it speaks in ``kgrag eval``
alone, beside the rules and the baselines.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kgrag.errors import BrokenInvariant
from kgrag.ids import canonical, sha256
from kgrag.records.answer import Check
from kgrag.verification.calibration_regimes import Calibration, rules_made_with, shipped
from kgrag.verification.claims_features import FEATURES, VERSION, features
from kgrag.verification.split import nearness

if TYPE_CHECKING:
    from kgrag.encoding.base import TokenEncoder
    from kgrag.verification.verdict import Verification

LAYER: Final = "regime"
_STALE: Final = "; the kb's own calibration is of other rules and is not used"
_WEIGHTS: Final = Path(__file__).with_name("claims_weights.json")


@dataclass(frozen=True, slots=True)
class Weighed:
    """Probabilities in [0, 1] that the statement is supported, and that it is contradicted.

    Of the pairs that the model was fitted on, where either is as likely as not.
    """

    supported: float
    contradicted: float


@dataclass(frozen=True, slots=True)
class ClaimsModel:
    """Two logistic models over ``FEATURES``; ``supported`` and ``contradicted`` hold an intercept
    and one weight a feature. ``made_with`` names the encoder that it was fitted with."""

    supported: tuple[float, ...]
    contradicted: tuple[float, ...]
    made_with: Mapping[str, str]

    def weigh(
        self, pairs: Sequence[tuple[str, Sequence[str]]], encoder: TokenEncoder
    ) -> list[Weighed]:
        """One a pair of statement and texts; BrokenInvariant where a feature is no number."""
        rows = features(pairs, encoder)
        return [
            Weighed(_logistic(self.supported, row), _logistic(self.contradicted, row))
            for row in rows.tolist()
        ]


def _logistic(weights: Sequence[float], row: Sequence[float]) -> float:
    total = weights[0] + math.fsum(w * x for w, x in zip(weights[1:], row, strict=True))
    if not math.isfinite(total):
        raise BrokenInvariant("a feature of a statement is no number")
    return 1 / (1 + math.exp(-total)) if total >= 0 else math.exp(total) / (1 + math.exp(total))


@lru_cache(maxsize=1)
def claims_model() -> ClaimsModel:
    """The model that kgrag ships; how it was fitted stands in its file."""
    value = json.loads(_WEIGHTS.read_bytes())
    if value["features"] != list(FEATURES) or value["version"] != VERSION:
        raise BrokenInvariant("the claims model was fitted to other features")
    return ClaimsModel(tuple(value["supported"]), tuple(value["contradicted"]), value["made_with"])


def free_made_with(encoder_sha256: str) -> dict[str, str]:
    """What scores of the regime ``free`` depend on."""
    weights = json.loads(_WEIGHTS.read_bytes())
    digest = sha256(canonical({k: weights[k] for k in ("supported", "contradicted", "version")}))
    return {"model": digest[:16], "encoder": encoder_sha256[:16]}


def settled(
    found: Verification,
    statement: str,
    evidence: Sequence[str],
    calibration: Calibration | None = None,
) -> Verification:
    """The rules' verdict where its regime is on, and ``not_enough_info`` where it is not.

    Which one it is follows from the ``nearness`` of the statement to the evidence. The confidence
    becomes a probability: of being right, as it was measured; 1 for a quotation, which the evidence
    says by its own characters; None where nothing was measured.
    """
    if found.verdict == "not_enough_info":
        return replace(found, confidence=None)
    if found.verdict == "supported" and is_quotation(found.checks):
        check = Check(LAYER, "pass", "quote: the evidence says it in these words")
        return replace(found, confidence=1.0, checks=(*found.checks, check))
    measured = calibration or shipped()
    stale = _STALE if "near" in measured.stale else ""
    regime = measured.of("near", rules_made_with())
    if regime is None:
        check = Check(LAYER, "fail", "near: it was measured with other rules, and is off")
        return replace(
            found, verdict="not_enough_info", confidence=None, checks=(*found.checks, check)
        )
    threshold = regime.supported if found.verdict == "supported" else regime.contradicted
    near = nearness(statement, evidence)
    if threshold is None or near < threshold.at:
        reason = "too far from the words of any one place" if threshold else "off: its bound failed"
        told = f"free: {reason}, and nothing vouches for free paraphrase{stale}"
        check = Check(LAYER, "fail", told)
        return replace(
            found, verdict="not_enough_info", confidence=None, checks=(*found.checks, check)
        )
    chance = None
    if found.verdict == "supported" and regime.chance is not None:
        chance = round(regime.chance(near), 4)
    elif found.verdict == "contradicted":
        chance = round(threshold.right / threshold.total, 4)
    detail = (
        f"near: right in {threshold.right} of {threshold.total}, at least {threshold.bound:.2f}"
    )
    check = Check(LAYER, "pass", detail + stale)
    return replace(found, confidence=chance, checks=(*found.checks, check))


def is_quotation(checks: Sequence[Check]) -> bool:
    """Whether every claim of the statement is a quotation: no layer but the span was asked."""
    return bool(checks) and all(c.layer == "span" and c.result == "pass" for c in checks)
