"""Slot checks: negation, direction, population, route, certainty and cause.

Each check is a pure function of a statement and the piece of evidence that it is held against,
both read into labelled words (``kgrag.verification.words``). A word that may turn the meaning is
compared where it stands: with the words around it, not with the whole text. They read words near
the source's own; free paraphrase is beyond rules. A check that finds nothing to compare is
``not_applicable``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from kgrag.records.answer import Check
from kgrag.verification.numbers import Found
from kgrag.verification.words import Reading, Token, read

_WIDTH: Final = 4
"""So many content words on either side are the surroundings of a word."""
_STOPS: Final = frozenset(";:,()[]")
_TURNS: Final = frozenset({"but", "however", "although", "though", "while", "whereas", "because"})


def around(text: Reading, at: int, width: int = _WIDTH) -> list[frozenset[str]]:
    """The keys of the content words and numbers around a place, nearest clause or not."""
    before = [i for i in range(max(0, at - 4 * width), at) if _counts(text.tokens[i])][-width:]
    after = [
        i for i in range(at + 1, min(len(text.tokens), at + 4 * width)) if _counts(text.tokens[i])
    ]
    return [text.keys[i] for i in (*before, *after[:width])]


def _counts(token: Token) -> bool:
    return token.content or token.number


def overlap(text: Reading, at: int, other: Reading, there: int) -> float:
    """The share of the words around ``at`` that stand around ``there`` too; 1.0 without any."""
    mine = around(text, at)
    its = frozenset(key for keys in around(other, there) for key in keys)
    return sum(not keys.isdisjoint(its) for keys in mine) / len(mine) if mine else 1.0


def _best(text: Reading, at: int, other: Reading, places: Iterable[int]) -> float:
    return max((overlap(text, at, other, there) for there in places), default=-1.0)


def _in_shared_phrase(said: Reading, at: int, read_: Reading) -> bool:
    """The word is part of a name that the evidence has: "high blood pressure"."""
    return any(
        s <= at < e and g in read_.groups and _count(said, g) <= _count(read_, g)
        for s, e, g in said.phrases
    )


def _count(text: Reading, group: str) -> int:
    single = sum(group in token.keys for token in text.tokens)
    return single + sum(g == group for _, _, g in text.phrases)


# --- opposites ----------------------------------------------------------------------------------

_OPPOSITES: Final[tuple[tuple[str, str], ...]] = (
    ("up", "down"), ("better", "worse"), ("before", "after"), ("above", "below"),
    ("acute", "chronic"), ("severe", "mild"), ("early", "late"), ("positive", "negative"),
    ("start", "stop"), ("left", "right"), ("dependent", "independent"), ("sensitive", "resistant"),
    ("activate", "inhibit"), ("agonist", "antagonist"), ("systolic", "diastolic"),
    ("bacterial", "viral"), ("primary", "secondary"), ("internal", "external"),
    ("anterior", "posterior"), ("proximal", "distal"), ("benign", "malignant"),
    ("inpatient", "outpatient"), ("dominant", "recessive"), ("fast", "slow"), ("long", "short"),
    ("first", "last"), ("new", "old"), ("day", "night"), ("hot", "cold"),
)  # fmt: skip
_CLEARLY: Final = 0.2


def _opposed(said: Reading, text: Reading, one: str, other: str) -> tuple[str, str] | None:
    """The words of the statement and of the evidence that are opposites in one place."""
    for at in said.labelled(one):
        token = said.tokens[at]
        if other in token.labels or _in_shared_phrase(said, at, text):
            continue
        same = text.labelled(one)
        rivals = [
            i for i in text.labelled(other)
            if one not in text.tokens[i].labels and not _in_shared_phrase(text, i, said)
        ]  # fmt: skip
        if not rivals:
            continue
        against = _best(said, at, text, rivals)
        if against < 0.25 or against <= _best(said, at, text, same) + _CLEARLY:
            continue
        rival = max(rivals, key=lambda i: overlap(said, at, text, i))
        # Both sides may tell both: the rival has its own place in the statement.
        if any(overlap(text, rival, said, i) >= against for i in said.labelled(other)):
            continue
        return token.word, text.tokens[rival].word
    return None


def check_direction(said: Reading, text: Reading) -> Found:
    """No word of the statement stands in the evidence as its opposite."""
    compared = 0
    for one, other in _OPPOSITES:
        for here, there in ((one, other), (other, one)):
            compared += bool(said.labelled(here))
            found = _opposed(said, text, here, there)
            if found is not None:
                return Check("direction", "fail", f"{found[0]!r} against {found[1]!r}",
                             "factual error"), "contradicts"  # fmt: skip
    return Check("direction", "pass" if compared else "not_applicable"), None


# --- one of several -----------------------------------------------------------------------------

_POPULATIONS: Final = (
    ("adult", ("child", "adolescent")), ("child", ("adult", "adolescent")),
    ("adolescent", ("child", "adult")), ("male", ("female",)), ("female", ("male",)),
    ("notpregnant", ("pregnant",)), ("animal", ("human",)), ("human", ("animal",)),
    ("older", ("child", "adolescent")),
)  # fmt: skip
_ROUTES: Final = (
    "oral", "intravenous", "intramuscular", "subcutaneous", "topical", "rectal", "inhaled",
    "intranasal", "sublingual", "intrathecal", "epidural", "transdermal", "vaginal", "intradermal",
)  # fmt: skip


def _other_one(
    said: Reading, text: Reading, label: str, others: tuple[str, ...]
) -> tuple[str, str] | None:
    """A word of the statement with ``label`` where the evidence has one of the ``others``."""
    same = text.labelled(label)
    for at in said.labelled(label):
        rivals = [
            i for i in text.labelled(*others) if label not in text.tokens[i].labels
        ]  # fmt: skip
        if not rivals or not said.tokens[at].labels.isdisjoint(others):
            continue
        if same and _best(said, at, text, rivals) <= _best(said, at, text, same) + _CLEARLY:
            continue
        if same and len(said.labelled(label)) <= len(same):
            continue
        return said.tokens[at].word, text.tokens[rivals[0]].word
    return None


def check_people(said: Reading, text: Reading) -> Found:
    """The statement speaks of the ages, the sex and the species that its evidence speaks of."""
    compared = False
    for label, others in _POPULATIONS:
        compared = compared or bool(said.labelled(label))
        found = _other_one(said, text, label, others)
        if found is not None:
            return Check("population", "fail", f"{found[0]!r} against {found[1]!r}",
                         "factual error"), "contradicts"  # fmt: skip
    return Check("population", "pass" if compared else "not_applicable"), None


def check_route(said: Reading, text: Reading) -> Found:
    """Each route of the statement is a route of the evidence."""
    mine = [route for route in _ROUTES if said.labelled(route)]
    its = [route for route in _ROUTES if text.labelled(route)]
    for route in mine:
        if route not in its:
            return Check("route", "fail", f"{route!r} is not in the evidence", "factual error"), (
                "contradicts" if set(its) - set(mine) else "unsupported"
            )
    return Check("route", "pass" if mine else "not_applicable"), None


# --- negation -----------------------------------------------------------------------------------


def _scope(text: Reading, at: int) -> list[frozenset[str]]:
    """The keys of what a negating word negates: its own word, the words behind it, or, where
    nothing stands behind it, those before."""
    own = text.tokens[at].own
    behind: list[frozenset[str]] = []
    for i in range(at + 1, min(len(text.tokens), at + 14)):
        token = text.tokens[i]
        if token.word in _STOPS or token.word in _TURNS or token.word == ".":
            break
        if token.content and "negation" not in token.labels:
            behind.append(text.keys[i])
            if len(behind) == 3:
                break
    found = [own, *behind] if own else behind
    if found and (behind or text.tokens[at].word in ("not", "no")):
        return found
    before = [i for i in range(max(0, at - 10), at) if text.tokens[i].content][-3:]
    return [*found, *(text.keys[i] for i in before)]


def check_negation(said: Reading, text: Reading) -> Found:
    """The statement negates what its evidence negates: neither drops nor adds a negation."""
    mine, its = said.labelled("negation"), text.labelled("negation")
    if not mine and not its:
        return Check("negation", "not_applicable"), None
    pairs = sorted(
        ((_same_denial(said, at, text, there), at, there) for at in mine for there in its),
        key=lambda p: (-p[0], p[1], p[2]),
    )
    free_mine, free_its = set(mine), set(its)
    for score, at, there in pairs:
        if score >= _SAME_DENIAL and at in free_mine and there in free_its:
            free_mine.remove(at)
            free_its.remove(there)
    for at in sorted(free_mine):
        # "Neither A nor B" may be "not A or B": one denial over two words.
        chained = said.tokens[at].word in ("nor", "neither") and any(
            s >= _SAME_DENIAL for s, other, _ in pairs if other == at
        )
        if not chained:
            return Check("negation", "fail", f"the statement adds {said.tokens[at].word!r}",
                         "factual error"), "contradicts"  # fmt: skip
    for there in sorted(free_its):
        scope = _scope(text, there)
        chained = text.tokens[there].word in ("nor", "neither") and any(
            s >= _SAME_DENIAL for s, _, other in pairs if other == there
        )
        if scope and not chained and _shared(scope, said.groups) >= 0.6:
            return Check("negation", "fail", f"the statement drops {text.tokens[there].word!r}",
                         "factual error"), "contradicts"  # fmt: skip
    return Check("negation", "pass"), None


_SAME_DENIAL: Final = 0.34


def _same_denial(said: Reading, at: int, text: Reading, there: int) -> float:
    """How far two negating words deny the same: by what they negate or by where they stand."""
    own, its = said.tokens[at].own, text.tokens[there].own
    if own and its and not own.isdisjoint(its):
        return 1.0 + overlap(said, at, text, there)
    denied = frozenset(key for keys in _scope(text, there) for key in keys)
    scope = _shared(_scope(said, at), denied)
    return max(scope, overlap(said, at, text, there) if scope else 0.0)


def _shared(scope: list[frozenset[str]], keys: frozenset[str]) -> float:
    return sum(not its.isdisjoint(keys) for its in scope) / len(scope) if scope else 1.0


# --- certainty and cause ------------------------------------------------------------------------

_HEDGES: Final = (("possible", "probable"), ("mostly",), ("about",))


def check_certainty(said: Reading, text: Reading) -> Found:
    """The statement is no surer than its evidence, and advises no more strongly."""
    compared = False
    for labels in _HEDGES:
        its = text.labelled(*labels)
        compared = compared or bool(its)
        kept = _kept(text, its, said, said.labelled(*labels))
        for at in its:
            if at in kept or not _told(text, at, said) or _in_shared_phrase(text, at, said):
                continue
            marks = text.tokens[at].labels
            if "option" in marks and "possible" not in marks and said.labelled("option"):
                continue
            if _other_word(text, at, said):
                continue
            return Check("certainty", "fail", f"the statement drops {text.tokens[at].word!r}",
                         "factual error"), "unsupported"  # fmt: skip
    for label, weaker in (("order", ("advice", "option", "possible")),
                          ("advice", ("option", "possible"))):  # fmt: skip
        mine, its = said.labelled(label), text.labelled(label)
        if label == "advice":
            its = [*its, *text.labelled("order")]
        for at in mine:
            low = [i for i in text.labelled(*weaker) if label not in text.tokens[i].labels]
            if not low or (len(mine) <= len(its) and _best(said, at, text, its) >= 0.3):
                continue
            if _best(said, at, text, low) > max(0.25, _best(said, at, text, its)):
                return Check("certainty", "fail", f"{said.tokens[at].word!r} is stronger advice",
                             "factual error"), "unsupported"  # fmt: skip
    return Check("certainty", "pass" if compared else "not_applicable"), None


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
            if _near(text, at, said, i)
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


_AIM: Final = re.compile(
    r"(?i)\bto (?:assess|determine|examine|evaluate|investigate|explore|study|test|compare|measure"
    r"|find out|ascertain|establish|clarify) (?:whether|if|how|the|what)\b|\bwhether\b"
    r"|\bwe (?:aimed|sought|asked|planned|set out)\b"
    r"|\b(?:aim|objective|purpose|goal)s?\b(?= (?:of|was|were|is|to)\b)"
    r"|\bhypothes[ie][sz]\w*|\bspeculat\w+|\bconcerns? (?:that|about|for|over|as to)\b"
)


def check_aim(said: Reading, text: Reading) -> Found:
    """What the evidence only asks, supposes or fears is not told as a finding."""
    if said.text.rstrip().endswith("?") or _AIM.search(said.text):
        return Check("certainty", "not_applicable"), None
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
        if told and _shared(told, asked) >= 0.5:
            return Check("certainty", "fail", f"the evidence only asks: {match[0]!r}",
                         "factual error"), "unsupported"  # fmt: skip
    return Check("certainty", "not_applicable"), None


def _near(text: Reading, at: int, said: Reading, there: int) -> bool:
    return overlap(text, at, said, there) >= 0.3


def _told(text: Reading, at: int, said: Reading) -> bool:
    """Whether the statement repeats the words around this place of the evidence."""
    close = around(text, at, 2)
    if close and _shared(close, said.groups) >= 0.6:
        return True
    # "Experts suggest that zinc helps": what stands behind is what is hedged.
    behind: list[frozenset[str]] = []
    for i in range(at + 1, min(len(text.tokens), at + 12)):
        if text.tokens[i].word in _STOPS or len(behind) == 3:
            break
        token = text.tokens[i]
        if token.word in _SOURCES or token.labels & {"possible", "probable"}:
            continue
        if _counts(token):
            behind.append(text.keys[i])
    return len(behind) > 1 and _shared(behind, said.groups) >= 0.99


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
        if not links or (_in_shared_phrase(said, at, text) and causes):
            continue
        linked = _best(said, at, text, links)
        if linked > max(0.2, _best(said, at, text, causes)) or (
            len(mine) > len(causes) and (len(said.labelled("association")) < len(links))
        ):
            return Check("cause", "fail", "an association is told as a cause",
                         "spurious correlation"), "unsupported"  # fmt: skip
    return Check("cause", "pass" if mine else "not_applicable"), None


def check_places(said: Reading, text: Reading) -> Found:
    """No two words of the evidence stand in each other's place in the statement."""
    nothing = Check("entities", "not_applicable"), None
    mine = [at for at, token in enumerate(said.tokens) if _counts(token)]
    its = [at for at, token in enumerate(text.tokens) if _counts(token)]
    if _passives(said) != _passives(text) or max(len(mine), len(its)) > _LONGEST:
        return nothing
    order: list[tuple[int, int]] = []
    for at in mine:
        keys = said.tokens[at].keys
        there = [i for i in its if not text.tokens[i].keys.isdisjoint(keys)]
        if len(there) == 1 and sum(not said.tokens[i].keys.isdisjoint(keys) for i in mine) == 1:
            order.append((at, there[0]))
    in_order = sorted(there for _, there in order)
    moved = [n for n, (_, there) in enumerate(order) if there != in_order[n]]
    if len(moved) != 2:
        return nothing
    one, other = (order[n][0] for n in moved)
    if all(token.empty or token.mark for token in said.tokens[one + 1 : other]):
        return nothing  # "nausea and vomiting"
    detail = f"{said.tokens[one].word!r} and {said.tokens[other].word!r} have changed places"
    return Check("entities", "fail", detail, "factual error"), "unsupported"


_LONGEST: Final = 80


def _passives(text: Reading) -> int:
    return sum(token.word == "by" for token in text.tokens)


SLOTS: Final = (
    check_negation, check_direction, check_people, check_route, check_certainty, check_cause,
    check_places,
)  # fmt: skip
