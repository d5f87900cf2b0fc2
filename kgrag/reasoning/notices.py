"""The engine's own words, from the reviewed file ``ontologies/notices.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import Any, Final

from kgrag.paths import resource
from kgrag.reasoning.emergencies import emergencies
from kgrag.reasoning.emergencies import is_emergency as is_emergency
from kgrag.reasoning.phrases import listed, plain


@cache
def _notices() -> dict[str, dict[str, Any]]:
    path = resource("ontologies", "notices.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


_I: Final = re.compile(r"\b(?:i|i'm|i've|me|my|myself)\b")


def asks_for_means(question: str) -> bool:
    """Whether somebody who speaks of an own suicide asks how."""
    if "suicide" not in emergencies(question):
        return False
    lower = plain(question)
    return _I.search(lower) is not None and listed("means").search(lower) is not None


def notice(name: str, **values: str) -> str:
    """The text of the notice ``name`` with its places filled; KeyError for an unknown one."""
    text: str = _notices()[name]["text"]
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text
