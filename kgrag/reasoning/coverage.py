"""Content words: what a text is about, without its grammar; and how far one text covers another.

Words are lower-cased, folded to one form of dash and Greek letter, and lightly stemmed (English
endings only), so that "opioids" covers "opioid" and "tapering" covers "taper". Numbers are left
to the slot checks. A pure function of the text: the same on every machine.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_][^\W_]*(?:['’][^\W\d_]+)?|\d+[^\W\d_]\w*")
_STOP_WORDS: Final = """
    a about above according after again against all also although always am among an and another any
    are around as at away be became because become been before being below between both but by can
    cannot could did do does doing done due during each either else etc even ever every few for from
    further get give given gives go had has have having he hence her here hers herself him himself
    his how however i if in instead into is it its itself just kind kinds know known let like likely
    lot made mainly make makes many may me might mine more most much must my myself name need needed
    needs neither no nor not now of off often on once one ones only onto or other others otherwise
    our ours out over own part per perhaps please rather regarding same say says see seem seems
    several shall she should since so some someone something such tell than that the their theirs
    them themselves then there therefore these they thing things this those though through thus to
    together too toward towards type types under until unto up upon us use used uses using usually
    various very via was way ways we well were what whatever when where whereas whether which while
    who whoever whom whose why will with within without would yes yet you your yours
    mean means describe explain list main called exist exists involve involved happen happens
"""
_STOP: Final = frozenset(_STOP_WORDS.split())


def content_words(text: str) -> list[str]:
    """The stems of the content words of ``text`` in order, repeats included."""
    return [_stem(w) for w in _words(text) if w not in _STOP and len(w) > 1]


def _words(text: str) -> Iterable[str]:
    for match in _WORD.finditer(text.lower().replace("’", "'")):
        yield match.group().removesuffix("'s")


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    """English endings removed: plural, -ing, -ed, -ly, -ation/-ate, spelling haem-/oe-/-our."""
    stem = word
    for british, american in (("haem", "hem"), ("oedem", "edem"), ("aemi", "emi"), ("oea", "ea"),
                              ("tumour", "tumor"), ("oesoph", "esoph"), ("paed", "ped"),
                              ("anaes", "anes"), ("ise", "ize")):  # fmt: skip
        stem = stem.replace(british, american)
    for ending, keep, put in _ENDINGS:
        if stem.endswith(ending) and len(stem) - len(ending) >= keep:
            stem = stem[: len(stem) - len(ending)] + put
            break
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] in "bdgmnprt":
        stem = stem[:-1]
    return stem[:-1] if len(stem) > 4 and stem[-1] == "e" else stem


_ENDINGS: Final = (
    ("sses", 2, "ss"), ("ations", 4, ""), ("ation", 4, ""), ("ating", 4, ""), ("ated", 4, ""),
    ("ates", 4, ""), ("ate", 4, ""), ("izing", 4, ""), ("ized", 4, ""), ("izes", 4, ""),
    ("ize", 4, ""), ("ments", 4, ""), ("ment", 4, ""), ("ness", 4, ""), ("ies", 3, "y"),
    ("ied", 3, "y"), ("ously", 4, "ous"), ("ingly", 4, ""), ("ally", 4, ""), ("ings", 3, ""),
    ("ing", 3, ""), ("eed", 2, "eed"), ("ed", 3, ""), ("ly", 4, ""), ("ches", 3, "ch"),
    ("shes", 3, "sh"), ("xes", 3, "x"), ("ss", 1, "ss"), ("us", 2, "us"), ("is", 2, "is"),
    ("s", 3, ""), ("al", 5, ""),
)  # fmt: skip


def weights(texts: Iterable[Iterable[str]]) -> dict[str, float]:
    """Inverse document frequency of each word over ``texts``: log(1 + (n - df + .5)/(df + .5))."""
    document_counts: Counter[str] = Counter()
    total = 0
    for words in texts:
        document_counts.update(set(words))
        total += 1
    return {
        word: math.log(1 + (total - count + 0.5) / (count + 0.5))
        for word, count in document_counts.items()
    }


def coverage(
    wanted: Iterable[str], having: Iterable[str], weight: Mapping[str, float] | None = None
) -> float:
    """The share, in [0, 1], of the weight of the different ``wanted`` words that ``having`` has.

    A word without a weight counts as much as the heaviest. Nothing wanted is fully covered.
    """
    words = set(wanted)
    if not words:
        return 1.0
    have = set(having)
    heaviest = max(weight.values(), default=1.0) if weight else 1.0
    worth = {w: (weight.get(w, heaviest) if weight else 1.0) for w in words}
    total = sum(worth.values())
    return sum(worth[w] for w in words if w in have) / total if total else 1.0


def missing(wanted: str, having: Iterable[str]) -> list[str]:
    """Content words of ``wanted`` that no text of ``having`` has, in order, once each."""
    have: set[str] = set()
    for text in having:
        have.update(content_words(text))
    return [w for w in dict.fromkeys(content_words(wanted)) if w not in have]
