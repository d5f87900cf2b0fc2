"""Many pairs, each in as many inputs as its premise needs, and back to one judgement a pair."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from kgrag.verification.entailment.base import Entailed, Pair
from kgrag.verification.entailment.pairs import PairForm, Row, Tokens


def judge_windows(
    pairs: Sequence[Pair],
    form: PairForm,
    run: Callable[[Sequence[Row]], Sequence[torch.Tensor]],
    read: Callable[[torch.Tensor, Row, Tokens], Entailed],
    *,
    silent: Entailed,
) -> list[Entailed]:
    """One judgement a pair: that of the window that supports the hypothesis most.

    ``run`` gives the model's output for every row, ``read`` says what one means. What any window
    says against the hypothesis is kept; ``silent`` stands for a premise without words.
    """
    hypotheses = [form.plain(hypothesis) for _, hypothesis in pairs]
    rows = [form.rows(premise, h) for (premise, _), h in zip(pairs, hypotheses, strict=True)]
    outputs = iter(run([row for group in rows for row in group]))
    judged: list[Entailed] = []
    for group, hypothesis in zip(rows, hypotheses, strict=True):
        found = [read(next(outputs), row, hypothesis) for row in group]
        if not found:
            judged.append(silent)
            continue
        best = max(found, key=lambda e: e.supported)
        against = [e.contradicted for e in found if e.contradicted is not None]
        judged.append(Entailed(best.supported, max(against, default=None), best.spans))
    return judged
