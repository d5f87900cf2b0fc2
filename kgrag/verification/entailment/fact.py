"""Fact-checking models: is a claim grounded in a document, as MiniCheck and its kin say it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from transformers import AutoModelForSeq2SeqLM, AutoModelForSequenceClassification

from kgrag.errors import SettingsError
from kgrag.verification.entailment.base import Entailed, Pair
from kgrag.verification.entailment.folder import Loaded, Runner, load_folder
from kgrag.verification.entailment.labels import Labels, read_labels
from kgrag.verification.entailment.nli import MAX_TOKENS, Classifier
from kgrag.verification.entailment.pairs import PairForm, Row, Tokens
from kgrag.verification.entailment.windows import judge_windows

_LEAD: Final = "predict: "
# The first tokens of the two answers that such a model gives.
_NO, _YES = "0", "1"


class OneScore:
    """Judges pairs with a model of a single output, read through the logistic function."""

    def __init__(self, loaded: Loaded) -> None:
        self.name, self.sha256 = loaded.name, loaded.sha256
        self._form = PairForm(loaded.tokenizer, limit=loaded.limit(MAX_TOKENS))
        self._runner = Runner(loaded)

    def judge(self, pairs: Sequence[Pair]) -> list[Entailed]:
        """See ``Entailment``; ``contradicted`` is None."""
        return judge_windows(
            pairs, self._form, self._runner.logits, self._read, silent=Entailed(0.0)
        )

    def _read(self, logits: torch.Tensor, row: Row, hypothesis: Tokens) -> Entailed:
        return Entailed(float(torch.sigmoid(logits.reshape(()))))


class FirstToken:
    """Judges pairs with an encoder-decoder by the first token of its answer, 1 against 0."""

    def __init__(self, loaded: Loaded) -> None:
        self.name, self.sha256 = loaded.name, loaded.sha256
        start = loaded.config.decoder_start_token_id
        first = [_first(loaded.tokenizer, answer) for answer in (_NO, _YES)]
        if start is None or None in first or first[0] == first[1]:
            raise SettingsError(
                f"the model in {loaded.folder} does not answer 1 or 0: its tokens do not tell "
                "them apart"
            )
        self._answers = torch.tensor(first)
        self._start = torch.tensor([[int(start)]])
        self._form = _SeparatedPairs(loaded.tokenizer, limit=loaded.limit(MAX_TOKENS), lead=_LEAD)
        self._runner = Runner(loaded)

    def judge(self, pairs: Sequence[Pair]) -> list[Entailed]:
        """See ``Entailment``; ``contradicted`` is None."""
        return judge_windows(pairs, self._form, self._run, self._read, silent=Entailed(0.0))

    def _run(self, rows: Sequence[Row]) -> list[torch.Tensor]:
        return self._runner.logits(rows, decoder_input_ids=self._start)

    def _read(self, logits: torch.Tensor, row: Row, hypothesis: Tokens) -> Entailed:
        return Entailed(float(torch.softmax(logits[0, self._answers], dim=-1)[1]))


class _SeparatedPairs(PairForm):
    """Premise, end mark, hypothesis, end mark: how models without a form for pairs are taught."""

    def _read_frame(self) -> tuple[list[tuple[int, int]], ...]:
        end = self._tokenizer.eos_token_id
        if end is None:
            raise SettingsError("the model's tokenizer has no end mark to part the texts with")
        return [], [(int(end), 0)], [(int(end), 0)], [(0, 0), (0, 0)]


def _first(tokenizer: Any, answer: str) -> int | None:
    ids = tokenizer(answer, add_special_tokens=False).input_ids
    return int(ids[0]) if ids else None


def load_fact(path: str, *, labels: Sequence[str] = ()) -> Classifier | OneScore | FirstToken:
    """The fact-checking model in the folder ``path``; see ``load_entailment``.

    One or two outputs of a sequence classifier, or the answer 1 or 0 of an encoder-decoder.
    """

    def auto_of(config: Any) -> Any:
        if config.is_encoder_decoder:
            return AutoModelForSeq2SeqLM
        return AutoModelForSequenceClassification

    loaded = load_folder("fact", path, auto_of)
    if loaded.config.is_encoder_decoder:
        return FirstToken(loaded)
    if loaded.config.num_labels == 1:
        return OneScore(loaded)
    meanings: Labels = read_labels(loaded.config, labels, folder=loaded.folder)
    return Classifier(loaded, meanings)
