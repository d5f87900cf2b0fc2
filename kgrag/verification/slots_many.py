"""How many and which: "all of" against "any of", "and" against "or", "few" against "a few"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kgrag.records.answer import Check
from kgrag.verification.numbers import Found
from kgrag.verification.quotes import fold_text
from kgrag.verification.slots_words import STOPS
from kgrag.verification.words import Reading

LAYER: Final = "quantity"
_NOTHING: Final[Found] = (Check(LAYER, "not_applicable"), None)


def check_many(said: Reading, text: Reading) -> Found:
    """The statement joins, counts and ranks as its evidence does."""
    for check in (_joins, _choices, _few, _degrees, _ranks, _only):
        detail = check(said, text)
        if detail:
            return Check(LAYER, "fail", detail, "factual error"), "unsupported"
    return _NOTHING


# --- and, or ------------------------------------------------------------------------------------


def _joins(said: Reading, text: Reading) -> str:
    if said.labelled("negation") or text.labelled("negation"):
        return ""  # "no fever or cough" is "no fever and no cough"
    its = list(_joined(text))
    for word, left, right in _joined(said):
        same = {
            other
            for other, one, two in its
            if (not left.isdisjoint(one) and not right.isdisjoint(two))
            or (not left.isdisjoint(two) and not right.isdisjoint(one))
        }  # fmt: skip
        if same and word not in same and "both" not in same:
            return f"{word!r} against {min(same)!r}"
    return ""


def _joined(text: Reading) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """Each "and" and "or" with the keys of the words with content beside it."""
    for at, token in enumerate(text.tokens):
        if token.word not in ("and", "or"):
            continue
        left = _beside(text, range(at - 1, max(-1, at - 4), -1))
        right = _beside(text, range(at + 1, min(len(text.tokens), at + 4)))
        if left is None or right is None:
            continue
        around = [t.word for t in text.tokens[max(0, at - 2) : at + 3]]
        word = "both" if "and" in around and "or" in around and "/" in around else token.word
        yield word, text.tokens[left].keys, text.tokens[right].keys


def _beside(text: Reading, places: range) -> int | None:
    for i in places:
        token = text.tokens[i]
        if token.content or token.number:
            return i
        if token.word in STOPS and token.word != ",":
            return None
    return None


# --- all of, any of -----------------------------------------------------------------------------

_OF: Final = re.compile(
    r"\b(?:(all|both|each|every one)|(any|any one|either)|(none|neither)|((?:at least |at most |"
    r"only |exactly |more than )?(?:one|two|three|four|five|six|\d+)(?: or more| or fewer)?))"
    r" of (?=(?:the |these |those )?(?:following|these|those|criteria|conditions|signs|symptoms"
    r"|features|findings|\w+, \w+))"
)
_CLASSES: Final = ("all", "any", "none", "count")


def _choices(said: Reading, text: Reading) -> str:
    mine, its = (list(_OF.finditer(fold_text(one.text))) for one in (said, text))
    if len(its) != 1 or len(mine) > 1:
        return ""
    wanted = _class(its[0])
    if not mine:
        told = wanted in ("any", "count") and text.tokens and _repeats(said, text)
        return f"leaves out {its[0][0].strip()!r}" if told else ""
    if _class(mine[0]) == wanted:
        return ""
    if {_class(mine[0]), wanted} == {"any", "count"}:
        return ""  # "one or more of" is "any of": the numbers are compared by themselves
    return f"{mine[0][0].strip()!r} against {its[0][0].strip()!r}"


def _class(match: re.Match[str]) -> str:
    return _CLASSES[(match.lastindex or 1) - 1]


def _repeats(said: Reading, text: Reading) -> bool:
    """Whether the statement tells most of the sentence, two words of it at least."""
    told = sum(not text.keys[i].isdisjoint(said.groups) for i in text.content)
    return told >= 2 and told >= 0.6 * len(text.content)


# --- few, as ... as -----------------------------------------------------------------------------

_FEW: Final = re.compile(r"(?<!\ba )(?<!\bquite a )(?<!\bthe )(?<!\blast )\b(few|little)\b")
_A_FEW: Final = re.compile(r"\ba (few|little)\b")


def _few(said: Reading, text: Reading) -> str:
    """ "Few" are hardly any, "a few" are some."""
    mine, its = said.plain, text.plain
    for one, other in ((_FEW, _A_FEW), (_A_FEW, _FEW)):
        told = {m[1] for m in one.finditer(mine)} & {m[1] for m in other.finditer(its)}
        if told and not told & {m[1] for m in one.finditer(its)}:
            return f"{min(told)!r} is not 'a {min(told)}'"
    return ""


_AS: Final = re.compile(r"\bas (?!well|soon|long|much|many|far|such|possible|needed)(\w+) as\b")


def _degrees(said: Reading, text: Reading) -> str:
    """ "More effective than" is not told as "as effective as"."""
    mine, its = said.plain, text.plain
    if " than " not in its or " than " in mine:
        return ""
    told = {m[1] for m in _AS.finditer(mine)} - {m[1] for m in _AS.finditer(its)}
    return f"{min(told)!r} is compared otherwise" if told else ""


_RANKS: Final = {
    word: at
    for at, words in enumerate(("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th"))
    for word in words.split()
}


def _ranks(said: Reading, text: Reading) -> str:
    """A "second line" is no "first line"."""
    its = _ranked(text)
    for rank, keys in _ranked(said):
        others = {other for other, near in its if not near.isdisjoint(keys)}
        if others and rank not in others:
            return "a rank is told otherwise"
    return ""


def _ranked(text: Reading) -> list[tuple[int, frozenset[str]]]:
    """Each rank with the keys of the word behind it."""
    found = []
    for at, token in enumerate(text.tokens[:-1]):
        behind = text.tokens[at + 1]
        if (rank := _RANKS.get(token.word)) is not None and behind.content:
            found.append((rank, behind.keys))
    return found


_FOR_ALL: Final = frozenset("a about few slightly recently partly rarely recent in".split())


def _only(said: Reading, text: Reading) -> str:
    """ "Only doctors may" is more than "doctors may"; "only 5%" is no more than "5%"."""
    for at, token in enumerate(text.tokens[:-1]):
        if token.word not in ("only", "solely", "exclusively"):
            continue
        behind = text.tokens[at + 1]
        told = behind.content and not behind.keys.isdisjoint(said.groups)
        before = text.tokens[at - 1].word if at else ""
        if before in ("not", "the", "one") or not told or behind.word in _FOR_ALL:
            continue
        if token.keys.isdisjoint(said.groups) and not _LIMITS.search(said.plain):
            return f"leaves out {token.word!r}"
    return ""


_LIMITS: Final = re.compile(
    r"\b(?:limited|restricted|confined|reserved|no other|nobody else|unless|except|but)\b"
)
