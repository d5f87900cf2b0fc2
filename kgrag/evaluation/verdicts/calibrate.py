"""``kgrag eval SUITE --calibrate``: what the dev half says of each regime, kept in the kb."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kgrag.evaluation.verdicts.judges import entailment_score
from kgrag.evaluation.verdicts.pairs import Gold, Pair
from kgrag.verification.calibration import FIRST, isotonic, threshold_for
from kgrag.verification.calibration_regimes import (
    Regime,
    entailment_made_with,
    rules_made_with,
    save,
)

if TYPE_CHECKING:
    from kgrag.verification.entailment import Entailment
    from kgrag.verification.names import Links

SUPPORTED: Final = 0.95
"""The precision that ``supported`` must have, by its lower bound."""
CONTRADICTED: Final = 0.95
"""That of ``contradicted``. At 0.90 planted edits, all near, would vouch for claims that people
wrote, farther off, of which half were called so wrongly."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the rules said of a pair that people judged, and how near its words are."""

    source: str
    gold: Gold
    verdict: Gold
    nearness: float


def near_regime(said: Sequence[Said], measured_on: str) -> Regime:
    """The regime of the rules, from verdicts that are no quotations."""
    calls = [s for s in said if s.verdict == "supported"]
    scores, right = [s.nearness for s in calls], [s.gold == "supported" for s in calls]
    against = [s for s in said if s.verdict == "contradicted"]
    # Of ``unsupported`` it is not known whether it is contradicted: the milder reading.
    wrong = [s.gold in ("contradicted", "unsupported") for s in against]
    return Regime(
        name="near",
        chance=isotonic(scores, right, least=40) if len(scores) >= FIRST else None,
        supported=threshold_for(scores, right, SUPPORTED),
        contradicted=threshold_for([s.nearness for s in against], wrong, CONTRADICTED),
        pairs=len(said),
        measured_on=measured_on,
        made_with=rules_made_with(),
    )


def entailment_regime(
    scores: Sequence[float], right: Sequence[bool], checker: Entailment, measured_on: str
) -> Regime:
    """The regime of a checker: from which probability on it is right often enough.

    Of the pairs that it may raise (``refused_for_words``): it was not asked of any other.
    """
    return Regime(
        name="entailment",
        chance=isotonic(scores, right) if len(scores) >= FIRST else None,
        supported=threshold_for(scores, right, SUPPORTED),
        contradicted=None,
        pairs=len(scores),
        measured_on=measured_on,
        made_with=entailment_made_with(checker.sha256),
    )


def said_by_rules(source: str, pairs: Sequence[Pair], linker: Links | None) -> list[Said]:
    """What the rules say of ``pairs``, quotations left out."""
    from kgrag.verification.claims_model import is_quotation
    from kgrag.verification.split import nearness
    from kgrag.verification.verdict import judge_by_rules

    found = []
    for pair in pairs:
        raw = judge_by_rules(pair.statement, pair.evidence, linker=linker)
        if not is_quotation(raw.checks):
            near = nearness(pair.statement, pair.evidence)
            found.append(Said(source, pair.gold, raw.verdict, near))
    return found


def refused_for_words(pairs: Sequence[Pair], linker: Links | None) -> list[Pair]:
    """The pairs that the rules refuse for nothing but words that the evidence has not."""
    from kgrag.verification.verdict import judge_by_rules

    found = []
    for pair in pairs:
        raw = judge_by_rules(pair.statement, pair.evidence, linker=linker)
        failed = {check.layer for check in raw.checks if check.result == "fail"}
        if raw.verdict == "not_enough_info" and failed == {"coverage"}:
            found.append(pair)
    return found


def keep(
    kb: Path,
    pairs: Sequence[Pair],
    source: str,
    linker: Links | None,
    checker: Entailment | None,
) -> Iterator[str]:
    """Measure on ``pairs``, keep what was measured in the kb, and say so.

    A regime with too few verdicts to bound anything is left as it was.
    """
    measured_on = f"kgrag eval {source} --calibrate, {date.today().isoformat()}, dev half"
    made: dict[str, Regime] = {}
    said = said_by_rules(source, pairs, linker)
    count = sum(s.verdict == "supported" for s in said)
    if count >= FIRST:
        made["near"] = near_regime(said, measured_on)
    else:
        yield (
            f"regime near: {count} verdicts 'supported' that are no quotations bound nothing,"
            f" {FIRST} are needed; it stays as it was"
        )
    if checker is not None:
        asked = refused_for_words(pairs, linker)
        if len(asked) >= FIRST:
            scores = [entailment_score(checker, p.statement, p.evidence) for p in asked]
            right = [p.gold == "supported" for p in asked]
            made["entailment"] = entailment_regime(scores, right, checker, measured_on)
        else:
            yield (
                f"regime entailment: {len(asked)} pairs that the rules refuse for words alone bound"
                f" nothing, {FIRST} are needed; it stays as it was"
            )
    if made:
        save(kb, made)
    for name, regime in made.items():
        if regime.supported is None:
            yield f"regime {name}: no threshold has precision {SUPPORTED} by its bound: it is off"
        else:
            yield (
                f"regime {name}: supported from {regime.supported.at:.3f} on, right in"
                f" {regime.supported.right} of {regime.supported.total}"
            )
