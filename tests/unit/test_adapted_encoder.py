"""An adapter changes questions only, and is refused by whatever it was not trained for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kgrag.encoding import QuestionEncoder, TokenEncoder, load_encoder
from kgrag.encoding.adapted import (
    MANIFEST,
    WEIGHTS,
    AdaptedEncoder,
    Adapter,
    PassageEncoder,
    adapted,
    passage_encoder,
    write_adapter,
)
from kgrag.encoding.hashing import HashingEncoder
from kgrag.errors import SettingsError
from kgrag.retrieval.asked import Asked

TEXTS = ["dose of amoxicillin", "", "How is sepsis treated?"]


def _adapter(dimensions: int = 512, *, seed: int = 0, size: float = 0.3) -> Adapter:
    draw = np.random.default_rng(seed).standard_normal
    down = draw((dimensions, 4)).astype(np.float32)
    up = (size * draw((4, dimensions)) / np.sqrt(dimensions)).astype(np.float32)
    return Adapter(down, up, np.zeros(dimensions, np.float32), 0.0)


def _folder(path: Path, adapter: Adapter, passages: str = "hashing") -> Path:
    path.mkdir(exist_ok=True)
    encoder = load_encoder(passages)
    write_adapter(
        path,
        adapter,
        passages=PassageEncoder(name=passages, sha256=encoder.sha256),
        trained={"pairs": 3},
    )
    return path


def test_questions_change_and_passages_do_not(tmp_path: Path) -> None:
    plain = HashingEncoder()
    encoder = load_encoder(f"sentence-transformers:{_folder(tmp_path / 'a', _adapter())}")
    assert isinstance(encoder, QuestionEncoder) and isinstance(encoder, TokenEncoder)
    np.testing.assert_array_equal(encoder.encode(TEXTS), plain.encode(TEXTS))
    for mine, theirs in zip(encoder.encode_tokens(TEXTS), plain.encode_tokens(TEXTS), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    asked = encoder.encode_questions(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(asked, axis=1), 1, atol=1e-5)
    assert np.abs(asked - plain.encode(TEXTS)).max() > 0.01
    # The kb is made with the encoder of passages, so that is who the adapted one says it is.
    assert (encoder.name, encoder.sha256) == (plain.name, plain.sha256)
    np.testing.assert_allclose(Asked(TEXTS[0], encoder).vector, asked[0], atol=1e-5)
    np.testing.assert_array_equal(Asked(TEXTS[0], plain).vector, plain.encode(TEXTS[:1])[0])


def test_a_gate_leaves_questions_alone() -> None:
    adapter = _adapter()
    shut = Adapter(adapter.down, adapter.up, adapter.gate, -1000.0)
    rows = HashingEncoder().encode(TEXTS)
    np.testing.assert_allclose(shut(rows), rows, atol=1e-6)
    nothing = Adapter(adapter.down, np.zeros_like(adapter.up), adapter.gate, 1000.0)
    np.testing.assert_allclose(nothing(rows), rows, atol=1e-6)


def test_the_folder_names_the_encoder_of_passages(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", _adapter())
    assert passage_encoder(f"sentence-transformers:{folder}") == "hashing"
    assert passage_encoder("hashing:64") == "hashing:64"
    assert passage_encoder(f"sentence-transformers:{tmp_path}") == (
        f"sentence-transformers:{tmp_path}"
    )


def test_identity_follows_the_weights(tmp_path: Path) -> None:
    names = []
    for number in range(2):
        folder = _folder(tmp_path / str(number), _adapter(seed=number))
        encoder = load_encoder(f"sentence-transformers:{folder}")
        assert isinstance(encoder, AdaptedEncoder)
        names.append(encoder.adapter_sha256)
    assert names[0] != names[1]


def test_what_is_refused(tmp_path: Path) -> None:
    def refused(folder: Path) -> str:
        with pytest.raises(SettingsError) as caught:
            load_encoder(f"sentence-transformers:{folder}")
        return str(caught.value)

    damaged = _folder(tmp_path / "damaged", _adapter())
    (damaged / WEIGHTS).write_bytes((damaged / WEIGHTS).read_bytes()[:-1] + b"\x01")
    assert "not the file that was written" in refused(damaged)

    gone = _folder(tmp_path / "gone", _adapter())
    (gone / WEIGHTS).unlink()
    assert "cannot be read" in refused(gone)

    strange = _folder(tmp_path / "strange", _adapter())
    (strange / MANIFEST).write_text("{}")
    assert "no adapter folder" in refused(strange)

    other = _folder(tmp_path / "other", _adapter())
    said = json.loads((other / MANIFEST).read_text())
    said["passage_encoder"]["sha256"] = "0" * 64
    (other / MANIFEST).write_text(json.dumps(said))
    assert "another hashing" in refused(other)

    small = _folder(tmp_path / "small", _adapter(64), passages="hashing")
    assert "does not fit" in refused(small)

    outer = tmp_path / "outer"
    outer.mkdir()
    inner = f"sentence-transformers:{_folder(tmp_path / 'inner', _adapter())}"
    write_adapter(
        outer,
        _adapter(),
        passages=PassageEncoder(name=inner, sha256=HashingEncoder().sha256),
        trained={},
    )
    assert "adapts another adapter" in refused(outer)


def test_numbers_that_are_not_finite_are_no_adapter() -> None:
    good = _adapter()
    with pytest.raises(ValueError, match="not finite"):
        Adapter(good.down, good.up * np.nan, good.gate, 0.0)
    with pytest.raises(ValueError, match="do not fit"):
        Adapter(good.down, good.down, good.gate, 0.0)
    with pytest.raises(SettingsError, match="does not fit"):
        adapted(HashingEncoder(64), good, adapter_sha256="0" * 64)
