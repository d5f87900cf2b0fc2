"""Models of entailment from a folder alone: no network, none of their code, all their weights."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer

from kgrag.errors import BrokenInvariant, SettingsError
from kgrag.models.cpu import prepare
from kgrag.models.identity import folder_sha256, lacking_weights
from kgrag.models.quiet import quiet_loading
from kgrag.paths import user_path
from kgrag.verification.entailment.pairs import Row

# Tokens of one batch, padding included: what a small machine holds beside the model.
_BATCH_TOKENS: Final = 4096
# Their positions are counted from the padding token's number on.
_OFFSET_POSITIONS: Final = frozenset({"roberta", "xlm-roberta", "camembert", "xlm-roberta-xl"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model of the folder ``name`` and its tokenizer; ``sha256`` is of the files."""

    model: Any
    tokenizer: Any
    name: str
    sha256: str
    folder: Path

    @property
    def config(self) -> Any:
        return self.model.config

    def limit(self, most: int) -> int:
        """The tokens that the model reads at once, ``most`` at most."""
        told = [most]
        if 0 < self.tokenizer.model_max_length < 1_000_000:  # the value for "not told" is enormous
            told.append(int(self.tokenizer.model_max_length))
        positions = getattr(self.config, "max_position_embeddings", None)
        if positions and positions > 0:
            lost = (
                self.config.pad_token_id + 1 if self.config.model_type in _OFFSET_POSITIONS else 0
            )
            told.append(int(positions) - lost)
        return min(told)


def load_folder(kind: str, path: str, auto_of: Callable[[Any], Any]) -> Loaded:
    """The model in ``path``, of the class that ``auto_of`` gives for its configuration.

    SettingsError when there is none, its weights are no safetensors or not all there, or its
    tokenizer cannot be read.
    """
    folder = user_path(path)
    if not folder.is_dir():
        raise SettingsError(
            f"no folder {path!r} to read a model of entailment from", hint=f"{kind}:FOLDER"
        )
    sha256 = folder_sha256(folder)
    dtype = prepare()
    offline: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet_loading():
            config = AutoConfig.from_pretrained(folder, **offline)
            model = auto_of(config).from_pretrained(
                folder, dtype=dtype, use_safetensors=True, **offline
            )
            tokenizer = AutoTokenizer.from_pretrained(folder, **offline)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise SettingsError(
            f"{folder} holds no model of the kind {kind!r} that can be read: {error}"
        ) from error
    if lacking := lacking_weights(folder, model):
        raise SettingsError(
            f"the model in {folder} lacks {len(lacking)} of its weights, {lacking[0]} among them",
            hint="a plain language model has no head that judges entailment",
        )
    return Loaded(model.eval(), tokenizer, f"{kind}:{folder.name}", sha256, folder)


class Runner:
    """Runs the model over rows in batches of like lengths. Safe to use from several threads."""

    def __init__(self, loaded: Loaded) -> None:
        self._model, self._lock = loaded.model, threading.Lock()
        self._types = "token_type_ids" in loaded.tokenizer.model_input_names
        pad = loaded.tokenizer.pad_token_id
        self._pad = 0 if pad is None else int(pad)

    def logits(self, rows: Sequence[Row], **more: torch.Tensor) -> list[torch.Tensor]:
        """The model's outputs, one a row in their order, float32, without the padding's.

        ``more`` are inputs of shape (1, ...) that all rows share. Outputs of token models have
        shape (tokens, labels), others that of the model without the batch. BrokenInvariant when
        one is no number.
        """
        found: list[torch.Tensor | None] = [None] * len(rows)
        for batch in _batches(rows):
            width = max(len(rows[i].ids) for i in batch)
            inputs = {
                "input_ids": self._padded([rows[i].ids for i in batch], width, self._pad),
                "attention_mask": self._padded([[1] * len(rows[i].ids) for i in batch], width, 0),
            }
            if self._types:
                inputs["token_type_ids"] = self._padded([rows[i].types for i in batch], width, 0)
            shared = {name: t.expand(len(batch), *t.shape[1:]) for name, t in more.items()}
            with self._lock, torch.inference_mode():
                out = self._model(**inputs, **shared).logits.float()
            if out.shape[0] != len(batch) or not torch.isfinite(out).all():
                raise BrokenInvariant("the checker of entailment gave what is no number")
            for at, i in enumerate(batch):
                whole = out[at]
                per_token = whole.ndim == 2 and whole.shape[0] == width and not more
                found[i] = whole[: len(rows[i].ids)] if per_token else whole
        return [logits for logits in found if logits is not None]

    @staticmethod
    def _padded(rows: Sequence[Sequence[int]], width: int, value: int) -> torch.Tensor:
        return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows])


def _batches(rows: Sequence[Row]) -> Iterator[list[int]]:
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    batch: list[int] = []
    for i in order:
        if batch and (len(batch) + 1) * len(rows[i].ids) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
