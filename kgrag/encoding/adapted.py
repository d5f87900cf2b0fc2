"""Question vectors bent towards the passages that answer; passages keep the vectors they have.

An adapter folder holds a small change of question vectors and names the encoder of passages that
it was trained on, by name and sha256. A kb made with that encoder opens with the adapter: nothing
is embedded again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kgrag.encoding.base import Encoder, TokenEncoder
from kgrag.encoding.hashing import unit_rows
from kgrag.errors import MissingExtra, SettingsError
from kgrag.ids import canonical, sha256
from kgrag.paths import user_path

if TYPE_CHECKING:
    from kgrag.encoding.sentence_transformer import SentenceTransformerEncoder

MANIFEST: Final = "kgrag-adapter.json"
WEIGHTS: Final = "adapter.safetensors"
# What a user writes before the folder of an encoder of their own.
PREFIX: Final = "sentence-transformers"
# The gate's score is a cosine-like number; this spreads it over the sigmoid's slope.
SHARPNESS: Final = 10.0
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """A gated residual of low rank: ``unit(q + g (q down) up)``, ``g = sigmoid(10 q gate + bias)``.

    Shapes: ``down`` (dimensions, rank), ``up`` (rank, dimensions), ``gate`` (dimensions,). With
    ``up`` zero it changes nothing. The gate learns which questions to leave alone.
    """

    down: Array
    up: Array
    gate: Array
    bias: float

    def __post_init__(self) -> None:
        size, rank = self.down.shape
        if self.up.shape != (rank, size) or self.gate.shape != (size,):
            raise ValueError("the parts of an adapter do not fit together")
        parts = (self.down, self.up, self.gate, np.float32(self.bias))
        if not all(np.isfinite(part).all() for part in parts):
            raise ValueError("an adapter holds numbers that are not finite")

    @property
    def dimensions(self) -> int:
        """Of the vectors that it changes."""
        return len(self.gate)

    def __call__(self, vectors: Array) -> Array:
        """Shape (n, dimensions), rows of length 1, for rows of length 1."""
        score = np.clip(SHARPNESS * (vectors @ self.gate) + self.bias, -60.0, 60.0)
        opened = 1.0 / (1.0 + np.exp(-score))
        moved = vectors + opened[:, None] * ((vectors @ self.down) @ self.up)
        return unit_rows(np.asarray(moved, dtype=np.float32))


class PassageEncoder(BaseModel):
    """The encoder that made the vectors of passages: its name in the settings, its sha256."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """What an adapter folder says of itself. ``trained`` is the model card as values."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    form: Literal["gated-residual/1"] = "gated-residual/1"
    passage_encoder: PassageEncoder
    dimensions: Annotated[int, Field(ge=1, le=65536)]
    weights_sha256: str
    trained: dict[str, Any] = {}


class AdaptedEncoder:
    """The encoder ``passages`` with a changed side for questions.

    ``name`` and ``sha256`` are those of ``passages``, because they say what made a kb's vectors;
    ``adapter_sha256`` names the change of questions.
    """

    def __init__(self, passages: Encoder, adapter: Adapter, *, adapter_sha256: str) -> None:
        if adapter.dimensions != passages.dimensions:
            raise SettingsError(
                f"an adapter of {adapter.dimensions} dimensions does not fit the encoder "
                f"{passages.name} of {passages.dimensions}"
            )
        self._passages, self.adapter, self.adapter_sha256 = passages, adapter, adapter_sha256

    @property
    def name(self) -> str:
        return self._passages.name

    @property
    def sha256(self) -> str:
        return self._passages.sha256

    @property
    def dimensions(self) -> int:
        return self._passages.dimensions

    def encode(self, texts: Sequence[str]) -> Array:
        """See ``Encoder``: vectors of passages, as without the adapter."""
        return self._passages.encode(texts)

    def encode_questions(self, texts: Sequence[str]) -> Array:
        """See ``QuestionEncoder``."""
        return self.adapter(self._passages.encode(texts))


class AdaptedTokenEncoder(AdaptedEncoder):
    """An adapted encoder whose token states are those of ``passages``, unchanged."""

    def __init__(self, passages: TokenEncoder, adapter: Adapter, *, adapter_sha256: str) -> None:
        super().__init__(passages, adapter, adapter_sha256=adapter_sha256)
        self._tokens = passages

    def encode_tokens(self, texts: Sequence[str]) -> list[Array]:
        """See ``TokenEncoder``."""
        return self._tokens.encode_tokens(texts)


def adapted(passages: Encoder, adapter: Adapter, *, adapter_sha256: str) -> AdaptedEncoder:
    """``passages`` with ``adapter``; it gives token states when ``passages`` does."""
    if isinstance(passages, TokenEncoder):
        return AdaptedTokenEncoder(passages, adapter, adapter_sha256=adapter_sha256)
    return AdaptedEncoder(passages, adapter, adapter_sha256=adapter_sha256)


def load_folder(path: str = "") -> AdaptedEncoder | SentenceTransformerEncoder:
    """The user's encoder at ``path``: an adapter folder, or a model of sentence-transformers.

    Safetensors only, none of the folder's code is run. SettingsError when it is neither, damaged,
    or an adapter whose encoder of passages has changed.
    """
    folder = user_path(path)
    if path and (folder / MANIFEST).is_file():
        return _load_adapter(folder)
    try:
        from kgrag.encoding.sentence_transformer import load_folder as load_model
    except ModuleNotFoundError as error:
        missing = error.name or "sentence-transformers"
        raise MissingExtra(missing, extra="models", purpose="encoding") from error
    return load_model(path)


def passage_encoder(name: str) -> str:
    """The name of the encoder that makes the vectors of passages where ``name`` is the setting.

    It is ``name`` itself, or what the adapter folder named there declares.
    """
    kind, _, path = name.partition(":")
    if kind != PREFIX or not path:
        return name
    folder = user_path(path)
    return read_manifest(folder).passage_encoder.name if (folder / MANIFEST).is_file() else name


def read_manifest(folder: Path) -> Manifest:
    """What the adapter folder says of itself, checked; SettingsError when it is no such folder."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise SettingsError(
            f"{folder} is no adapter folder: its {MANIFEST} cannot be read",
            hint="make one with: kgrag train retriever",
        ) from error


def _load_adapter(folder: Path) -> AdaptedEncoder:
    from kgrag.encoding import load_encoder

    manifest = read_manifest(folder)
    if passage_encoder(manifest.passage_encoder.name) != manifest.passage_encoder.name:
        raise SettingsError(f"{folder} adapts another adapter; train it on an encoder instead")
    adapter = read_weights(folder, manifest)
    passages = load_encoder(manifest.passage_encoder.name)
    if passages.sha256 != manifest.passage_encoder.sha256:
        raise SettingsError(
            f"{folder} was trained on another {manifest.passage_encoder.name} than the one here",
            hint="train it again: kgrag train retriever",
        )
    identity = sha256(canonical([manifest.form, manifest.weights_sha256, passages.sha256]))
    return adapted(passages, adapter, adapter_sha256=identity)


def read_weights(folder: Path, manifest: Manifest) -> Adapter:
    """The adapter of the folder; SettingsError when its file is not the one that was written."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        data = (folder / WEIGHTS).read_bytes()
        if sha256(data) != manifest.weights_sha256:
            raise SettingsError(f"{folder / WEIGHTS} is not the file that was written with it")
        parts = load(data)
        made = Adapter(parts["down"], parts["up"], parts["gate"], float(parts["bias"][0]))
    except (OSError, KeyError, IndexError, ValueError, SafetensorError) as error:
        raise SettingsError(f"the adapter in {folder} cannot be read: {error}") from error
    if made.dimensions != manifest.dimensions:
        raise SettingsError(f"the adapter in {folder} has other dimensions than it says")
    return made


def write_adapter(
    folder: Path, adapter: Adapter, *, passages: PassageEncoder, trained: dict[str, Any]
) -> Manifest:
    """The weights and the manifest lie in ``folder``, which exists."""
    from safetensors.numpy import save

    data = save(
        {
            "down": np.ascontiguousarray(adapter.down, dtype=np.float32),
            "up": np.ascontiguousarray(adapter.up, dtype=np.float32),
            "gate": np.ascontiguousarray(adapter.gate, dtype=np.float32),
            "bias": np.array([adapter.bias], dtype=np.float32),
        }
    )
    manifest = Manifest(
        passage_encoder=passages,
        dimensions=adapter.dimensions,
        weights_sha256=sha256(data),
        trained=trained,
    )
    (folder / WEIGHTS).write_bytes(data)
    (folder / MANIFEST).write_text(
        json.dumps(manifest.model_dump(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return manifest
