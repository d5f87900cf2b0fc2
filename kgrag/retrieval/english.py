"""Whether a question is plainly in another language that is written in Latin letters.

By the small words that every sentence has. Names of diseases and medicines are Latin everywhere, so
that only a question with several small words of others and none of English is taken for another's.
"""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+")
_ENGLISH: Final = frozenset(
    (
        "a an and any are as at be been but by can could did do does for from get give given "
        "had has have he her his how i if in into is it its may me must my no not of off on or "
        "our out over she should so some than that the their them then there these they this "
        "those to too under use used was we were what when where which who whom whose why will "
        "with without would you your "
    ).split()
)
# German, French, Spanish, Italian, Portuguese, Dutch; no word that English has too.
_OTHERS: Final = frozenset(
    (
        "aber al ao aos au auch auf aus aux avec bei beim bij bin ce ces cette che chez chi com "
        "combien comment como con cosa cual cuales cuando cuanto cuál cuáles cuándo cuánto da "
        "dans das de degli dei del della delle dem den der des di die dos dove du e een ein "
        "eine einem einen einer eines el ella elle elles em en es est esta este et faut für "
        "gibt gli haben hat hay het hoe hoeveel há il ils ist kan kann la las le les leur los "
        "mais man mit moet na naar nach nas ne nel nella nicht niet non nos não o ook op os ou "
        "où par para pas pela pelo per perché pero peut più por porque pour pourquoi puede può "
        "quais qual quale quali quand quando quanto que quel quelle quelles quels qui quien "
        "quién qué sans se seu si sind son sono sont su sua sur sus são tem tiene tra uma un "
        "una und une unos van vom von voor waarom wann warum wat welche welchen welcher welches "
        "welke wenn werden wie wieviel wird wo y zijn zu zum zur às è é être über "
    ).split()
)
_LEAST: Final = 3


def in_another_language(question: str) -> bool:
    """Whether the small words of the question are all of other languages, and at least three, or
    two of four words."""
    words = [word.casefold() for word in _WORD.findall(question)]
    if any(word in _ENGLISH for word in words):
        return False
    others = sum(word in _OTHERS for word in words)
    return others >= _LEAST or (others >= 2 and 2 * others >= len(words))
