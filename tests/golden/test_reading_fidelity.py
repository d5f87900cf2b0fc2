"""A sample of each real corpus: every sentence of stored text is in the original."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

DATA = os.environ.get("KGRAG_DATA")
CORPORA = ("uspstf", "nigeria", "openstax", "cdc-opioid", "who-smart", "pmc-medline", "jats")


def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "bench" / "reading.py"
    monkeypatch.syspath_prepend(str(path.parent))  # the bench imports its neighbour
    spec = importlib.util.spec_from_file_location("bench_reading", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.data
@pytest.mark.skipif(DATA is None, reason="KGRAG_DATA is not set")
@pytest.mark.parametrize("corpus", CORPORA)
def test_sentences_are_found_in_the_original(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = bench(monkeypatch)
    folder, pattern = reading.CORPORA[corpus]
    assert DATA is not None
    result = reading.measure(Path(DATA, folder), pattern, 10)
    assert result.pieces > 20
    assert not result.missing, result.missing[:5]
