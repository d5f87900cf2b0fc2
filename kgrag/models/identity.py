"""The identity of a model that is not in the catalogue: the files that shape its output."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from kgrag.errors import SettingsError
from kgrag.ids import canonical, sha256

_SHAPING: Final = frozenset({".safetensors", ".json", ".txt", ".model", ".jinja"})


def folder_sha256(folder: Path) -> str:
    """Of the relative paths and contents of weights, configuration and tokenizer below it.

    SettingsError when it holds no safetensors: other formats of weights can run code.
    """
    files = sorted(p for p in folder.rglob("*") if p.suffix in _SHAPING and p.is_file())
    if not any(p.suffix == ".safetensors" for p in files):
        raise SettingsError(
            f"{folder} holds no weights in safetensors form",
            hint="save the model with save_pretrained(folder)",
        )
    return sha256(canonical([(p.relative_to(folder).as_posix(), _digest(p)) for p in files]))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lacking_weights(folder: Path, model: Any) -> list[str]:
    """Parameters of the model that no file of the folder has: they would be numbers of chance."""
    from safetensors import safe_open

    body = model.base_model_prefix + "."  # a file has its names with or without it

    def plain(name: str) -> str:
        # Old files call the scale and the shift of a layer's norm so.
        name = name.replace("LayerNorm.gamma", "LayerNorm.weight")
        return name.replace("LayerNorm.beta", "LayerNorm.bias").removeprefix(body)

    held: set[str] = set()
    for path in folder.rglob("*.safetensors"):
        with safe_open(path, framework="numpy") as file:
            held.update(plain(name) for name in file.keys())  # noqa: SIM118
    return [name for name, _ in model.named_parameters() if plain(name) not in held]
