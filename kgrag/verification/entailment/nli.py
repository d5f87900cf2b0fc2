"""NLI cross-encoders: sequence classification into entailment, neutral and contradiction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from transformers import AutoModelForSequenceClassification

from kgrag.errors import SettingsError
from kgrag.verification.entailment.base import Entailed, Pair
from kgrag.verification.entailment.folder import Loaded, Runner, load_folder
from kgrag.verification.entailment.labels import Labels, read_labels
from kgrag.verification.entailment.pairs import PairForm, Row, Tokens
from kgrag.verification.entailment.windows import judge_windows

MAX_TOKENS: Final = 512


class Classifier:
    """Judges pairs with a model of two or three labels. Safe to use from several threads."""

    def __init__(self, loaded: Loaded, labels: Labels) -> None:
        self.name, self.sha256 = loaded.name, loaded.sha256
        self._labels = labels
        self._form = PairForm(loaded.tokenizer, limit=loaded.limit(MAX_TOKENS))
        self._runner = Runner(loaded)

    def judge(self, pairs: Sequence[Pair]) -> list[Entailed]:
        """See ``Entailment``; two labels without one for contradiction leave it None."""
        against = None if self._labels.contradicted is None else 0.0
        return judge_windows(
            pairs, self._form, self._runner.logits, self._read, silent=Entailed(0.0, against)
        )

    def _read(self, logits: torch.Tensor, row: Row, hypothesis: Tokens) -> Entailed:
        chances = torch.softmax(logits, dim=-1).tolist()
        at = self._labels.contradicted
        return Entailed(chances[self._labels.supported], None if at is None else chances[at])


def load_nli(path: str, *, labels: Sequence[str] = ()) -> Classifier:
    """The NLI model in the folder ``path``; see ``load_entailment``."""
    loaded = load_folder("nli", path, lambda _: AutoModelForSequenceClassification)
    if loaded.config.num_labels not in (2, 3):
        raise SettingsError(
            f"the model in {loaded.folder} has {loaded.config.num_labels} outputs, not 2 or 3",
            hint="fact:FOLDER reads models of one output",
        )
    return Classifier(loaded, read_labels(loaded.config, labels, folder=loaded.folder))
