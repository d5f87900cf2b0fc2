"""A user's own encoder: a folder that cannot be what it seems is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrag.encoding import load_encoder
from kgrag.errors import SettingsError

transformers = pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.numpy")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "gout", "treats"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=32,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(tmp_path)
    return tmp_path


def test_a_whole_folder_encodes(folder: Path) -> None:
    encoder = load_encoder(f"sentence-transformers:{folder}")
    assert encoder.encode(["gout"]).shape == (1, 8)


def test_a_folder_without_some_weights_is_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    held = safetensors.load_file(path)
    gone = next(name for name in held if "attention" in name)
    del held[gone]
    safetensors.save_file(held, path, metadata={"format": "pt"})
    with pytest.raises(SettingsError, match="lacks 1 of its weights"):
        load_encoder(f"sentence-transformers:{folder}")


def test_a_folder_of_nonsense_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    with pytest.raises(SettingsError, match="no encoder that can be read"):
        load_encoder(f"sentence-transformers:{folder}")
    with pytest.raises(SettingsError, match="no folder"):
        load_encoder("sentence-transformers:~nobody-of-this-name/x")
