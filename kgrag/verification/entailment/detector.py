"""Detectors of hallucination: token classification that marks what of an answer has no support."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from transformers import AutoModelForTokenClassification

from kgrag.errors import SettingsError
from kgrag.verification.entailment.base import Entailed, Pair
from kgrag.verification.entailment.folder import Loaded, Runner, load_folder
from kgrag.verification.entailment.labels import Labels, read_labels
from kgrag.verification.entailment.pairs import PairForm, Row, Tokens
from kgrag.verification.entailment.windows import judge_windows

MAX_TOKENS: Final = 4096
"""Such models are made for long contexts; reading them whole is what they were trained on."""
MARKED: Final = 0.5
"""From this probability of being unsupported on, a token is marked."""
# The form of prompt that LettuceDetect and its kin were trained on when there is no question.
_LEAD: Final = "Summarize the following text:\n"
_TAIL: Final = "\noutput:"


class Detector:
    """Judges pairs by the least supported token of the hypothesis. Safe for several threads."""

    def __init__(self, loaded: Loaded, labels: Labels) -> None:
        self.name, self.sha256 = loaded.name, loaded.sha256
        self._supported = labels.supported
        self._form = PairForm(
            loaded.tokenizer, limit=loaded.limit(MAX_TOKENS), lead=_LEAD, tail=_TAIL
        )
        self._runner = Runner(loaded)

    def judge(self, pairs: Sequence[Pair]) -> list[Entailed]:
        """See ``Entailment``: ``supported`` is that of the worst token, ``contradicted`` None.

        Runs of marked tokens become one span each, with the highest probability in it.
        """
        return judge_windows(
            pairs, self._form, self._runner.logits, self._read, silent=Entailed(0.0)
        )

    def _read(self, logits: torch.Tensor, row: Row, hypothesis: Tokens) -> Entailed:
        chances = torch.softmax(logits[row.start : row.end], dim=-1)
        lacking = (1.0 - chances[:, self._supported]).clamp(0.0, 1.0).tolist()
        spans: list[tuple[int, int, float]] = []
        last = -2
        for at, (chance, (start, end)) in enumerate(zip(lacking, hypothesis.offsets, strict=True)):
            if chance < MARKED or start >= end:
                continue
            if last == at - 1:
                began, _, highest = spans.pop()
                spans.append((began, end, max(highest, chance)))
            else:
                spans.append((start, end, chance))
            last = at
        return Entailed(1.0 - max(lacking), None, tuple(spans))


def load_detector(path: str, *, labels: Sequence[str] = ()) -> Detector:
    """The detector in the folder ``path``; see ``load_entailment``."""
    loaded = load_folder("detector", path, lambda _: AutoModelForTokenClassification)
    if loaded.config.num_labels != 2:
        raise SettingsError(
            f"the model in {loaded.folder} has {loaded.config.num_labels} outputs a token, not 2"
        )
    return Detector(loaded, read_labels(loaded.config, labels, folder=loaded.folder))
