"""What a rendering is made of: a few kinds of block, which each form writes in its own way.

Texts in blocks are as the sources have them: whoever writes a block escapes what it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["emergency", "warning", "follow_up"]
Mark = Literal["supported", "contradicted", "not_covered", ""]


@dataclass(frozen=True, slots=True)
class Heading:
    """``level`` is 1 for the title, of which there is one."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Alert:
    """Words of the engine that come before what they warn of."""

    text: str
    level: Level = "warning"


@dataclass(frozen=True, slots=True)
class Para:
    text: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """A statement or a quotation with the lines that say where it stands and how it was checked.

    ``exact`` is True for the characters of a source; ``label`` stands before it. What is ``apart``
    is no part of the answer and must not look like it.
    """

    text: str
    lines: tuple[str, ...] = ()
    exact: bool = True
    label: str = ""
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One source in a comparison: ``head`` says who and when, ``lines`` where."""

    head: str
    quote: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sides:
    """Sources side by side under a title."""

    title: str
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """Some characters of a checked text; ``number`` is that of what is told of them below."""

    text: str
    mark: Mark = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    """A whole text, its checked sentences marked in place."""

    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Details:
    """What is folded away where the form can fold; ``brief`` is said instead where it cannot."""

    summary: str
    blocks: tuple[Block, ...]
    brief: str | None = None


Block = Heading | Alert | Para | Quoted | Sides | Listing | Marked | Details

NAMES: dict[Mark, str] = {
    "supported": "supported",
    "contradicted": "contradicted",
    "not_covered": "not covered",
    "": "",
}
