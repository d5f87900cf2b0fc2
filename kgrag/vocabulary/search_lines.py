"""Search lines in the syntax of PubMed: one block a concept, blocks joined by AND.

A block asks for the MeSH heading, with or without the narrower ones, or for one of its names in
titles and abstracts. Names are quoted, so that none is taken apart or read as a command.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kgrag.vocabulary.suggest import Suggestion

# Names of one concept in a block at most: PubMed takes long lines, people do not.
TERMS: Final = 12
# Shorter ones ("CHF") mean too many things when they stand in a title.
_SHORTEST: Final = 4
_MARKS: Final = re.compile(r'["\[\]*()<>{}\\]')
_SPACES: Final = re.compile(r"\s+")
# "Failure, Heart" and "Diabetes Mellitus, Type 2" as people write them.
_TURNED: Final = re.compile(r"([^,]+), ([^,]+)")


def block(suggestion: Suggestion, *, explode: bool = True, terms: int = TERMS) -> str:
    """The block of one concept; supplementary concepts have no narrower ones to leave out.

    A concept that has no MeSH id is asked for by its names alone.
    """
    lines = []
    if suggestion.id.startswith("MESH:"):
        if suggestion.id.startswith("MESH:C"):
            field = "Supplementary Concept"
        else:
            field = "MeSH Terms" if explode else "MeSH Terms:noexp"
        lines.append(f"{_quoted(suggestion.name)}[{field}]")
    lines += [f"{_quoted(name)}[tiab]" for name in names(suggestion, terms)]
    return f"({' OR '.join(lines)})" if lines else ""


def search(suggestions: Sequence[Suggestion], *, explode: bool = True) -> str:
    """The blocks of what the text names, joined by AND; empty when it names nothing."""
    blocks = [block(one, explode=explode) for one in suggestions if one.why == "named"]
    return " AND ".join(one for one in blocks if one)


def names(suggestion: Suggestion, limit: int) -> tuple[str, ...]:
    """At most ``limit`` names as they stand in titles: the preferred one, the text's own, others.

    Inverted names are turned about. Names of fewer than four letters are left out, and of those
    that hold another name of the block as a whole, because the shorter one finds them too.
    """
    found: dict[str, None] = {}
    for name in (suggestion.name, *suggestion.words, *suggestion.terms):
        turned = _TURNED.sub(r"\2 \1", name) if name.count(",") == 1 else name
        clean = _clean(turned).lower()
        if len(clean) >= _SHORTEST and "," not in clean:
            found.setdefault(clean)
    every = list(found)
    kept = [
        one for at, one in enumerate(every)
        if not any(_within(other, one) for k, other in enumerate(every) if k != at)
    ]  # fmt: skip
    return tuple(kept[:limit])


def _within(inner: str, outer: str) -> bool:
    return f" {inner} " in f" {outer} "


def _clean(name: str) -> str:
    return _SPACES.sub(" ", _MARKS.sub(" ", name)).strip()


def _quoted(name: str) -> str:
    return f'"{_clean(name)}"'
