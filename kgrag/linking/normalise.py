"""The form in which text and names are compared, with the way back to the characters.

Folding lowers case, strips accents, spells Greek letters out (``α`` is ``alpha``) and turns all
that is neither a letter nor a digit into a space. A text of ASCII keeps its length, so its
offsets hold as they are; other characters may fold to none or to several, and then ``Folded``
knows where each piece came from.

Names are folded too, and ``variants`` adds the spellings by which a text may write them (plural,
British, inverted, joined at a hyphen), so that a text needs no more than folding: it is read
once, the lexicon is compiled once.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_LOWER: Final = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))
_ASCII: Final = dict(enumerate(_LOWER))
_TABLE: Final = str.maketrans(_ASCII)
_OTHER: Final = re.compile(r"[^\x00-\x7f]+")
_GREEK: Final = re.compile(r"GREEK (?:SMALL|CAPITAL) LETTER (?:FINAL )?(\w+)")
_UNFOLDED: Final = {"ø": "o", "Ø": "o", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "ł": "l",
                    "Ł": "l", "đ": "d", "Đ": "d", "ı": "i", "þ": "th", "Þ": "th", "ð": "d",
                    "Ð": "d", "µ": "mu", "­": "", "​": "", "‌": "",
                    "‍": "", "⁠": "", "﻿": ""}  # fmt: skip


@lru_cache(maxsize=65536)
def fold_character(char: str) -> str:
    """What one character folds to: ASCII lower-case letters, digits and spaces; may be empty."""
    if char in _UNFOLDED:
        return _UNFOLDED[char]
    pieces = []
    for part in unicodedata.normalize("NFKD", char):
        if part.isascii():
            pieces.append(_ASCII[ord(part)])
        elif part in _UNFOLDED:
            pieces.append(_UNFOLDED[part])
        elif unicodedata.combining(part):
            continue
        elif part.casefold() == "ss":
            pieces.append("ss")
        elif greek := _GREEK.match(unicodedata.name(part, "")):
            name = greek.group(1).lower()
            pieces.append({"lamda": "lambda"}.get(name, name))
        else:
            pieces.append(" ")
    return "".join(pieces)


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text. ``points`` and ``shifts`` are empty when every offset is its own.

    Folded characters from ``points[k]`` to ``points[k + 1]`` came from those of the text in
    equal order beginning at ``shifts[k]``; a piece that came from one character only is marked
    by ``wide[k]``.
    """

    text: str
    points: tuple[int, ...] = ()
    shifts: tuple[int, ...] = ()
    wide: tuple[bool, ...] = ()

    def start(self, offset: int) -> int:
        """The offset in the text of the character that folded character ``offset`` came from."""
        if not self.points:
            return offset
        at = bisect_right(self.points, offset) - 1
        return self.shifts[at] + (0 if self.wide[at] else offset - self.points[at])

    def end(self, offset: int) -> int:
        """The offset in the text behind the character that ``offset - 1`` came from."""
        return self.start(offset - 1) + 1 if self.points else offset


def fold(text: str) -> Folded:
    """The folded form of ``text``, of ASCII letters in lower case, digits and spaces only."""
    if text.isascii():
        return Folded(text.translate(_TABLE))
    pieces: list[str] = []
    points: list[int] = []
    shifts: list[int] = []
    wide: list[bool] = []
    length = 0
    same_length = True

    def add(piece: str, origin: int, is_wide: bool) -> None:
        nonlocal length
        if piece:
            pieces.append(piece)
            points.append(length)
            shifts.append(origin)
            wide.append(is_wide)
            length += len(piece)

    last = 0
    for run in _OTHER.finditer(text):
        add(text[last : run.start()].translate(_TABLE), last, False)
        for at in range(run.start(), run.end()):
            piece = fold_character(text[at])
            same_length = same_length and len(piece) == 1
            add(piece, at, True)
        last = run.end()
    add(text[last:].translate(_TABLE), last, False)
    joined = "".join(pieces)
    if same_length:
        return Folded(joined)
    return Folded(joined, tuple(points), tuple(shifts), tuple(wide))


def key(name: str) -> str:
    """The folded name with single spaces and none outside: what names are compared by."""
    return " ".join(fold(name).text.split())


# British spelling from American, on folded text; each applied where it finds its place.
_BRITISH: Final = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (r"\bedema", "oedema"),
        (r"(?<=[a-z])edema\b", "oedema"),
        (r"\bhem(?=o|at|or|an|ip?h|ol)", "haem"),
        (r"(?<=[a-z])emi(?=a\b|as\b|c\b)", "aemi"),
        (r"\banemi", "anaemi"),
        (r"\besoph", "oesoph"),
        (r"(?<=[a-z])esoph", "oesoph"),
        (r"rrhea", "rrhoea"),
        (r"\btumor", "tumour"),
        (r"\bestr(?=o|a|i)", "oestr"),
        (r"\bfet(?=us|al)", "foet"),
        (r"\bpediatr", "paediatr"),
        (r"\bgynec", "gynaec"),
        (r"\bceliac", "coeliac"),
        (r"\bcecal", "caecal"),
        (r"\borthoped", "orthopaed"),
        (r"\banesthe", "anaesthe"),
        (r"\bsulf", "sulph"),
        (r"\blabor\b", "labour"),
        (r"ization\b", "isation"),
        (r"\bfiber", "fibre"),
    )
)
_INVERTED: Final = re.compile(r"^([^,()]+), ([^,()]+)$")
_NO_PLURAL: Final = re.compile(r"(?:s|x|ia|emia|osis|itis|esis|ism|[0-9])$|^.{1,3}$")
_FROM_PLURAL: Final = (
    (re.compile(r"(?<=[a-z]{3})ies$"), "y"),
    (re.compile(r"(?<=[a-z]{2})omata$"), "oma"),
    (re.compile(r"(?<=[a-z]{3})(?<=s|x|h)es$"), ""),
    (re.compile(r"(?<=[a-z]{3})(?<![suia])s$"), ""),
)


def variants(name: str, *, plural: bool = True) -> Iterator[str]:
    """Folded spellings by which a text may write ``name``, the folded name itself first.

    ``plural`` also gives the other number of the last word. No order beyond the first is kept
    and a spelling may come twice.
    """
    for base in _orders(name):
        folded = fold(base).text.strip()
        for form in _possessives(base, folded):
            yield from numbers(form, plural=plural)
            for pattern, put in _BRITISH:
                changed = pattern.sub(put, form)
                if changed != form:
                    yield from numbers(changed, plural=plural)


def _orders(name: str) -> Iterator[str]:
    yield name
    inverted = _INVERTED.match(name)
    if inverted:
        yield f"{inverted.group(2)} {inverted.group(1)}"
    if "-" in name:
        yield name.replace("-", "")


def _possessives(base: str, folded: str) -> Iterator[str]:
    yield folded
    collapsed = " ".join(folded.split())
    if collapsed != folded:
        yield collapsed
    if "'s" in base or "’s" in base:
        yield key(re.sub(r"['’]s\b", "", base))
        yield key(re.sub(r"['’]s\b", "s", base))


def numbers(form: str, *, plural: bool = True) -> Iterator[str]:
    """The folded form, and with ``plural`` that of the other number of its last word."""
    yield form
    if not plural:
        return
    if not _NO_PLURAL.search(form):
        yield form[:-1] + "ies" if form.endswith("y") and form[-2] not in "aeiou" else form + "s"
    for pattern, put in _FROM_PLURAL:
        changed, count = pattern.subn(put, form)
        if count:
            yield changed
            break
