"""What the compiled lexicon is made of, and what kgrag knows of vocabularies that users bring."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from kgrag.paths import resource
from kgrag.vocabulary.lexicon import Lexicon

NO_LICENCE: Final = "not stated"


@dataclass(frozen=True, slots=True)
class Terms:
    """The name and the licence of a vocabulary; ``needs_licence``: the user must have their own."""

    name: str
    licence: str
    needs_licence: bool


def listing(path: Path | None = None) -> tuple[Mapping[str, object], ...]:
    """One record a vocabulary of the lexicon at ``path`` (the default one without a path).

    Each has id, name, version, licence, needs_licence, sha256, origin, counts, date and kind;
    those that the user added also have ``added``, what became of their ids, and problems.
    SettingsError when no lexicon was built.
    """
    with Lexicon.open(path) as lexicon:
        return lexicon.registry


def terms_of(kind: str, prefix: str | None = None) -> Terms | None:
    """What is known of a kind of vocabulary, or of the ontology whose ids have that prefix."""
    tables = _tables()
    found = tables["brought"].get(kind) or tables["ontology"].get(prefix or "")
    if found is None:
        return None
    return Terms(found["name"], found["licence"], bool(found.get("needs_licence", False)))


@cache
def _tables() -> dict[str, dict[str, dict[str, Any]]]:
    text = resource("ontologies", "registry.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
