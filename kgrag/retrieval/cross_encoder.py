"""A cross-encoder of the user's: it reads question and passage together and gives one score."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.errors import BrokenInvariant, MissingExtra, SettingsError
from kgrag.models.identity import folder_sha256, lacking_weights
from kgrag.paths import user_path
from kgrag.records.answer import Hit
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.index import titled

if TYPE_CHECKING:
    from kgrag.engine import Engine
    from kgrag.reasoning.supersession import Past

LOOKED_AT: Final = 20
"""Passages that it reads, the best ones."""
MAX_TOKENS: Final = 512
_BATCH: Final = 8


class CrossEncoderScorer:
    """What the model says of question and passage, before any activation; higher is better.

    Only the first ``looked_at`` hits are read, under their titles; NaN for the others. Question and
    passage together are cut at the model's length, at most 512 tokens. ``sha256`` is of the files.
    """

    name: Final = "cross-encoder"

    def __init__(self, folder: Path, *, looked_at: int = LOOKED_AT) -> None:
        if not folder.is_dir():
            raise SettingsError(
                f"no folder {str(folder)!r} to read a cross-encoder from",
                hint="set retrieval.cross_encoder to a folder that save_pretrained wrote",
            )
        self.sha256 = folder_sha256(folder)
        self._model = _load(folder)
        self._looked_at = looked_at
        self._lock = threading.Lock()

    def score(self, asked: Asked, hits: Sequence[Hit]) -> NDArray[np.float64]:
        """See ``Scorer``. BrokenInvariant when the model gives something that is no number."""
        scores = np.full(len(hits), np.nan)
        read = hits[: self._looked_at]
        if not read:
            return scores
        pairs = [(asked.text, titled(h.document.title, h.section, h.text)) for h in read]
        with self._lock:
            given = self._model.predict(
                pairs, batch_size=_BATCH, show_progress_bar=False, convert_to_numpy=True
            )
        values = np.asarray(given, dtype=np.float64)
        if values.shape != (len(read),) or not np.isfinite(values).all():
            raise BrokenInvariant("the cross-encoder gave scores that are no numbers")
        scores[: len(read)] = values
        return scores


def cross_encoder_of(engine: Engine | Past) -> CrossEncoderScorer:
    """The scorer that ``retrieval.cross_encoder`` names; SettingsError when it names none."""
    folder = engine.settings.retrieval.cross_encoder
    if folder is None:
        raise SettingsError(
            "the part of retrieval 'cross-encoder' needs a model of yours, the settings have none",
            hint="set retrieval.cross_encoder to its folder",
        )
    return CrossEncoderScorer(user_path(folder))


def _load(folder: Path) -> Any:
    """The model, from the folder alone: safetensors only, no network, none of its code is run."""
    try:
        from kgrag.models.cpu import prepare
        from kgrag.models.quiet import quiet_loading

        dtype = prepare()
        import torch
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
    except ModuleNotFoundError as error:
        missing = error.name or "sentence-transformers"
        raise MissingExtra(missing, extra="models", purpose="a cross-encoder") from error
    try:
        with quiet_loading():
            model = CrossEncoder(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"dtype": dtype, "use_safetensors": True},
                activation_fn=torch.nn.Identity(),
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise SettingsError(f"{folder} is no cross-encoder that can be read: {error}") from error
    if lacking := lacking_weights(folder, model.model):
        raise SettingsError(
            f"the model in {folder} lacks {len(lacking)} of its weights, {lacking[0]} among them",
            hint="a cross-encoder is trained as one: a plain language model has no head that ranks",
        )
    if model.num_labels != 1:
        raise SettingsError(
            f"the model in {folder} gives {model.num_labels} values for a passage, not one",
            hint="a cross-encoder for ranking has one label",
        )
    model.max_seq_length = min(int(model.max_seq_length or MAX_TOKENS), MAX_TOKENS)
    return model.eval()
