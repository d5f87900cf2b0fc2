"""What a text says of a patient: findings in their words, what is denied, age and sex.

Reads case reports of any form: prose, and lists of "Label: value". Nothing is concluded here but
that a result lies outside of its range (``hypotheses_tests``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from kgrag.records.concepts import Mention
from kgrag.retrieval.hypotheses_tests import Ranges, ranges
from kgrag.retrieval.terms import tokens
from kgrag.sentences import sentences

Sex = Literal["female", "male"]

# Headings that say where in the report a line stands and nothing of the patient.
_HEADINGS: Final = re.compile(
    r"(?i)^(?:(?:the )?(?:past |present |family |social |drug |medical |surgical |secondary "
    r"|primary |physical |current |general |chief |test |laboratory |lab |imaging |vital |relevant "
    r"|other |additional |key |main |clinical |serum |blood )*"
    r"(?:history|symptoms?|demographics?|medical|medications?|examinations?|exam|findings?|results?"
    r"|complaints?|review of systems|inspection|palpation|percussion|auscultation|observations?"
    r"|signs?|tests?|studies|study|imaging|analysis|appearance|description|details|presentation"
    r"|work(?:up)?|other|notes?|history of present illness|impression|analyses|panel|data))$"
)
# From here to the end of the clause the text says what is not there, or that all is well.
_DENIED: Final = re.compile(
    r"(?i)\b(?:no|not|nor|neither|never|denies|denied|denying|negative|unremarkable|none|without"
    r"|absent|absence|intact|normal|normally|normocytic|within|lacks?|lacking|afebrile|nontender"
    r"|non-tender|noncontributory|non-contributory)\b(?!\s+(?:only|able|respond\w*|improv\w*"
    r"|reliev\w*|resolv\w*|sleep\w*|eat\w*|gain\w*))"
)
_RESUMES: Final = re.compile(
    r"(?i)(?:,\s*|\s)(?:but|however|although|except(?: for)?|though|and (?=(?:has|have|had|is|was|"
    r"reports|complains|shows)\b))"
)
# Words that tell how somebody lives or who they are, no finding.
_ASIDE: Final = re.compile(
    r"(?i)^\W*(?:demographics|occupation|works as|lives (?:with|in|alone)|information not"
    r"|details not|not provided|data not|non-?smoker|drinks\b.{0,30}\b(?:socially|occasionally))\b"
)
# How a question begins, whether or not a question mark ends it.
_ASKS: Final = re.compile(
    r"(?i)(?:can|could|should|would|will|may|might|is|are|was|does|do|did|what|which|why|how|who"
    r"|when|where)\b"
)
# Pieces that tell age and sex alone, and results of tests that the table does not know.
_NO_FINDING: Final = re.compile(
    r"(?i)^(?:an?\s)?\d{1,3}[\s-]*(?:year|month|week|day)s?[\s-]*old(?:[\s-]\w+){0,3}$"
    r"|^(?:[^:]{1,60}:\s*)?[<>~≤≥]?\s*\d[\d.,/:x^\s-]*(?:[%°]|[a-zμµ/]+\d?[a-zμµ/\d]*)?(?:\s?[a-z]\d?o?)?$"
    r"|^[^:]{1,60}:\s*(?:data|information|details?)$"
)
_DANGLING: Final = re.compile(
    r"(?i)(?:[\s,;:(-]+(?:with|but|and|or|is|are|was|were|has|have|had|of|the|a|an|that|to|in|on|he"
    r"|she|takes|shows?|data|patient|which|who|there|it|for|by|at|as|grossly|except))+$"
)
_BRACKETS: Final = re.compile(
    r"\([^()]*(?:\d|elevated|high|low|normal)[^()]*\)\s*$|^\s*\([^()]*\)|\(\s*\)"
)
_OLD: Final = re.compile(
    r"(?i)\b(?P<number>\d{1,3})[\s-]*(?P<unit>year|yr|month|week|day)s?[\s-]*old\b"
    r"|\b(?:aged?|age:)\s*(?P<aged>\d{1,3})\b|\b(?P<yo>\d{1,3})\s?y/?o\b"
)
_NEWBORN: Final = re.compile(r"(?i)\b(?:newborn|neonate)\b")
_IN_YEARS: Final = {"year": 1.0, "yr": 1.0, "month": 1 / 12, "week": 7 / 365.25, "day": 1 / 365.25}
_FEMALE: Final = re.compile(r"(?i)\b(?:female|woman|girl|lady|mrs|she|her)\b")
_MALE: Final = re.compile(r"(?i)\b(?:male|man|boy|gentleman|mr|he|his)\b")

_PRONOUNS: Final = frozenset(("he", "her", "his", "she", "i", "my"))
_SHORTEST: Final = 5  # characters; anything shorter says no finding
_CONDITIONS: Final = frozenset(("disease", "phenotype"))


@dataclass(frozen=True, slots=True)
class Findings:
    """What a text says of a patient.

    ``phrases`` are what is there, in the text's words and order, with results outside of their
    range in the words of the table; ``present`` and ``denied`` are the concepts of findings by
    CURIE, in order of mention, none in both. ``results`` is how many test results were read,
    ``years`` the age. ``asks_by_name``: a question in it names a condition, a remedy or a test.
    """

    phrases: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    results: int = 0
    years: float | None = None
    sex: Sex | None = None
    asks_by_name: bool = False

    @property
    def text(self) -> str:
        """All phrases as one text."""
        return ". ".join(self.phrases)

    @property
    def is_patient(self) -> bool:
        """Whether this reports one patient: an age or a sex, several findings, and no question
        that names what it is about."""
        told = self.years is not None or self.sex is not None
        findings = len(self.present) + self.results
        return told and not self.asks_by_name and len(self.phrases) >= 3 and findings >= 3


def read_findings(text: str, mentions: Sequence[Mention], table: Ranges | None = None) -> Findings:
    """The findings of ``text``; ``mentions`` are those of the same text."""
    years = age(text)
    results = list((table or ranges()).results(text, years=years))
    phrases: dict[str, None] = {}
    for phrase in _phrases(text, [(r.start, r.end) for r in results]):
        phrases.setdefault(phrase)
    for result in results:
        if result.words:
            phrases.setdefault(result.words)
    present: dict[str, None] = {}
    denied: dict[str, None] = {}
    for mention in mentions:
        if mention.type not in _CONDITIONS or mention.family or mention.hypothetical:
            continue
        (denied if mention.negated or mention.absent else present).setdefault(mention.concept)
    return Findings(
        tuple(phrases),
        tuple(present),
        tuple(c for c in denied if c not in present),
        len(results),
        years,
        _sex(text),
        _asks_by_name(text, mentions),
    )


def age(text: str) -> float | None:
    """The age in years that is told first; None when none is."""
    match = _OLD.search(text)
    if match is None:
        return 0.0 if _NEWBORN.search(text) else None
    if match["number"] is None:
        return float(match["aged"] or match["yo"])
    return float(match["number"]) * _IN_YEARS[match["unit"].lower()]


def _sex(text: str) -> Sex | None:
    """That of the first word that tells one; the words of the patient stand first."""
    female, male = _FEMALE.search(text), _MALE.search(text)
    if female is None or male is None:
        return "female" if female else "male" if male else None
    return "female" if female.start() < male.start() else "male"


def _asks_by_name(text: str, mentions: Sequence[Mention]) -> bool:
    """Whether a question in the text names a condition, a remedy or a test."""
    asking = [span for span in sentences(text) if _is_question(text[span.start : span.end])]
    return any(
        span.start <= mention.start < span.end and mention.type not in ("other", "anatomy")
        for span in asking
        for mention in mentions
    )


def _is_question(sentence: str) -> bool:
    return sentence.endswith("?") or _ASKS.match(sentence) is not None


def _phrases(text: str, results: Sequence[tuple[int, int]]) -> Iterator[str]:
    """What stands in the text as present, clause by clause, without headings and results."""
    for span in sentences(text):
        begin, end = span.start, span.end
        if _is_question(text[begin:end]):
            continue
        inside = [(a, b) for a, b in results if begin <= a < end]
        kept, at = "", begin
        for a, b in inside:
            kept, at = kept + text[at:a], b
        kept += text[at:end]
        kept = _BRACKETS.sub("", kept.rstrip(" .")) if inside else kept
        for clause in kept.split(";"):
            yield from _present(_without_headings(clause))


def _without_headings(clause: str) -> str:
    parts = [part.strip() for part in clause.split(": ")]
    while len(parts) > 1 and (len(parts) > 2 or _HEADINGS.match(parts[0])):
        parts = parts[1:]
    return ": ".join(parts)


def _present(clause: str) -> Iterator[str]:
    """The pieces of a clause that no denial reaches over."""
    rest = clause.strip(" ,.:;\n\t")
    if _ASIDE.match(rest):
        return
    while rest:
        denial = _DENIED.search(rest)
        head = rest if denial is None else rest[: denial.start()]
        # A heading whose value is denied ("Joint swelling: none") says that it is not there.
        if denial is None or not head.rstrip().endswith(":"):
            head = _DANGLING.sub("", head.strip(" ,.:;-"))
            if _tells(head) and (denial is None or " " in head):
                yield head
        if denial is None:
            return
        again = _RESUMES.search(rest, denial.end())
        rest = rest[again.end() :] if again else ""


def _tells(piece: str) -> bool:
    return (
        len(piece) >= _SHORTEST
        and not _HEADINGS.match(piece)
        and not _NO_FINDING.match(piece)
        and any(word.isalpha() and word not in _PRONOUNS for word in tokens(piece))
    )
