"""Who chooses follows from what was measured, and from nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from kgrag.errors import SettingsError
from kgrag.generation.measured import (
    FILE,
    Measured,
    choice_of,
    measured_choice,
    record_choice,
    server_sha256,
)
from kgrag.ids import sha256
from kgrag.models.catalogue import spec_of
from kgrag.models.identity import folder_sha256

GAIN = Measured("big", 0.1, 0.02, 0.18, 300, "guideline questions", "a script", "2026-11-21")
BIG, OTHER = "b" * 64, "c" * 64


def test_the_default_model_does_not_choose() -> None:
    assert measured_choice(spec_of("smollm2-135m-instruct").sha256) == "rerank"


def test_a_model_that_nobody_measured_does_not_choose(tmp_path: Path) -> None:
    assert measured_choice(BIG) == "rerank" == measured_choice(BIG, kb=tmp_path)


@pytest.mark.parametrize(("low", "choice"), [(0.02, "model"), (0.0, "rerank"), (-0.01, "rerank")])
def test_a_gain_must_be_sure(tmp_path: Path, low: float, choice: str) -> None:
    record_choice(BIG, replace(GAIN, low=low), kb=tmp_path)
    assert measured_choice(BIG, kb=tmp_path) == choice
    assert measured_choice(BIG) == "rerank"


def test_what_is_recorded_stays_beside_what_comes(tmp_path: Path) -> None:
    record_choice(BIG, GAIN, kb=tmp_path)
    record_choice(OTHER, replace(GAIN, low=-0.2, gain=-0.1), kb=tmp_path)
    assert [measured_choice(s, kb=tmp_path) for s in (BIG, OTHER)] == ["model", "rerank"]
    record_choice(BIG, replace(GAIN, low=-0.5), kb=tmp_path)
    assert measured_choice(BIG, kb=tmp_path) == "rerank"
    assert [p.name for p in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", "7", "{", '{"x": {}}', '{"x": null}',
        json.dumps({BIG: {**asdict(GAIN), "low": None}}),
        json.dumps({BIG: {**asdict(GAIN), "low": float("nan")}}),
        json.dumps({BIG: {**asdict(GAIN), "low": 0.5}}),
        json.dumps({BIG: {**asdict(GAIN), "low": "0.02"}}),
        json.dumps({BIG: {**asdict(GAIN), "choice": "model"}}),
    ],
)  # fmt: skip
def test_a_damaged_file_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(SettingsError, match=r"choice\.json"):
        measured_choice(BIG, kb=tmp_path)


def test_a_model_is_known_by_what_it_is_and_not_by_its_name(tmp_path: Path) -> None:
    folder, file = tmp_path / "mine", tmp_path / "mine.gguf"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    file.write_bytes(b"GGUF weights")
    names = [f"transformers:{folder}", f"llama.cpp:{file}", "openai:http://127.0.0.1:1/v1/#m"]
    default, kb = "smollm2-135m-instruct", tmp_path / "kb"
    kb.mkdir()
    assert {choice_of(name, kb=kb) for name in [*names, default, "none", "x"]} == {"rerank"}
    known = [folder_sha256(folder), sha256(b"GGUF weights")]
    known += [server_sha256("http://127.0.0.1:1/v1", "m"), spec_of(default).sha256]
    for digest, name in zip(known, [*names, default], strict=True):
        record_choice(digest, GAIN, kb=kb)
        assert choice_of(name, kb=kb) == "model"
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert choice_of(names[0], kb=kb) == "rerank"
    assert choice_of("transformers:/not/there", kb=kb) == "rerank"
