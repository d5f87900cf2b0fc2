"""The sentences of a note and what each is: a general claim, a plan, a finding of this patient.

A kb knows what is true of diseases and medicines; it knows nothing of this patient. So only claims
are held against its sentences, and plans against its graph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kgrag.records.notes import SentenceKind
from kgrag.sentences import sentences

_WRAPPED_FROM: Final = 50
"""A line of at least so many characters without an end mark goes on in the next one."""

_ENDS: Final = re.compile(r"[.:;!?…|]\W*$")
_BEGINS_ANEW: Final = re.compile(r"\s*(?:[-*•‣#>|]|\d{1,2}[.)]\s|[A-Z][A-Za-z /]{0,30}:)")
_MARKS: Final = re.compile(r"^(?:#{1,6}\s+|>\s*|[-*•‣]\s+|\d{1,2}[.)]\s+)+")
_HEADING: Final = re.compile(r"^(?:\*\*|__)?[^.!?]{1,60}:(?:\*\*|__)?$")
_VERB: Final = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|do|does|did|can|could|may|might|must|shall|should|"
    r"will|would|cannot|\w+(?:s|ed|ing))\b",
    re.IGNORECASE,
)
_OF_ONE: Final = re.compile(
    r"\b(?:he|she|his|hers?|him|himself|herself|mr|mrs|ms|i|my|we|our|us|me|"
    r"(?:the|this|our|that) (?:patient|woman|man|boy|girl|infant|child|baby|newborn|lady|"
    r"gentleman|mother|father|husband|wife|neonate)(?:'s)?)\b|"
    r"\b\d{1,3}[- ](?:years?|months?|weeks?|days?|y)[- ](?:old|o)\b|\b\d{1,3} ?y/?o\b|"
    r"^(?:patient|pt)\b(?!s)",
    re.IGNORECASE,
)
_MEASURED: Final = re.compile(
    r"\b(?:bp|hr|rr|spo2|temp(?:erature)?|pulse|blood pressure|heart rate|respirat\w+ rate|weight|"
    r"height|bmi|vital signs?|hemoglobin|haemoglobin|hb|wbc|platelets?|creatinine|sodium|potassium|"
    r"glucose|hba1c|lactate|troponin|inr|gcs)\b[^.]{0,30}?\d",
    re.IGNORECASE,
)
# "For 6 hours" is how long, not how much.
_HOW_LONG: Final = re.compile(
    r"\d[\d.]*[\s-]?(?:hours?|hrs?|minutes?|mins?|days?|weeks?|months?|years?|times)\b",
    re.IGNORECASE,
)
_PAST: Final = re.compile(r"\b(?:was|were|had)\b", re.IGNORECASE)
# A bound on a measurement defines something, or says for whom it holds: no patient has it.
_BOUND: Final = re.compile(
    r"\bor (?:more|less|above|below|higher|lower|greater|over|under|fewer)\b|"
    r"\b(?:above|below|over|under|exceed(?:s|ing)?|at least|at most|(?:less|more|greater|lower|"
    r"higher) than|up to)\s\d",
    re.IGNORECASE,
)
_OF_ALL: Final = re.compile(
    r"\b(?:is|are|means?|defined as|when|if|unless|until|whose|patients|people|adults|women|men|"
    r"children|persons|anyone|all)\b",
    re.IGNORECASE,
)
_ADVISED: Final = re.compile(r"\b(?:should|must|is recommended|are recommended)\b", re.IGNORECASE)
_EXAMINED: Final = re.compile(
    r"\b(?:examination|exam|auscultation|palpation|x-?ray|ct|mri|ultrasound|ultrasonography|ecg|"
    r"ekg|electrocardiogra\w+|echocardiogra\w+|cultures?|biopsy|laborator\w+|results?|imaging|"
    r"history|urinalysis|smear|radiograph\w*)\b[^.]{0,60}?\b(?:shows?|showed|revealed|reveals?|"
    r"demonstrates?|was|were|is (?:notable|remarkable|significant|unremarkable|positive|negative)|"
    r"are (?:notable|remarkable|significant|within))\b",
    re.IGNORECASE,
)
_ORDER: Final = re.compile(
    r"^(?:plan:?\s*)?(?:start(?:ed)?|begin|begun|give|given|gave|prescrib\w+|administer\w*|continu\w+|"
    r"initiat\w+|switch\w*|increase\w*|reduce\w*|stop(?:ped)?|hold|refer\w*|schedule\w*|order\w*|"
    r"add(?:ed)?|take|treat(?:ed)?|check|monitor|measure|record|repeat)\b",
    re.IGNORECASE,
)
_PLANNED: Final = re.compile(
    r"\b(?:start(?:ed)?|begun|began|given|gave|prescribed|administered|continued?|initiated?|"
    r"switched|treated|received?s?|taking|takes|put|placed|planned|recommended|scheduled)\b"
    r"[^.]{0,40}?\b(?:on|with|to|for|of)?\b",
    re.IGNORECASE,
)
_REFERS: Final = re.compile(
    r"^(?:it|its|this|that|these|those|they|their|them|such|both|the (?:drug|medicine|medication|"
    r"treatment|disease|condition|dose|latter|former|test|vaccine))\b(?! is (?:recommended|"
    r"important|known|unclear|estimated) (?:that|to)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class NoteSentence:
    """``note[start:end]`` is the sentence without list marks; ``refers`` when it needs the one
    before it to be understood, ``of_one`` when it tells of one patient."""

    start: int
    end: int
    text: str
    kind: SentenceKind
    refers: bool = False
    of_one: bool = False


def note_sentences(note: str) -> Iterator[NoteSentence]:
    """The sentences of the note, in order; every letter and digit of it is in one of them.

    Lines that a text was wrapped into are read as one.
    """
    for span in sentences(_unwrapped(note)):
        text = note[span.start : span.end]
        mark = _MARKS.match(text)
        start = span.start + (mark.end() if mark else 0)
        text = note[start : span.end]
        if any(c.isalnum() for c in text):
            one_line = " ".join(text.split())
            heading = text != note[span.start : span.end] and note[span.start] == "#"
            kind = "heading" if heading else kind_of(one_line)
            refers, of_one = _REFERS.match(one_line), _OF_ONE.search(one_line)
            yield NoteSentence(start, span.end, text, kind, refers is not None, of_one is not None)


def kind_of(sentence: str) -> SentenceKind:
    """What the sentence is, by its words alone; ``claim`` when nothing says otherwise."""
    if sentence.rstrip("\"'”’) ").endswith("?"):
        return "question"
    if _HEADING.match(sentence) or (len(sentence.split()) <= 6 and not _VERB.search(sentence)):
        return "patient" if any(c.isdigit() for c in sentence) else "heading"
    of_one = _OF_ONE.search(sentence) is not None
    if of_one and _PLANNED.search(sentence):
        return "plan"
    if _ORDER.match(sentence):
        return "plan"
    if of_one or _is_measured(sentence) or _EXAMINED.search(sentence):
        return "patient"
    return "claim"


def _is_measured(sentence: str) -> bool:
    """Whether a measurement of somebody is told, not a bound that holds for all."""
    found = _MEASURED.search(sentence)
    if found is None:
        return False
    if _PAST.search(sentence):
        return True
    if _MEASURED.search(_HOW_LONG.sub(" ", sentence)) is None:
        return False
    if not _BOUND.search(sentence):
        return True
    general = _OF_ALL.search(sentence, 0, found.start()) or _ADVISED.search(sentence)
    return general is None


def _unwrapped(note: str) -> str:
    """The note with white space in place of the line ends inside a sentence; no offset changes."""
    lines = note.split("\n")
    made = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        wrapped = (
            len(line.rstrip()) >= _WRAPPED_FROM
            and not _ENDS.search(line)
            and following.strip()
            and not _BEGINS_ANEW.match(following)
        )
        # A sentence that goes on in lower case was wrapped wherever it was broken.
        goes_on = following.strip()[:1].islower() and line.strip() and not _ENDS.search(line)
        made.append(line + (" " if wrapped or goes_on else "\n"))
    return "".join(made)[: len(note)].replace("\r", " ").replace("\t", " ")
