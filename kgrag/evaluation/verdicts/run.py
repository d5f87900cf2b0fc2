"""``kgrag eval`` over suites of verdicts: baselines, the rules, and what stands above them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from kgrag.errors import DataError, SettingsError
from kgrag.evaluation.compare import compare
from kgrag.evaluation.registry import Request
from kgrag.evaluation.verdicts.judges import (
    Judge,
    Scorer,
    cosine,
    every_one_flagged,
    lexical,
    majority,
    rules,
    scored,
)
from kgrag.evaluation.verdicts.pairs import Pair, PairSuite, load_pairs, own_pairs
from kgrag.evaluation.verdicts.report import VerdictReport, made_with
from kgrag.evaluation.verdicts.scoring import difference, figures, right_ones

MINE = "rules"


def run(request: Request) -> VerdictReport:
    """The report of a verdict suite, or of pairs of one's own."""
    if (request.suite == "verdicts") != (request.file is not None):
        raise SettingsError("the suite 'verdicts' is for pairs of your own", hint="give --pairs")
    suite = own_pairs(request.file) if request.file else load_pairs(request.suite, request.data)
    fitted_on = suite.of("dev").pairs
    suite = suite.of(request.split, request.limit)
    if not suite.pairs:
        raise DataError(f"no pair of {suite.name} is in the part {request.split!r}")
    from kgrag.encoding import load_encoder
    from kgrag.linking.linker import Linker
    from kgrag.vocabulary.lexicon import Lexicon

    encoder = load_encoder("all-minilm-l6-v2")
    lexicon = Lexicon.open()
    judges = [*baselines(suite, fitted_on, cosine(encoder)), rules(Linker(lexicon))]
    models = {
        "encoder": f"{encoder.name}@{encoder.sha256}", "lexicon": f"lexicon@{lexicon.sha256}"
    }  # fmt: skip
    return evaluate(
        suite, judges, fitted_on=len(fitted_on), split=request.split, mine=MINE, models=models
    )


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
