"""Where kgrag finds what it ships and keeps what it may make again.

Shipped data (``ontologies``, ``recipes``) lies inside the wheel at ``kgrag/_data`` and at the top
of a source tree; one function knows both. The cache holds models and the compiled lexicon.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

_HERE = Path(__file__).resolve().parent


def resource(kind: Literal["ontologies", "recipes"], *parts: str) -> Path:
    """The path of a shipped data file or folder; FileNotFoundError when it is not there."""
    wheel = _HERE / "_data" / kind
    source = _HERE.parent / ("ontologies" if kind == "ontologies" else "ingest/recipes")
    for root in (wheel, source):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError(f"kgrag ships no {kind}/{'/'.join(parts)}; reinstall it")


def cache_dir(*parts: str) -> Path:
    """A folder below the cache, made when missing: ``$KGRAG_CACHE`` or the platform's own."""
    chosen = os.environ.get("KGRAG_CACHE")
    if chosen:
        root = user_path(chosen)
    else:
        from platformdirs import user_cache_path

        root = user_cache_path("kgrag", appauthor=False)
    path = root.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def user_path(path: str | Path) -> Path:
    """``path`` with "~" as the home folder; as it is where there is no such home."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
