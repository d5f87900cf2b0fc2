"""A run over a suite of verdicts as it is kept: JSON and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kgrag.evaluation.compare import Comparison, Estimate
from kgrag.evaluation.kept import Kept, environment, short
from kgrag.evaluation.verdicts.scoring import Figures, Selected
from kgrag.verification.calibration import Bin

_PACKAGES: Final = ("torch", "transformers", "sentence-transformers", "numpy")


@dataclass(frozen=True, slots=True)
class VerdictReport(Kept):
    """Figures by judge over the pairs of a half.

    ``fitted_on`` counts the pairs that thresholds of baselines and models were fitted on.
    ``against`` has, for the judge ``mine``, by how much its macro-F1 beats each other one, and the
    paired test of the shares right. ``notes`` say what a reader must know.
    """

    suite: str
    split: str
    labels: tuple[str, ...]
    pairs: int
    groups: int
    fitted_on: int
    mine: str
    figures: Mapping[str, Figures]
    against: Mapping[str, tuple[Estimate, Comparison]]
    notes: tuple[str, ...]
    made_with: Mapping[str, Any]
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.suite}-{self.split}"

    def lines(self) -> Iterable[str]:
        return _markdown(self)


def made_with(models: Mapping[str, str]) -> dict[str, Any]:
    """What the figures depend on: ``models`` by role, packages, machine."""
    return {**environment(_PACKAGES), "models": dict(models)}


def _markdown(report: VerdictReport) -> list[str]:
    made = report.made_with
    packages = ", ".join(f"{name} {number}" for name, number in made["packages"].items())
    models = ", ".join(f"{role} `{short(m)}`" for role, m in made["models"].items())
    lines = [
        f"## {report.suite}, {report.split}: {report.pairs:,} pairs in {report.groups:,} groups",
        "",
        f"{made['date']}, kgrag {made['kgrag']}, {made['machine']}, Python {made['python']},"
        f" {packages}.",
        f"With {models or 'no model'}. Thresholds of baselines and models were fitted on"
        f" {report.fitted_on:,} pairs of the dev half.",
        *(f"Note: {note}." for note in report.notes),
        "",
        "With 95% bootstrap intervals over groups. Supported: how many are called so, precision"
        " (one-sided 95% lower bound), share of all pairs; reach at 0.95 is the largest share of"
        " pairs that some threshold, chosen on these very pairs, would call supported at precision"
        " 0.95. AURC: the lower the better. ECE: of the probability of being supported, or of the"
        " confidence told with a verdict.",
        "",
        "| judge | macro-F1 | accuracy | F1 of flagging | supported: called, precision (bound),"
        " share | reach at 0.95 | AUC of supported | AURC | ECE |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, of in report.figures.items():
        cells = (
            str(of.macro_f1), str(of.accuracy), str(of.flagged_f1), _called(of.said),
            "" if of.auc is None else f"{of.best.coverage if of.best else 0:.3f}",
            _number(of.auc), _number(of.aurc),
            _number(of.ece if of.stated_ece is None else of.stated_ece),
        )  # fmt: skip
        lines.append(f"| {name} | {' | '.join(cells)} |")
    if report.against:
        lines += [
            "",
            f"| {report.mine} minus | macro-F1 | right verdicts, paired | better / worse |",
            "|---|---|---|---|",
        ]
        for name, (f1, right) in report.against.items():
            lines.append(f"| {name} | {_signed(f1)} | {right} | {right.better} / {right.worse} |")
    for name, of in report.figures.items():
        if name == report.mine or of.bins:
            lines += ["", *_confusion(name, of, report.labels)]
        if of.bins:
            lines += ["", *_reliability(f"{name}: probability | share supported", of.bins)]
        if of.stated:
            lines += ["", *_reliability(f"{name}: confidence told | share right", of.stated)]
    return lines


def _called(of: Selected) -> str:
    if of.precision is None:
        return "0"
    return f"{of.called}, {of.precision:.3f} ({of.bound:.3f}), {of.coverage:.3f}"


def _confusion(name: str, of: Figures, labels: Sequence[str]) -> list[str]:
    columns = list(next(iter(of.confusion.values())))
    lines = [f"| {name}: people said | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for label in labels:
        lines.append(f"| {label} | {' | '.join(str(of.confusion[label][c]) for c in columns)} |")
    return lines


def _reliability(heading: str, bins: Sequence[Bin]) -> list[str]:
    lines = [f"| {heading} | pairs |", "|---|---|---|"]
    return lines + [f"| {b.chance:.3f} | {b.right:.3f} | {b.count} |" for b in bins]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _signed(of: Estimate) -> str:
    return f"{of.mean:+.3f} [{of.low:+.3f}, {of.high:+.3f}]"
