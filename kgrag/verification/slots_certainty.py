"""Certainty and cause: the statement is no surer than its evidence, and no cause is made up."""

from __future__ import annotations

import re
from typing import Final

from kgrag.records.answer import Check
from kgrag.verification.numbers import Found
from kgrag.verification.slots_words import (
    STOPS,
    around,
    best,
    in_shared_phrase,
    overlap,
    shared,
)
from kgrag.verification.words import Reading, read

_HEDGES: Final = (("possible", "probable"), ("mostly",), ("about",))


def check_certainty(said: Reading, text: Reading) -> Found:
    """The statement is no surer than its evidence, and advises no more strongly."""
    compared = False
    for labels in _HEDGES:
        its = text.labelled(*labels)
        compared = compared or bool(its)
        kept = _kept(text, its, said, said.labelled(*labels))
        for at in its:
            if at in kept or not _told(text, at, said) or in_shared_phrase(text, at, said):
                continue
            marks = text.tokens[at].labels
            if "option" in marks and "possible" not in marks and said.labelled("option"):
                continue
            if _other_word(text, at, said):
                continue
            return Check("certainty", "fail", f"the statement drops {text.tokens[at].word!r}",
                         "factual error"), "unsupported"  # fmt: skip
    dropped = _only_considered(said, text) or _doubted(said, text)
    if dropped:
        return Check("certainty", "fail", f"the statement drops {dropped!r}",
                     "factual error"), "unsupported"  # fmt: skip
    for label, weaker in (("order", ("advice", "option", "possible")),
                          ("advice", ("option", "possible"))):  # fmt: skip
        mine, its = said.labelled(label), text.labelled(label)
        if label == "advice":
            its = [*its, *text.labelled("order")]
        for at in mine:
            low = [i for i in text.labelled(*weaker) if label not in text.tokens[i].labels]
            if not low or (len(mine) <= len(its) and best(said, at, text, its) >= 0.3):
                continue
            if best(said, at, text, low) > max(0.25, best(said, at, text, its)):
                return Check("certainty", "fail", f"{said.tokens[at].word!r} is stronger advice",
                             "factual error"), "unsupported"  # fmt: skip
    return Check("certainty", "pass" if compared else "not_applicable"), None


_DOUBTED: Final = re.compile(
    r"(?i)\b(?:but|although|though|however)\b[^.;]{0,30}\b(?:evidence|certainty|quality|data)\b"
    r"[^.;]{0,30}\b(?:uncertain|weak|limited|low|poor|insufficient|inconclusive|sparse|lacking)\b"
)


def _doubted(said: Reading, text: Reading) -> str:
    """What the evidence says of its own weakness, where the statement says nothing of it."""
    match = _DOUBTED.search(text.text)
    if match is None:
        return ""
    weak = read(match[0])
    return "" if any(not weak.keys[i].isdisjoint(said.groups) for i in weak.content) else match[0]


_CONSIDER: Final = re.compile(
    r"(?i)(?:^|[.;:,(]\s*|\b(?:should|to|may|can|could|and|or|please)\s+)consider\b"
    r"|\b(?:may|can|could|should|might) be (?:considered|offered|tried)\b"
    r"|\bis (?:an option|optional)\b"
)


def _only_considered(said: Reading, text: Reading) -> str:
    """What the evidence only wants considered, where the statement says to do it."""
    if said.labelled("option", "possible", "probable"):
        return ""
    match = _CONSIDER.search(text.text)
    if match is None:
        return ""
    behind = [text.keys[at] for at in text.content if text.tokens[at].start >= match.end()][:3]
    before = [text.keys[at] for at in text.content if text.tokens[at].end <= match.start()][-3:]
    told = any(part and shared(part, said.groups) >= 0.6 for part in (behind, before))
    return match[0].strip(" .;:,(") if told else ""


def _other_word(text: Reading, at: int, said: Reading) -> bool:
    """Whether the statement says the hedge by a word without a label: "numerous" for "many"."""
    keys = text.tokens[at].keys
    mine = [i for i, its in enumerate(said.keys) if not its.isdisjoint(keys)]
    its = [i for i, other in enumerate(text.keys) if not other.isdisjoint(keys)]
    return len(mine) >= len(its) and any(_near(text, at, said, i) for i in mine)


def _kept(text: Reading, its: list[int], said: Reading, mine: list[int]) -> set[int]:
    """The hedges of the evidence that the statement has, each by a hedge of its own."""
    pairs = sorted(
        (
            (overlap(text, at, said, i) + (text.tokens[at].word == said.tokens[i].word) / 2, at, i)
            for at in its
            for i in mine
            if _near(text, at, said, i) or _moved(text, at, said, i)
        ),
        key=lambda p: (-p[0], p[1], p[2]),
    )
    kept: set[int] = set()
    used: set[int] = set()
    for _, at, i in pairs:
        if at not in kept and i not in used:
            kept.add(at)
            used.add(i)
    return kept


def _moved(text: Reading, at: int, said: Reading, there: int) -> bool:
    """ "Usually it heals" may be "it heals, usually": the same word, at an end of its sentence."""
    if text.tokens[at].word != said.tokens[there].word:
        return False
    return any(
        place == 0 or all(token.mark for token in one.tokens[place + 1 :])
        for one, place in ((text, at), (said, there))
    )


_AIM: Final = re.compile(
    r"(?i)\bto (?:assess|determine|examine|evaluate|investigate|explore|study|test|compare|measure"
    r"|find out|ascertain|establish|clarify) (?:whether|if|how|the|what)\b|\bwhether\b"
    r"|\bwe (?:aimed|sought|asked|planned|set out)\b"
    r"|\b(?:aim|objective|purpose|goal)s?\b(?= (?:of|was|were|is|to)\b)"
    r"|\bhypothes[ie][sz]\w*|\bspeculat\w+|\bconcerns? (?:that|about|for|over|as to)\b"
    r"|\b(?:myths?|misconceptions?)\b|\bclaim(?:s|ed|ing)? that\b|\bden(?:y|ies|ied)\b"
    r"|(?<!\bno )(?<!without )\bdoubt(?:s|ed|ful)?\b|\b(?:disput|refut|debunk|disprov)\w+"
    r"|\b(?:insufficient|inadequate|no|little|lacks?|lack of|limited|weak)"
    r" (?:\w+ )?evidence (?:that|for|to)\b"
    r"|\bonce (?:thought|believed|held)\b|\bfalsely\b"
)


def check_aim(said: Reading, text: Reading) -> Found:
    """What the evidence only asks, supposes, fears or denies is not told as a finding."""
    if said.text.rstrip().endswith("?") or _AIM.search(said.text):
        return Check("certainty", "not_applicable"), None
    if text.text.rstrip().endswith("?"):
        return Check("certainty", "fail", "the evidence only asks",
                     "factual error"), "unsupported"  # fmt: skip
    for match in _AIM.finditer(text.text):
        if any(not t.keys.isdisjoint(said.groups) for t in read(match[0]).tokens if t.content):
            continue  # the statement tells the asking too
        stop = re.compile(r"[.;](?:\s|$)").search(text.text, match.end())
        end = stop.start() if stop else len(text.text)
        asked = frozenset(
            key
            for at in text.content
            if match.end() <= text.tokens[at].start < end
            for key in text.keys[at]
        )
        told = [said.keys[at] for at in said.content]
        if told and shared(told, asked) >= 0.5:
            return Check("certainty", "fail", f"the evidence only asks: {match[0]!r}",
                         "factual error"), "unsupported"  # fmt: skip
    return Check("certainty", "not_applicable"), None


def _near(text: Reading, at: int, said: Reading, there: int) -> bool:
    return overlap(text, at, said, there) >= 0.3


def _told(text: Reading, at: int, said: Reading) -> bool:
    """Whether the statement repeats the words around this place of the evidence."""
    close = around(text, at, 2)
    if close and shared(close, said.groups) >= 0.6:
        return True
    # "Experts suggest that zinc helps": what stands behind is what is hedged.
    behind: list[frozenset[str]] = []
    for i in range(at + 1, min(len(text.tokens), at + 12)):
        if text.tokens[i].word in STOPS or len(behind) == 3:
            break
        token = text.tokens[i]
        if token.word in _SOURCES or token.labels & {"possible", "probable"}:
            continue
        if token.content or token.number:
            behind.append(text.keys[i])
    return len(behind) > 1 and shared(behind, said.groups) >= 0.99


_SOURCES: Final = frozenset(
    "evidence study studies data research expert experts author authors trial trials report reports"
    " finding findings result results".split()
)


def check_cause(said: Reading, text: Reading) -> Found:
    """An association of the evidence is not told as a cause."""
    links = [i for i in text.labelled("association") if "cause" not in text.tokens[i].labels]
    causes = text.labelled("cause")
    mine = said.labelled("cause")
    for at in mine:
        if not links or (in_shared_phrase(said, at, text) and causes):
            continue
        linked = best(said, at, text, links)
        if linked > max(0.2, best(said, at, text, causes)) or (
            len(mine) > len(causes) and (len(said.labelled("association")) < len(links))
        ):
            return Check("cause", "fail", "an association is told as a cause",
                         "spurious correlation"), "unsupported"  # fmt: skip
    return Check("cause", "pass" if mine else "not_applicable"), None
