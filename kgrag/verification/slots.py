"""Slot checks: numbers, units, negation, direction, population, certainty and cause.

Each check is a pure function of a statement and the piece of evidence that it is held against.
They read words near the source's own; free paraphrase is beyond rules, and a checker
of entailment is needed there. A check that finds nothing to compare is ``not_applicable``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

from kgrag.reasoning.coverage import content_words
from kgrag.records.answer import Check
from kgrag.verification.quotes import fold
from kgrag.verification.units import Quantity, quantities

Severity = Literal["contradicts", "unsupported"]

_NEGATION: Final = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|can't|don't|doesn't|didn't|isn't|aren't|"
    r"wasn't|weren't|won't|shouldn't|avoid\w*|contraindicat\w+|unless|fail(?:s|ed)? to|lack(?:s|ed|"
    r"ing)? (?:of)?|absen(?:t|ce)|against|stop(?:s|ped|ping)?|discontinu\w+|withh[eo]ld\w*|"
    r"refrain\w*|discourag\w+|unlikely|free of|rather than|inappropriate|unsafe|ineffective|"
    r"exclud\w+|rul(?:e|es|ed|ing) out|insufficient|negative|non)\b"
)  # fmt: skip
# Words that are no polarity of the advice although they look so.
_NOT_POLARITY: Final = re.compile(
    r"\bnot only\b|\bnot (?:necessarily|just|merely)\b|\bno (?:more|less|later|fewer) than\b|"
    r"\bwithout (?:delay|regard)\b|\bwhether or not\b|\bno\.\s?\d"
)
_UP: Final = re.compile(
    r"\b(?:increas\w+|rais(?:e[sd]?|ing)|higher|greater|more|elevat\w+|ris(?:e|es|ing|en)|rose|"
    r"improv\w+|enhanc\w+|gain\w*|longer|larger|worsen\w*|upregulat\w+|exceed\w*|above|over|"
    r"hyper\w+|maximum|initiat\w+|start(?:s|ed|ing)?|before)\b"
)
_DOWN: Final = re.compile(
    r"\b(?:decreas\w+|reduc\w+|lower\w*|less|fewer|declin\w+|fall(?:s|ing|en)?|fell|diminish\w*|"
    r"worse\b|loss|shorter|smaller|downregulat\w+|below|under|hypo\w+|minimum|attenuat\w+|"
    r"taper\w*|stop(?:s|ped|ping)?|discontinu\w+|after)\b"
)
_PAIRS: Final[tuple[tuple[str, str], ...]] = (
    ("increas", "decreas"), ("increas", "reduc"), ("higher", "lower"), ("more", "less"),
    ("more", "fewer"), ("greater", "lower"), ("greater", "less"), ("improv", "worsen"),
    ("rais", "lower"), ("elevat", "reduc"), ("above", "below"), ("before", "after"),
    ("start", "stop"), ("initiat", "discontinu"), ("longer", "shorter"), ("larger", "smaller"),
    ("hyper", "hypo"), ("maximum", "minimum"), ("positive", "negative"), ("acute", "chronic"),
    ("benefit", "harm"), ("safe", "unsafe"), ("effective", "ineffective"), ("oral", "intravenous"),
    ("agonist", "antagonist"), ("upregulat", "downregulat"), ("over", "under"),
    ("systolic", "diastolic"), ("left", "right"), ("early", "late"), ("gain", "loss"),
    ("sensitive", "resistant"), ("severe", "mild"), ("primary", "secondary"),
    ("bacterial", "viral"), ("indicated", "contraindicated"), ("with", "without"),
)  # fmt: skip
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
_HEDGE: Final = re.compile(
    r"\b(?:may|might|could|can|possibl[ey]|probabl[ey]|likely|perhaps|potential(?:ly)?|suggest\w*|"
    r"appear(?:s|ed)?|seem(?:s|ed)?|unclear|uncertain\w*|consider\w*|weak|conditional|low[- ]"
    r"(?:quality|certainty)|limited evidence|insufficient|sometimes|some|often|usually|generally|"
    r"approximately|about|estimated|rarely|occasionally)\b"
)
_FIRM: Final = re.compile(
    r"\b(?:must|always|definitely|certainly|prove[sdn]?|proven|clearly|all|every|strong(?:ly)?|"
    r"guarantee\w*|undoubtedly|established|confirms?|confirmed|never)\b"
)
_CAUSE: Final = re.compile(
    r"\b(?:caus(?:e[sd]?|ing)|lead(?:s|ing)? to|led to|result(?:s|ed)? in|induc(?:e[sd]?|ing)|"
    r"produc(?:e[sd]?|ing)|due to|because of|prevents?|prevented|cures?|cured)\b"
)
_ASSOCIATION: Final = re.compile(
    r"\b(?:associat\w+|correlat\w+|link(?:s|ed)?|relat(?:ed|ion|ionship)\w*|predict\w*|"
    r"risk factors?)\b"
)


def check_numbers(statement: str, evidence: str) -> tuple[Check, Severity | None]:
    """Every quantity of the statement stands in the evidence, after conversion of units."""
    wanted, having = quantities(statement), quantities(evidence)
    if not wanted:
        return Check("numbers", "not_applicable"), None
    for quantity in wanted:
        if any(quantity.same(other) for other in having) or _inside_range(quantity, having):
            continue
        rivals = [o for o in having if o.dimension == quantity.dimension and o.dimension]
        bare = [o for o in having if o.low == quantity.low or o.high == quantity.high]
        severity: Severity = "contradicts" if rivals or bare else "unsupported"
        layer = "units" if bare and not rivals else "numbers"
        return Check(layer, "fail", f"{quantity.text!r} is not in the evidence",
                     "factual error"), severity  # fmt: skip
    return Check("numbers", "pass", f"{len(wanted)} compared"), None


def _inside_range(quantity: Quantity, having: Iterable[Quantity]) -> bool:
    # "18 to 49 years" may be said as its two ends.
    ends = [(o.low, o.dimension) for o in having] + [(o.high, o.dimension) for o in having]
    return quantity.low == quantity.high and not quantity.dimension and any(
        quantity.low == end for end, _ in ends
    )  # fmt: skip


def negations(text: str) -> int:
    """How many negating words the text has, without those that change no polarity."""
    plain = _NOT_POLARITY.sub(" ", fold(text).text.replace("n't", " not"))
    return len(_NEGATION.findall(plain.replace("non-", "non ")))


def check_negation(statement: str, evidence: str) -> tuple[Check, Severity | None]:
    """The statement negates as its evidence does: neither drops nor adds a negation."""
    said, read = negations(statement), negations(evidence)
    if not said and not read:
        return Check("negation", "not_applicable"), None
    if bool(said) == bool(read) and (said - read) % 2 == 0:
        return Check("negation", "pass"), None
    # The evidence may negate something that the statement leaves out.
    if read > said and not _negates_shared(statement, evidence):
        return Check("negation", "pass", "the negation concerns other words"), None
    word = "adds" if said > read else "drops"
    return Check("negation", "fail", f"the statement {word} a negation",
                 "factual error"), "contradicts"  # fmt: skip


def _negates_shared(statement: str, evidence: str) -> bool:
    """Whether a negation of the evidence stands in a clause whose words the statement uses."""
    said = set(content_words(statement))
    for clause in re.split(r"[;:,()]|\b(?:but|however|although|while|whereas)\b", evidence):
        if negations(clause):
            words = set(content_words(_NEGATION.sub(" ", fold(clause).text)))
            if words and len(words & said) / len(words) >= 0.5:
                return True
    return False


def check_direction(statement: str, evidence: str) -> tuple[Check, Severity | None]:
    """No word of the statement stands in the evidence as its opposite alone."""
    said, read = fold(statement).text, fold(evidence).text
    compared = 0
    for one, other in _PAIRS:
        for here, there in ((one, other), (other, one)):
            pattern_here, pattern_there = _prefix(here), _prefix(there)
            if not pattern_here.search(said):
                continue
            compared += 1
            if (
                not pattern_here.search(read)
                and pattern_there.search(read)
                and not pattern_there.search(said)
            ):
                return Check("direction", "fail", f"{here!r} against {there!r}",
                             "factual error"), "contradicts"  # fmt: skip
    up, down = bool(_UP.search(said)), bool(_DOWN.search(said))
    read_up, read_down = bool(_UP.search(read)), bool(_DOWN.search(read))
    if up != down and read_up != read_down and up != read_up:
        return Check("direction", "fail", "the other direction", "factual error"), "contradicts"
    return Check("direction", "pass" if compared else "not_applicable"), None


_PREFIXES: dict[str, re.Pattern[str]] = {}


def _prefix(word: str) -> re.Pattern[str]:
    if word not in _PREFIXES:
        # Short words are whole words; the longer ones are stems.
        tail = r"\b" if len(word) <= 6 and word not in ("reduc", "rais", "hyper", "hypo") else ""
        _PREFIXES[word] = re.compile(rf"\b{word}{tail}")
    return _PREFIXES[word]


def populations(text: str) -> dict[str, set[str]]:
    """Age groups, sexes and pregnancy that the text names, by group; only groups named."""
    plain = fold(text).text
    found = {
        group: {name for name, pattern in rules if pattern.search(plain)}
        for group, rules in _POPULATION_RULES.items()
    }
    return {group: names for group, names in found.items() if names}


def check_population(statement: str, evidence: str) -> tuple[Check, Severity | None]:
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
        return Check("population", "fail", "the ages do not meet",
                     "factual error"), "contradicts"  # fmt: skip
    return Check("population", "pass" if shared or (ages and other) else "not_applicable"), None


def _is_age(text: str, quantity: Quantity) -> bool:
    around = text[max(0, quantity.start - 24) : quantity.end + 12].lower()
    return quantity.dimension == "months" and bool(
        re.search(r"\b(?:aged?|old|older|younger)\b|-old\b|\d\s?y/?o\b", around)
    )


def check_certainty(statement: str, evidence: str) -> tuple[Check, Severity | None]:
    """The statement is no surer than its evidence, and turns no association into a cause."""
    said, read = fold(statement).text, fold(evidence).text
    if _CAUSE.search(said) and not _CAUSE.search(read) and _ASSOCIATION.search(read):
        return Check("certainty", "fail", "an association is told as a cause",
                     "spurious correlation"), "unsupported"  # fmt: skip
    if _FIRM.search(said) and not _FIRM.search(read):
        return Check("certainty", "fail", "surer than the evidence",
                     "factual error"), "unsupported"  # fmt: skip
    hedges = set(_HEDGE.findall(read))
    if hedges and not _HEDGE.search(said):
        return Check("certainty", "fail", "the evidence hedges and the statement does not",
                     "factual error"), "unsupported"  # fmt: skip
    return Check("certainty", "pass" if hedges else "not_applicable"), None


SLOTS: Final = (
    check_numbers, check_negation, check_direction, check_population, check_certainty,
)  # fmt: skip
