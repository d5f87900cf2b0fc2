"""The settings of generation reach the language model that the engine loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrag.config import parse_settings
from kgrag.engine import Engine
from kgrag.errors import SettingsError


def _engine(folder: Path, **generation: object) -> Engine:
    settings = parse_settings({"generation": generation}, origin="test")
    return Engine.open(folder / "kb", mode="write", create=True, settings=settings)


def test_the_key_of_a_server_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEY_OF_NOBODY", raising=False)
    model = "openai:http://127.0.0.1:9/v1#any"
    with (
        _engine(tmp_path, model=model, key_variable="KEY_OF_NOBODY") as engine,
        pytest.raises(SettingsError, match="KEY_OF_NOBODY"),
    ):
        _ = engine.model


def test_a_server_elsewhere_needs_leave(tmp_path: Path) -> None:
    model = "openai:http://100.64.0.7:9/v1#any"  # shared space: no private network of ours
    with _engine(tmp_path, model=model) as engine, pytest.raises(SettingsError, match="outside"):
        _ = engine.model
