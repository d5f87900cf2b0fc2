"""One run as it is kept: what was measured, of what, with what, on what; JSON and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kgrag.errors import SettingsError
from kgrag.evaluation.compare import Comparison, Estimate, compare, estimate
from kgrag.evaluation.kept import Kept, environment, short
from kgrag.evaluation.measures import MEASURES, Scores
from kgrag.evaluation.suite import Suite
from kgrag.ids import make_id

if TYPE_CHECKING:
    from kgrag.engine import Engine

_PACKAGES: Final = ("torch", "transformers", "sentence-transformers", "qdrant-edge-py",
                    "numpy", "ir-measures")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of retrieval brings: with it minus without it, the rest being the same.

    ``on`` is whether the settings have it. ``gain`` is by measure; None, with the ``reason``, when
    it could not be tried.
    """

    name: str
    on: bool
    gain: Mapping[str, Comparison] | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Report(Kept):
    """The figures of a suite. ``figures`` are by way of ranking, then by measure; ``against`` are
    differences from each baseline, ``groups`` the mean of the primary measure by group and way.
    ``scores`` are by way and measure, in the order of ``questions``.
    """

    suite: str
    split: str
    primary: str
    questions: tuple[str, ...]
    notes: tuple[str, ...]
    parts_on: tuple[str, ...]
    figures: Mapping[str, Mapping[str, Estimate]]
    against: Mapping[str, Mapping[str, Comparison]]
    parts: tuple[Part, ...]
    groups: Mapping[str, Mapping[str, Estimate]]
    made_with: Mapping[str, Any]
    seconds: float
    scores: Mapping[str, Mapping[str, Sequence[float]]]

    @property
    def name(self) -> str:
        return f"{self.suite}-{self.split}"

    def lines(self) -> Iterable[str]:
        return _markdown(self)


def figures_of(scores: Mapping[str, Scores]) -> dict[str, dict[str, Estimate]]:
    """The estimate of each measure of each way of ranking."""
    return {
        way: {name: estimate(values) for name, values in found.items()}
        for way, found in scores.items()
    }


def differences(first: Scores, second: Scores) -> dict[str, Comparison]:
    """``first`` against ``second`` by measure."""
    return {name: compare(values, second[name]) for name, values in first.items()}


def group_figures(suite: Suite, scores: Mapping[str, Scores]) -> dict[str, dict[str, Estimate]]:
    """The primary measure by group and way of ranking."""
    place = {q.id: at for at, q in enumerate(suite.queries)}
    return {
        f"{group} (n {len(ids)})": {
            way: estimate(found[suite.primary][[place[i] for i in ids]])
            for way, found in scores.items()
        }
        for group, ids in suite.groups()
    }


def made_with(engine: Engine) -> dict[str, Any]:
    """What the figures depend on: settings, models, vocabulary, packages, machine, kb."""
    settings = engine.settings
    try:
        lexicon = engine.lexicon.sha256
    except SettingsError:
        lexicon = None
    counts = engine.truth.counts()
    return {
        **environment(_PACKAGES),
        "settings": make_id("set", settings.model_dump(mode="json")),
        "encoder": f"{engine.encoder.name}@{engine.encoder.sha256}",
        # Of the adapter that bends questions; None where none does.
        "adapter_sha256": getattr(engine.encoder, "adapter_sha256", None),
        "language_model": _language_model(settings.generation.model),
        "lexicon_sha256": lexicon,
        "kb": {name: counts[name] for name in ("documents", "passages", "assertions")},
    }


def _language_model(name: str) -> str:
    """The model and the hash of its files where they are known; it is not loaded for this."""
    from kgrag.models.catalogue import list_models, spec_of

    known = name in {model.name for model in list_models()}
    return f"{name}@{spec_of(name).sha256}" if known else name


def _markdown(report: Report) -> list[str]:
    made = report.made_with
    kb = made["kb"]
    measures = [m for m in MEASURES if m in next(iter(report.figures.values()))]
    packages = ", ".join(f"{name} {number}" for name, number in made["packages"].items())
    lines = [
        f"## {report.suite}, {report.split}: {len(report.questions):,} questions",
        "",
        f"{made['date']}, kgrag {made['kgrag']}, {made['machine']}, Python {made['python']},"
        f" {packages}.",
        f"kb: {kb['documents']:,} documents, {kb['passages']:,} passages. Settings"
        f" `{made['settings']}`; encoder `{short(made['encoder'])}`; lexicon"
        f" `{short(made['lexicon_sha256'] or 'none')}`. Parts: {', '.join(report.parts_on)}.",
        *(f"Note: {note}." for note in report.notes),
        "",
        "Means with 95% bootstrap intervals.",
        "",
        f"| ranking | {' | '.join(measures)} |",
        "|---" * (len(measures) + 1) + "|",
    ]
    for way, found in report.figures.items():
        lines.append(f"| {way} | {' | '.join(str(found[m]) for m in measures)} |")
    lines += ["", *_table(f"default minus this, {report.primary}", report, report.against)]
    if report.parts:
        lines += [
            "",
            f"| part | in the settings | what it brings, {report.primary} | better / worse |",
            "|---|---|---|---|",
        ]
        for part in report.parts:
            gain = part.gain[report.primary] if part.gain else None
            told = [str(gain), _counts(gain)] if gain else [f"not tried: {part.reason}", ""]
            lines.append(f"| {part.name} | {'yes' if part.on else 'no'} | {' | '.join(told)} |")
    if report.groups:
        ways = list(next(iter(report.groups.values())))
        lines += ["", f"| {report.primary} | {' | '.join(ways)} |", "|---" * (len(ways) + 1) + "|"]
        for group, by_way in report.groups.items():
            lines.append(f"| {group} | {' | '.join(str(by_way[w]) for w in ways)} |")
    return lines


def _table(head: str, report: Report, found: Mapping[str, Mapping[str, Comparison]]) -> list[str]:
    lines = [f"| baseline | {head} | better / worse |", "|---|---|---|"]
    for name, differences in found.items():
        of = differences[report.primary]
        lines.append(f"| {name} | {of} | {_counts(of)} |")
    return lines


def _counts(of: Comparison) -> str:
    return f"{of.better} / {of.worse}"
