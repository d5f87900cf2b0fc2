"""Checks of statements against their sources, in layers that fail closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgrag.verification.calibration_regimes import Calibration
    from kgrag.verification.names import Links


def verify_json(
    statement: str,
    evidence: Sequence[str],
    *,
    linker: Links | None = None,
    calibration: Calibration | None = None,
) -> Mapping[str, Any]:
    """The contract's verdict, confidence and checks; concepts are compared with a ``linker``.

    ``calibration`` is a kb's own (``calibration_regimes.calibration_of``), or the shipped one.
    """
    from kgrag.verification.verdict import to_record, verify_statement

    return to_record(verify_statement(statement, evidence, linker=linker, calibration=calibration))


__all__ = ["verify_json"]
