"""Populations: the age groups, sexes and pregnancy that texts name, and whether they meet."""

from __future__ import annotations

import re
from typing import Final

from kgrag.records.answer import Check
from kgrag.verification.numbers import Found
from kgrag.verification.quotes import fold
from kgrag.verification.units import Quantity, quantities

_POPULATIONS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "age": (
        ("child", r"\b(?:child(?:ren|hood)?|p(?:a)?ediatric\w*|infan(?:t|ts|cy)|neonat\w+|"
                  r"newborns?|toddlers?|bab(?:y|ies)|boys?|girls?|school-age\w*)\b"),
        ("adolescent", r"\b(?:adolescen\w+|teen(?:s|age\w*)?)\b"),
        ("adult", r"\b(?:adults?|elderly|older (?:people|persons|patients)|geriatric\w*|"
                  r"seniors?)\b"),
    ),
    "sex": (
        ("male", r"\b(?:men|man|males?|boys?)\b"),
        ("female", r"\b(?:wom[ae]n|females?|girls?)\b"),
    ),
    "pregnancy": (
        ("not pregnant", r"\b(?:not pregnant|non-?pregnant)\b"),
        ("pregnant", r"(?<!not )(?<!non-)(?<!non)\b(?:pregnan(?:t|cy|cies)|antenatal|gestation\w*|"
                     r"gravid\w*)\b"),
    ),
}  # fmt: skip
_POPULATION_RULES: Final = {
    group: tuple((name, re.compile(pattern)) for name, pattern in rules)
    for group, rules in _POPULATIONS.items()
}


def populations(text: str) -> dict[str, set[str]]:
    """Age groups, sexes and pregnancy that the text names, by group; only groups named."""
    plain = fold(text).text
    found = {
        group: {name for name, pattern in rules if pattern.search(plain)}
        for group, rules in _POPULATION_RULES.items()
    }
    return {group: names for group, names in found.items() if names}


AGES: Final = "the ages do not meet"
_BOUND: Final = re.compile(
    r"\b(?:begin|start|end|stop)\w{0,4}\s(?:at|from)\s(?:the\s)?ages?\b|"
    r"\b(?:from|until|through|to|after|before)\s(?:the\s)?ages?\b|\bbirth\s?(?:to|through|until|-)",
    re.IGNORECASE,
)


def bounds_ages(text: str) -> bool:
    """Whether a text tells from or until which age something holds: its numbers are ends of ranges
    that ``check_population`` does not read."""
    return _BOUND.search(text) is not None


def check_population(statement: str, evidence: str) -> Found:
    """Statement and evidence, where both name an age group, sex or pregnancy, share one."""
    said, read = populations(statement), populations(evidence)
    shared = said.keys() & read.keys()
    for group in sorted(shared):
        if not said[group] & read[group]:
            detail = f"{'/'.join(sorted(said[group]))} against {'/'.join(sorted(read[group]))}"
            return Check("population", "fail", detail, "factual error"), "contradicts"
    ages = [q for q in quantities(statement) if _is_age(statement, q)]
    other = [q for q in quantities(evidence) if _is_age(evidence, q)]
    if ages and other and all(a.disjoint(b) for a in ages for b in other):
        return Check("population", "fail", AGES, "factual error"), "contradicts"
    return Check("population", "pass" if shared or (ages and other) else "not_applicable"), None


def _is_age(text: str, quantity: Quantity) -> bool:
    around = text[max(0, quantity.start - 24) : quantity.end + 12].lower()
    return quantity.dimension == "months" and bool(
        re.search(r"\b(?:aged?|old|older|younger)\b|-old\b|\d\s?y/?o\b", around)
    )
