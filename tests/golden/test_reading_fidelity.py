"""A sample of each real corpus: every sentence of stored text is in the original."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

DATA = os.environ.get("KGRAG_DATA")
# Shares below one are cells that the raw extraction of Markdown cannot tell from its marks, and
# formulas of which an article holds several forms.
LEAST = {"uspstf": 1.0, "nigeria": 1.0, "openstax": 1.0, "cdc-opioid": 0.99, "who-smart": 0.99,
         "pmc-medline": 0.99, "jats": 0.99}  # fmt: skip


def bench() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "bench" / "reading.py"
    spec = importlib.util.spec_from_file_location("bench_reading", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.data
@pytest.mark.skipif(DATA is None, reason="KGRAG_DATA is not set")
@pytest.mark.parametrize("corpus", LEAST)
def test_sentences_are_found_in_the_original(corpus: str) -> None:
    reading = bench()
    folder, pattern = reading.CORPORA[corpus]
    assert DATA is not None
    result = reading.measure(Path(DATA, folder), pattern, 10)
    assert result.pieces > 20
    assert 1 - len(result.missing) / result.pieces >= LEAST[corpus], result.missing[:5]
