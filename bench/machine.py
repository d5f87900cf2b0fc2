"""What a figure was measured on and with: the line that stands beside every result."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import date
from importlib.metadata import version
from pathlib import Path

from kgrag.evaluation.kept import processor

_PACKAGES = ("torch", "transformers", "sentence-transformers", "qdrant-edge-py", "sqlalchemy")


def describe() -> str:
    """Date, commit, processor, cores, memory, Python and the packages that figures depend on."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{date.today()}, commit {_commit()}, {processor()}, {os.cpu_count()} cores,"
        f" {memory:.0f} GB, Python {platform.python_version()}, {packages}"
    )


def _commit() -> str:
    here = Path(__file__).resolve().parent
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"
