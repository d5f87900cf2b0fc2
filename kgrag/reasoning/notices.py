"""The engine's own words, from the reviewed file ``ontologies/notices.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from kgrag.paths import resource
from kgrag.reasoning.emergencies import is_emergency as is_emergency


@cache
def _notices() -> dict[str, dict[str, Any]]:
    path = resource("ontologies", "notices.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def notice(name: str, **values: str) -> str:
    """The text of the notice ``name`` with its places filled; KeyError for an unknown one."""
    text: str = _notices()[name]["text"]
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text
