"""Encoders of the sentence-transformers kind, read from a folder, with no network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer

from kgrag.encoding.hashing import unit_rows
from kgrag.encoding.packed import can_pack, pack
from kgrag.errors import SettingsError
from kgrag.ids import canonical, sha256
from kgrag.models.catalogue import model_path, spec_of
from kgrag.models.cpu import Dtype, prepare
from kgrag.models.identity import folder_sha256, lacking_weights
from kgrag.models.quiet import quiet_loading
from kgrag.paths import user_path

# Tokens of one batch, padding included. What a layer makes of larger batches leaves the cache
# before the next layer reads it: batches of 4,096 take a third longer.
_BATCH_TOKENS: Final = 1024
_BATCH_TEXTS: Final = 64
MAX_TOKENS: Final = 256
Array = NDArray[np.float32]


class SentenceTransformerEncoder:
    """Unit vectors of texts and of their tokens. Safe to use from several threads, in turn.

    Texts beyond the model's maximum (at most 256 tokens) are cut there. ``sha256`` names the
    weights and that maximum, but not the number format: bfloat16 and float32 vectors of one text
    have a cosine of 0.9999, so that a kb made on one machine serves on another.
    """

    def __init__(self, folder: Path, *, name: str, weights: str, dtype: Dtype | None = None):
        chosen = prepare() if dtype is None else getattr(torch, dtype)
        with quiet_loading():
            self._model = SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"dtype": chosen, "use_safetensors": True},
            )
        body = getattr(self._model[0], "auto_model", None)
        # The pooler of BERT is left out of many files, and not used here.
        lacking = [n for n in lacking_weights(folder, body) if "pooler" not in n] if body else []
        if lacking:
            raise SettingsError(
                f"the model in {folder} lacks {len(lacking)} of its weights, such as {lacking[0]}"
            )
        self._model.to(chosen)  # pooling and dense modules too
        self._model.eval()
        if can_pack(chosen):
            pack(self._model)
        limit = self._model.max_seq_length or MAX_TOKENS
        self._limit = min(int(limit), MAX_TOKENS)
        self._name, self._weights, self._lock = name, weights, threading.Lock()
        size = self._model.get_embedding_dimension()
        if size is None:
            raise SettingsError(f"the model in {folder} does not say its dimensions")
        self._dimensions = int(size)

    @property
    def name(self) -> str:
        return self._name

    @property
    def sha256(self) -> str:
        return sha256(canonical([self._weights, self._limit]))

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def encode(
        self, texts: Sequence[str], *, on_done: Callable[[int], None] | None = None
    ) -> Array:
        """Shape (len(texts), dimensions), rows of length 1, in the order of ``texts``.

        ``on_done`` is called with the number of texts that each batch finished.
        """
        out = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for rows, _, output in self._batches(texts):
            out[rows] = _numpy(output["sentence_embedding"])
            if on_done is not None:
                on_done(len(rows))
        return unit_rows(out)

    def encode_tokens(self, texts: Sequence[str]) -> list[Array]:
        """One array of shape (tokens, dimensions) a text, rows of length 1, no special tokens."""
        return self.encode_both(texts)[1]

    def encode_both(self, texts: Sequence[str]) -> tuple[Array, list[Array]]:
        """What ``encode`` and ``encode_tokens`` give, from one pass over the texts."""
        out = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        tokens: list[Array] = [np.zeros((0, self._dimensions), dtype=np.float32)] * len(texts)
        for rows, plain, output in self._batches(texts):
            out[rows] = _numpy(output["sentence_embedding"])
            states = _numpy(output["token_embeddings"])
            for at, row in enumerate(rows):
                if plain[at].any():
                    tokens[row] = unit_rows(states[at][plain[at]])
        return unit_rows(out), tokens

    def _batches(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[list[int], NDArray[np.bool_], dict[str, Any]]]:
        """Rows of ``texts``, which of their tokens are text, and the model's output; by length."""
        if isinstance(texts, str):
            raise TypeError("a list of texts is encoded, not one string")
        if not texts:
            return
        with self._lock:
            ids = self._tokenize(list(texts))["input_ids"]
        order = sorted(range(len(texts)), key=lambda i: len(ids[i]))
        for rows in _cut(order, [len(one) for one in ids]):
            # The tokenizer's settings and the threads of torch are shared: one batch at a time,
            # so that a question waits for a batch of an ingest and not for all of it.
            with self._lock, torch.inference_mode():
                batch = self._tokenize(
                    [texts[i] for i in rows],
                    padding=True,
                    return_tensors="pt",
                    return_special_tokens_mask=True,
                )
                special = batch.pop("special_tokens_mask").bool()
                plain = (batch["attention_mask"].bool() & ~special).numpy()
                output = self._model(dict(batch))
            yield rows, plain, output

    def _tokenize(self, texts: list[str], **options: Any) -> Any:
        return self._model.tokenizer(texts, truncation=True, max_length=self._limit, **options)


def _cut(order: list[int], lengths: list[int]) -> Iterator[list[int]]:
    """Runs of ``order`` (ascending length) that stay within the batch limits when padded."""
    rows: list[int] = []
    for i in order:
        if rows and (len(rows) == _BATCH_TEXTS or (len(rows) + 1) * lengths[i] > _BATCH_TOKENS):
            yield rows
            rows = []
        rows.append(i)
    if rows:
        yield rows


def _numpy(tensor: torch.Tensor) -> Array:
    return tensor.float().numpy()


def load_minilm(dtype: Dtype | None = None) -> SentenceTransformerEncoder:
    """The default encoder (384 dimensions); MissingModel when it has not been fetched."""
    name = "all-minilm-l6-v2"
    return SentenceTransformerEncoder(
        model_path(name), name=name, weights=spec_of(name).sha256, dtype=dtype
    )


def load_folder(path: str = "", dtype: Dtype | None = None) -> SentenceTransformerEncoder:
    """The user's own model at ``path``: safetensors only, none of its code is run."""
    folder = user_path(path)
    if not path or not folder.is_dir():
        raise SettingsError(
            f"no folder {path!r} to read an encoder from", hint="sentence-transformers:FOLDER"
        )
    try:
        return SentenceTransformerEncoder(
            folder,
            name=f"sentence-transformers:{folder.name}",
            weights=folder_sha256(folder),
            dtype=dtype,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise SettingsError(f"{folder} is no encoder that can be read: {error}") from error
