"""Skips with a clear reason what cannot run here, and the demonstration kb that tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgrag.errors import KgragError

GUIDELINES = Path(__file__).resolve().parent.parent / "examples" / "guidelines"


def _models_missing() -> str | None:
    from kgrag.models import list_models

    missing = [m.name for m in list_models() if m.path is None]
    return f"models not fetched: {', '.join(missing)} (make models)" if missing else None


def _lexicon_missing() -> str | None:
    from kgrag.vocabulary.lexicon import Lexicon, default_path

    try:
        Lexicon.open(default_path()).close()
    except KgragError as error:
        return f"no compiled lexicon: {error.message} (make models)"
    return None


def _data_missing() -> str | None:
    folder = os.environ.get("KGRAG_DATA")
    if folder is None:
        return "KGRAG_DATA, the folder of real data, is not set"
    return None if Path(folder).is_dir() else f"KGRAG_DATA: {folder} is no folder"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reasons = {"models": _models_missing() or _lexicon_missing(), "data": _data_missing()}
    for item in items:
        for marker, reason in reasons.items():
            if reason is not None and item.get_closest_marker(marker) is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def demo_kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A kb of the demonstration guidelines; tests that use it are marked ``models``.

    Shared by the whole run: open it for reading, copy it to change it.
    """
    from kgrag.engine import Engine
    from kgrag_ingest.pipeline import ingest

    folder = tmp_path_factory.mktemp("demo") / "kb"
    with Engine.open(folder, mode="write", create=True) as engine:
        ingest([GUIDELINES], engine.truth, engine.linker)
        engine.catch_up()
    yield folder
