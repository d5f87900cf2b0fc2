"""``kgrag eval`` over suites of verdicts: baselines, the rules, and what stands above them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kgrag.encoding.base import TokenEncoder
from kgrag.errors import DataError, SettingsError
from kgrag.evaluation.compare import compare
from kgrag.evaluation.registry import Request
from kgrag.evaluation.verdicts.calibrate import keep
from kgrag.evaluation.verdicts.fitted_judges import alone, free
from kgrag.evaluation.verdicts.judges import (
    Judge,
    Scorer,
    cosine,
    entailed,
    every_one_flagged,
    lexical,
    majority,
    product,
    read_verdicts,
    scored,
    told_before,
)
from kgrag.evaluation.verdicts.pairs import Pair, PairSuite, load_pairs, own_pairs
from kgrag.evaluation.verdicts.report import VerdictReport, made_with
from kgrag.evaluation.verdicts.scoring import difference, figures, right_ones

MINE = "verify"


def run(request: Request, *, before: Path | None = None) -> VerdictReport:
    """The report of a verdict suite, or of pairs of one's own.

    ``before`` holds verdicts of an earlier version, as ``kgrag verify --batch`` writes them. With
    ``request.calibrate`` what the dev half gives is kept in the kb.
    """
    if (request.suite == "verdicts") != (request.file is not None):
        raise SettingsError("the suite 'verdicts' is for pairs of your own", hint="give --pairs")
    if request.calibrate and request.kb is None:
        raise SettingsError("a calibration is kept with a kb", hint="give --kb DIR")
    whole = own_pairs(request.file) if request.file else load_pairs(request.suite, request.data)
    fitted_on = whole.of("dev").pairs
    suite = whole.of(request.split, request.limit)
    if not suite.pairs:
        raise DataError(f"no pair of {suite.name} is in the part {request.split!r}")
    from kgrag.config import load_settings
    from kgrag.encoding import load_encoder
    from kgrag.linking.linker import Linker
    from kgrag.verification.calibration_regimes import calibration_of
    from kgrag.verification.claims_model import claims_model, free_made_with
    from kgrag.verification.judge import Judge as Verifier
    from kgrag.verification.judge import checker_of
    from kgrag.vocabulary.lexicon import Lexicon

    settings = load_settings(request.kb / "kgrag.toml" if request.kb else None)
    encoder = load_encoder(claims_model().made_with["encoder"].partition("@")[0])
    lexicon = Lexicon.open()
    linker = Linker(lexicon)
    checker = checker_of(settings.verification)
    notes = []
    if request.calibrate:
        assert request.kb is not None
        notes = list(keep(request.kb, fitted_on, suite.name, linker, checker))
    calibration = calibration_of(request.kb)
    notes += [
        f"the kb's own calibration of the regime {name} was measured with other rules and is"
        " not used: measure anew with --calibrate"
        for name in calibration.stale
    ]
    regime = calibration.of("free", free_made_with(encoder.sha256))
    judges = [*baselines(suite, fitted_on, cosine(encoder)), alone(fitted_on, suite.labels)]
    if isinstance(encoder, TokenEncoder):
        judges.append(free(encoder, fitted_on, suite.labels, regime))
    if checker is not None:
        judges.append(entailed(checker, fitted_on, suite.labels))
    if before is not None:
        judges.append(told_before("rules before", read_verdicts(before)))
    verify = Verifier(linker, calibration, checker, settings.verification.threshold)
    judges.append(product(verify, MINE))
    models = {
        "encoder": f"{encoder.name}@{encoder.sha256}",
        "lexicon": f"lexicon@{lexicon.sha256}",
        "calibration": f"calibration@{calibration.id}",
    }
    if checker is not None:
        models["entailment"] = f"{checker.name}@{checker.sha256}"
    report = evaluate(
        suite, judges, fitted_on=len(fitted_on), split=request.split, mine=MINE, models=models
    )
    return replace(report, notes=(*report.notes, *notes))


def baselines(suite: PairSuite, fitted_on: Sequence[Pair], cosines: Scorer) -> list[Judge]:
    """Majority, flagging all, words in common and cosine, fitted on the dev half."""
    return [
        majority(fitted_on),
        every_one_flagged(suite.labels),
        scored("lexical", lexical, fitted_on, suite.labels),
        scored("cosine", cosines, fitted_on, suite.labels),
    ]


def evaluate(
    suite: PairSuite,
    judges: Sequence[Judge],
    *,
    fitted_on: int,
    split: str,
    mine: str,
    models: Mapping[str, str],
) -> VerdictReport:
    """The report of ``judges`` over ``suite``; ``mine`` is compared with the others."""
    began = time.perf_counter()
    judged = {judge.name: judge.judge(suite.pairs) for judge in judges}
    found = {
        judge.name: figures(suite.pairs, judged[judge.name], suite.labels, chance=judge.chance)
        for judge in judges
    }
    right = {
        name: [float(x) for x in right_ones(suite.pairs, verdicts, suite.labels)]
        for name, verdicts in judged.items()
    }
    against = {
        name: (
            difference(suite.pairs, judged[mine], judged[name], suite.labels),
            compare(right[mine], right[name]),
        )
        for name in judged
        if name != mine
    }
    return VerdictReport(
        suite=suite.name,
        split=split,
        labels=suite.labels,
        pairs=len(suite.pairs),
        groups=len({p.group for p in suite.pairs}),
        fitted_on=fitted_on,
        mine=mine,
        figures=found,
        against=against,
        notes=suite.notes,
        made_with=made_with(models),
        seconds=round(time.perf_counter() - began, 1),
    )
