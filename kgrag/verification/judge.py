"""Who judges statements: the rules, what was measured of them, and a checker where one is set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from kgrag.verification.calibration_regimes import Calibration, calibration_of
from kgrag.verification.entailment.apply import with_entailment
from kgrag.verification.entailment.base import Entailment
from kgrag.verification.names import Links
from kgrag.verification.verdict import Verification, verify_statement

if TYPE_CHECKING:
    from kgrag.config import Verification as Settings


@dataclass(frozen=True, slots=True)
class Judge:
    """Gives verdicts: ``judge(statement, evidence)``.

    Concepts are compared with a ``linker``. ``calibration`` is a kb's own, or the shipped one. A
    ``checker`` of entailment has to agree with all that is supported, from ``threshold`` on, a
    probability; it raises a verdict only where the calibration of this checker meets its bound.
    """

    linker: Links | None = None
    calibration: Calibration | None = None
    checker: Entailment | None = None
    threshold: float = 0.9

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        linker: Links | None,
        folder: Path | None = None,
        checker: Entailment | None = None,
    ) -> Self:
        """The judge that the settings ask for, with the calibration of the kb in ``folder``.

        Their checker is loaded unless it is given; errors as of ``load_entailment`` and
        ``calibration_of``: a checker that is set and cannot be had is never left out.
        """
        if checker is None:
            checker = checker_of(settings)
        return cls(linker, calibration_of(folder), checker, settings.threshold)

    def __call__(self, statement: str, evidence: Sequence[str]) -> Verification:
        """The verdict with the result of each layer; errors as of ``judge_by_rules``."""
        found = verify_statement(
            statement, evidence, linker=self.linker, calibration=self.calibration
        )
        if self.checker is None:
            return found
        known = self.calibration or calibration_of(None)
        return with_entailment(
            found, statement, evidence, self.checker, self.threshold,
            raises_from=known.raises_from(self.checker.sha256),
        )  # fmt: skip


def checker_of(settings: Settings) -> Entailment | None:
    """The checker that the settings name, ready to use; None when they name none."""
    if not settings.entailment:
        return None
    from kgrag.verification.entailment import load_entailment

    return load_entailment(settings.entailment, labels=settings.labels)
