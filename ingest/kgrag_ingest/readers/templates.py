"""Commands of site generators (Liquid, kramdown) in pages that were not yet generated.

Whoever reads the finished page never sees a command, so commands are no part of stored text. But
what a command would have put there is missing, and the document says so by a doubt: a file that is
included is not at hand (a reader sees the bytes of one file and opens no other), and a value left
out of a sentence leaves a sentence that nobody wrote.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from kgrag_ingest.readers.build import TextBuilder

# No brace inside: so a file of commands without an end is still searched in linear time.
COMMANDS: Final = re.compile(r"\{%[^{]*?%\}|\{:[^}\n{]*\}")
VALUES: Final = re.compile(r"\{\{[^{}]*\}\}")
HOLE: Final = "\ufdd0"
"""Stands for a value while a page is parsed; no text holds this code point."""
_INCLUDE: Final = re.compile(r"\{%-?\s*include(?:_relative)?\s+([^\s{}%]+)")
_PICTURES: Final = frozenset({".svg", ".png", ".jpg", ".jpeg", ".gif"})
_NAMED: Final = 5


def included(source: str) -> list[str]:
    """The files that ``source`` includes by name and that may hold text, each once, in order."""
    names = dict.fromkeys(_INCLUDE.findall(source))
    return [n for n in names if PurePosixPath(n).suffix.lower() not in _PICTURES and "." in n]


def note_missing(out: TextBuilder, source: str, holes: int) -> None:
    """Add the doubts about what the commands of ``source`` would have put into the page.

    ``holes`` counts the values that are missing from its text. Beside a missing file the text is
    whole sentences still; a missing value may be the dose.
    """
    if names := included(source):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        listing = " ".join(", ".join(names[:_NAMED]).split())[:200]
        out.doubt("truncated", 0.3, f"the page includes other files, left out: {listing}{more}")
    if holes:
        out.doubt("truncated", 0.6, f"{holes:,} values that a program fills in are missing")
