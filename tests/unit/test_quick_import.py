"""The encoder's packages are imported quickly, and nothing is amiss afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.models

ENCODE = """
import gc, sys
from kgrag.encoding import load_encoder
rows = load_encoder("all-minilm-l6-v2").encode(["what lowers blood pressure?"])
assert rows.shape == (1, 384)
assert gc.isenabled()
assert not [name for name in sys.modules if name.split(".")[0] == "sklearn"], "imported in vain"
assert "scipy.stats" not in sys.modules, "imported in vain"
"""
AFTERWARDS = """
import torch
from sentence_transformers import util
found = util.manhattan_sim(torch.ones(2, 3), torch.zeros(1, 3))
assert found.flatten().tolist() == [-3.0, -3.0]
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
import scipy.stats, sklearn.linear_model, sklearn.metrics
assert scipy.stats.pearsonr([1, 2, 3], [1, 2, 3]).statistic > 0.99
assert sklearn.metrics.f1_score([1, 0], [1, 0]) == 1.0
"""


@pytest.mark.slow
def test_what_encoding_does_not_need_is_imported_when_it_is_called() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENCODE + AFTERWARDS], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_beside_another_thread_nothing_stands_in() -> None:
    """Another thread could be importing those packages at the same moment."""
    beside = (
        "import sys, threading\n"
        "halt = threading.Event()\n"
        "threading.Thread(target=halt.wait, daemon=True).start()\n"
        "from kgrag.encoding import load_encoder\n"
        "load_encoder('all-minilm-l6-v2').encode(['x'])\n"
        "assert hasattr(sys.modules['sklearn.metrics'], '__file__')\n"
        "halt.set()\n"
    )
    done = subprocess.run([sys.executable, "-c", beside], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
