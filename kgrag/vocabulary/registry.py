"""What the compiled lexicon is made of, for ``kgrag vocab list``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kgrag.vocabulary.lexicon import Lexicon


def listing(path: Path | None = None) -> tuple[Mapping[str, object], ...]:
    """One record a vocabulary of the lexicon at ``path`` (the default one without a path).

    Each has id, name, version, licence, sha256, origin, counts and date. SettingsError when no
    lexicon was built.
    """
    with Lexicon.open(path) as lexicon:
        return lexicon.registry
