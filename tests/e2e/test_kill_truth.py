"""A few of the kills of ``bench/kill.py``; the bench does many."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bench" / "kill.py"


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 and fork are POSIX")
@pytest.mark.parametrize("stage", ["truth_commit", "removal"])
def test_killed_at_any_instant_it_is_whole(stage: str) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--stage", stage, "--kills", "3", "--seed", "7"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    report = json.loads(done.stdout)
    assert done.returncode == 0, (report, done.stderr)
    assert report["kills"] == 3 and report["problems"] == []
