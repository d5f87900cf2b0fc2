"""What a checker of entailment may change in a verdict: lower it, and hardly ever raise it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kgrag.records.answer import Check
from kgrag.verification.entailment.base import Entailment
from kgrag.verification.entailment.check import check_entailment
from kgrag.verification.verdict import Verification

# What a true paraphrase may lack: words that stand in the source themselves.
_MAY_LACK: Final = frozenset({"coverage"})


def with_entailment(
    verification: Verification,
    statement: str,
    evidence: Sequence[str],
    checker: Entailment,
    threshold: float,
    *,
    raises_from: float | None = None,
) -> Verification:
    """The verification with the layer "entailment", and the verdict that follows.

    ``supported`` stays only where the checker agrees from ``threshold`` on. ``not_enough_info``
    becomes ``supported`` only where nothing but words failed and the checker agrees from
    ``raises_from`` on: the threshold of a stored calibration of this checker that meets its bound
    of precision; None, the default, never raises. ``contradicted`` is left as it is.
    """
    needed = threshold
    words_alone = _words_alone(verification)
    if words_alone and raises_from is not None:
        needed = max(threshold, raises_from)
    check = check_entailment(statement, evidence, checker, needed)
    checks = (*verification.checks, check)
    if verification.verdict == "supported" and check.result != "pass":
        return replace(verification, verdict="not_enough_info", confidence=None, checks=checks)
    if words_alone and raises_from is not None and check.result == "pass":
        raised = Check("calibration", "pass", f"a calibrated checker agrees from {needed:.2f} on")
        return replace(verification, verdict="supported", confidence=None, checks=(*checks, raised))
    return replace(verification, checks=checks)


def _words_alone(verification: Verification) -> bool:
    """Whether the statement failed, and only for words that the source has not."""
    failed = {check.layer for check in verification.checks if check.result == "fail"}
    return verification.verdict == "not_enough_info" and bool(failed) and failed <= _MAY_LACK
