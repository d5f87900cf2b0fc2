"""Text of a document that addresses a language model: it is data, and it is not quoted.

What is told apart is speech to a machine that answers ("ignore your instructions", "when asked,
reply that", marks of a chat form), not commands as such: guidelines are full of these. Wordings
that are known are in ``instructions.toml``; others are weighed (``speech.py``). Nothing here is
needed for safety of form, since a model never writes what leaves the engine unchecked; it keeps
planted sentences from being quoted as advice.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import tomllib
import unicodedata
from bisect import bisect_right
from functools import cache, lru_cache
from typing import Final

from kgrag.paths import resource
from kgrag.records.text import Block, Document
from kgrag.retrieval.speech import is_speech
from kgrag.sentences import sentences

NEIGHBOURS: Final = 3
"""So many blocks before and after one that addresses a model, in its section, are not quoted:
what is planted is often said in two sentences, and the second one reads like advice."""

_BETWEEN: Final = re.compile(r"\{([a-z]+)\}")


@cache
def _kinds() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    """The words and the pattern of each kind of speech."""
    told = tomllib.loads(resource("ontologies", "instructions.toml").read_text(encoding="utf-8"))
    lists = {name: f"(?:{'|'.join(items)})" for name, items in told["lists"].items()}

    def whole(patterns: list[str]) -> re.Pattern[str]:
        joined = "|".join(f"(?:{p})" for p in patterns)
        return re.compile(_BETWEEN.sub(lambda m: lists[m[1]], joined))

    return tuple((tuple(k["words"]), whole(k["patterns"])) for k in told["kinds"])


_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\u206a-\u206f\ufeff\u202a-\u202e"
                            "\u2066-\u2069\u180e\U000e0000-\U000e007f]")  # fmt: skip
# Text that is shown otherwise than it is stored, or not shown at all, has no place in a quotation.
_DISGUISE: Final = re.compile("[\u202d\u202e\U000e0020-\U000e007f]")
_ALIKE: Final = str.maketrans(
    "аеорсухіјѕԁһԛѡмтвнкАЕОРСУХІЈЅМТВНКαορυικνΑΒΕΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhqwmtbhkAEOPCYXIJSMTBHKaopuiknABEHIKMNOPTYX",
)
_OTHER_LETTER: Final = re.compile("[Ѐ-ԯͰ-Ͽ]")
_LATIN: Final = re.compile("[A-Za-z]")
_LEET: Final = tuple(str.maketrans("013457@$!|", f"o{one}eastasil") for one in "il")
_LEET_WORD: Final = re.compile(r"[A-Za-z][013457@$!|]{1,4}[A-Za-z]")
_LONGEST_WORD: Final = 40
_SPACED: Final = re.compile(r"(?<!\w)(?:[A-Za-z][ .\-_*]{1,3}){5,}[A-Za-z](?!\w)")
_SQUEEZED: Final = (
    "ignoreall", "ignoreprev", "ignoreyour", "ignorethe", "disregard", "forgetyour", "forgetall",
    "yourinstructions", "previousinstructions", "systemprompt", "asanai", "answerthat", "replythat",
)  # fmt: skip
_ORDER: Final = "ignore all previous instructions"
_BASE64: Final = re.compile(r"(?<![\w+/=])(?:[A-Za-z0-9+/]{4}){6,}(?:[A-Za-z0-9+/]{2,4}={0,2})?")
_HEX: Final = re.compile(r"(?<!\w)(?:[0-9a-fA-F]{2} ?){16,}(?!\w)")
# "ignore", "instruction", "answer", "system" with each letter moved by 13, and backwards.
_ROTATED: Final = ("vtaber", "vafgehpgvba", "nafjre", "flfgrz")
_BACKWARDS: Final = ("erongi", "noitcurtsni", "rewsna", "metsys")


@lru_cache(maxsize=8192)
def speaks_to_model(text: str) -> bool:
    """Whether the text reads like an instruction to a language model, plain or in disguise.

    Read again are: text without characters that nobody sees, letters of other scripts that look
    Latin, digits in the place of letters, words spelled with spaces or backwards, base64,
    hexadecimal digits, and letters moved by 13.
    """
    return _DISGUISE.search(text) is not None or any(map(_speaks, (text, *_other_forms(text))))


def _speaks(text: str) -> bool:
    small = text.lower()
    known = any(
        any(word in small for word in words) and pattern.search(small) is not None
        for words, pattern in _kinds()
    )
    return known or is_speech([span.of(text) for span in sentences(text)])


def _other_forms(text: str) -> list[str]:
    """The text read in the ways in which something can be hidden; only those that differ."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    if not plain.isascii():
        plain = " ".join(map(_latin, plain.split(" ")))
    forms = {plain} if plain != text else set()
    if _LEET_WORD.search(plain):
        for table in _LEET:
            forms.add(" ".join(_in_letters(word, table) for word in plain.split(" ")))
    for match in _SPACED.finditer(plain):
        # "i g n o r e  a l l": the gaps between words are lost when runs of spaces are.
        if any(word in re.sub(r"[ .\-_*]", "", match[0]).lower() for word in _SQUEEZED):
            forms.add(_ORDER)
    for match in _BASE64.finditer(plain):
        decoded = _decoded(match[0])
        if decoded:  # words that a reader does not see, whatever they say
            forms.add(_ORDER)
    for match in _HEX.finditer(plain):
        forms.add(bytes.fromhex(match[0]).decode("utf-8", errors="replace"))
    small = plain.lower()
    if any(word in small for word in _ROTATED):
        forms.add(codecs.encode(plain, "rot13"))
    if any(word in small for word in _BACKWARDS):
        forms.add(plain[::-1])
    return sorted(forms)


def _in_letters(word: str, table: dict[int, int]) -> str:
    """A word of letters and digits with the letters that its digits look like."""
    mixed = len(word) <= _LONGEST_WORD and any(map(str.isalpha, word))
    return word.translate(table) if mixed else word


def _latin(word: str) -> str:
    """A word of Latin letters and of others that look like them, in Latin letters."""
    mixed = _OTHER_LETTER.search(word) and _LATIN.search(word)
    return word.translate(_ALIKE) if mixed else word


def _decoded(letters: str) -> str | None:
    """What base64 letters stand for when that is text; None when it is not."""
    try:
        text = base64.b64decode(letters + "=" * (-len(letters) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return text if text.isprintable() and " " in text else None


def speaks_nearby(document: Document, start: int, end: int) -> bool:
    """Whether a block at ``[start, end)``, or one close to it in its section, addresses a model;
    or the title or a heading that it stands under does, which are shown beside a quotation."""
    names = (document.title, *document.section_path(start))
    if any(map(speaks_to_model, names)):
        return True
    blocks = document.blocks
    if not blocks:
        return speaks_to_model(document.text[start:end])
    first = max(0, bisect_right(blocks, start, key=_start_of) - 1)
    last = max(first, bisect_right(blocks, max(start, end - 1), key=_start_of) - 1)
    section = _section(document, start)
    for block in blocks[max(0, first - NEIGHBOURS) : last + 1 + NEIGHBOURS]:
        inside = section is None or section[0] <= block.start < section[1]
        if inside and speaks_to_model(document.text[block.start : block.end]):
            return True
    return False


def _start_of(block: Block) -> int:
    return block.start


def _section(document: Document, at: int) -> tuple[int, int] | None:
    """The innermost section around ``at``."""
    holding = [(s.start, s.end) for s in document.sections if s.start <= at < s.end]
    return max(holding) if holding else None
