"""Superscripts of marked-up sources: references to the literature, or part of the word."""

from __future__ import annotations

import re
from typing import Final

_REFERENCE: Final = re.compile(r"[\[(]?\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*[\])]?$")
_POWER_BEFORE: Final = re.compile(
    r"(?:\d|[×x*]\s?10|(?:^|[\s/(])(?:[kcmµμdn]?m|[kcm]g|s|L|in|ft|h|min|R|r|χ|X|I))$"
)


def add_superscript(parts: list[str], text: str) -> None:
    """Append a superscript: a reference number in square brackets, all else as it is.

    So "rate.<sup>12</sup>" does not end in a number, while "10<sup>9</sup>" and "m<sup>2</sup>"
    keep their characters together.
    """
    text = text.strip()
    if not text:
        return
    bare = text.strip("[]() ")
    before = "".join(parts[-3:])[-12:]
    power = len(bare) <= 2 and _POWER_BEFORE.search(before) is not None
    parts.append(f"[{bare}]" if _REFERENCE.match(text) and not power else text)
