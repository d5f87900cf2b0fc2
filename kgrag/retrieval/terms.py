"""Text to BM25 terms: the lexical half of the hybrid index.

A term is a stemmed word or a number; its number is a 32-bit hash of it, the same on every
machine. A passage's terms carry the BM25 term-frequency weight; the index multiplies by the
inverse document frequency. The average length is a constant, not a statistic of the collection:
so a passage's weights never change when others are added, and catching up equals rebuilding.
``docs/decisions/0002-bm25-in-the-vector-index.md`` has the measurements.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, Final

# Raised whenever the terms or weights of some text change: the index is then rebuilt.
VERSION: Final = "1"

K1: Final = 1.2
B: Final = 0.75
# Terms in a typical passage; see the decision record for how little the ranking depends on it.
AVERAGE_LENGTH: Final = 100.0

# Words of grammar and of asking. "no", "not", "without" and "than" stay: they carry meaning here.
STOP_WORDS: Final = frozenset(
    """
    a an and are as at be been but by can could did do does for from had has have how if in into is
    it its of on or s should such that the their then there these they this to was were what when
    where which who whom whose why will with would
    """.split()
)
# Spellings of one unit that NFKC does not unite.
_UNITS: Final = {"μg": "mcg", "ug": "mcg", "microgram": "mcg", "micrograms": "mcg"}
_UNIT_AFTER_NUMBER: Final = (
    r"(?:mg|mcg|μg|ug|ng|kg|g|ml|dl|l|mmol|μmol|mol|iu|meq|mm|cm|kcal|hz|h|hr|hrs|min)"
)
_TOKEN: Final = re.compile(
    rf"""
    (?P<number>\d+(?:,\d\d\d)+(?:\.\d+)?|\d+\.\d+|\d+(?={_UNIT_AFTER_NUMBER}\b))
    | (?P<word>[^\W_]+)(?:['’]s\b)?
    """,
    re.VERBOSE,
)


def tokens(text: str) -> list[str]:
    """The terms of ``text`` in order, with repeats: stems and numbers, stop words left out.

    "500mg" and "500 mg" give the same two terms, "1,000" and "1000" the same one; a decimal
    number is one term. Compatibility forms (NFKC) and case do not matter.
    """
    found: list[str] = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text).lower()):
        number = match["number"]
        if number is not None:
            found.append(number.replace(",", ""))
            continue
        word = match["word"]
        if word not in STOP_WORDS:
            found.append(_UNITS.get(word) or _stem(word))
    return found


@lru_cache(maxsize=1 << 20)
def term_number(term: str) -> int:
    """The number of a term, in [0, 2**32)."""
    return int.from_bytes(blake2b(term.encode(), digest_size=4).digest(), "big")


def passage_terms(text: str) -> dict[int, float]:
    """Term numbers of an indexed text with their BM25 weight, inverse document frequency apart."""
    counts = Counter(tokens(text))
    norm = K1 * (1 - B + B * counts.total() / AVERAGE_LENGTH)
    weights: dict[int, float] = {}
    for term, count in counts.items():
        number = term_number(term)
        weights[number] = weights.get(number, 0.0) + count * (K1 + 1) / (count + norm)
    return weights


def question_terms(text: str) -> dict[int, float]:
    """Term numbers of a question with weight 1 each; empty when it has stop words only."""
    return {term_number(term): 1.0 for term in tokens(text)}


@lru_cache(maxsize=1 << 18)
def _stem(word: str) -> str:
    # Words with digits (il2, h1n1, 2a) are names: stemming would merge different ones.
    if not word.isalpha():
        return word
    return str(_stemmer().stemWord(word))


@cache
def _stemmer() -> Any:
    import snowballstemmer  # type: ignore[import-untyped]  # it ships no types

    return snowballstemmer.stemmer("english")
