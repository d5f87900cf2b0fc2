"""What the whole document says about each of its recommendations: issuer, date, system, places."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from kgrag.records.concepts import Mention
from kgrag.records.text import Document, Span
from kgrag_ingest.recommend.advice import COMMAND, Advice, find_advice
from kgrag_ingest.recommend.grades import FoundGrade, Grading, grading
from kgrag_ingest.recommend.population import find_population, limits
from kgrag_ingest.recommend.rules import Rules, rules

# Their publisher is that of the journal, which advises nothing.
_JOURNALS: Final = ("jats", "medline")
_INTERVENTIONS: Final = frozenset({"drug", "chemical", "procedure", "analyte", "other"})
_CONDITIONS: Final = frozenset({"disease", "phenotype"})
_MONTHS: Final = (
    "january february march april may june july august september october november december"
).split()
# Where a document says by what it grades; looking further costs time and finds the references.
_HEAD_CHARS: Final = 40_000
# Every pattern of what is replaced holds one of these; the patterns are tried around them only.
_REPLACES: Final = ("update", "replace", "supersede")
_BEFORE_CHARS: Final = 80
_AFTER_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Context:
    """A document with the rules that hold for it. ``silent`` are spans where it advises nothing."""

    document: Document
    rules: Rules
    grading: Grading
    system: str | None
    issuer: str | None
    supersedes: tuple[str, ...]
    silent: tuple[tuple[int, int], ...]
    journal: bool
    mentions: tuple[Mention, ...]
    starts: tuple[int, ...]
    _grades: dict[tuple[int, int], list[FoundGrade]] = field(default_factory=dict)
    _people: dict[tuple[int, int], tuple[int, int] | None] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document, mentions: Sequence[Mention], system: str | None) -> Context:
        known = grading()
        issuer = None
        if not document.reader.startswith(_JOURNALS):
            issuer = document.metadata.publisher
        its = rules(_names(issuer, known) if issuer else ())
        ordered = tuple(sorted(mentions, key=lambda m: (m.start, -m.end)))
        return cls(
            document=document,
            rules=its,
            grading=known,
            system=system or known.system_of(issuer, document.text[:_HEAD_CHARS]),
            issuer=issuer,
            supersedes=_supersedes(document.text, its),
            silent=_silent(document, its),
            journal=document.reader.startswith(_JOURNALS),
            mentions=ordered,
            starts=tuple(m.start for m in ordered),
        )

    def is_silent(self, offset: int) -> bool:
        """The place stands under a heading where nothing is advice of this document."""
        at = bisect_right(self.silent, (offset, len(self.document.text) + 1)) - 1
        return at >= 0 and self.silent[at][0] <= offset < self.silent[at][1]

    def advice(self, span: Span, *, commands: bool = True) -> Advice | None:
        """What the words of the line advise, as this kind of document and section advises."""
        text = self.document.text
        commands = commands and not self.journal
        advice = find_advice(text, span.start, span.end, self.rules, commands=commands)
        if advice is not None and advice.rule == COMMAND and self._quiet(span.start):
            advice = find_advice(text, span.start, span.end, self.rules, commands=False)
        return advice if advice is not None and self.admits(span, advice.rule) else None

    def admits(self, span: Span, rule: str) -> bool:
        """A journal reports more than it advises: only some of its lines can be advice."""
        refuse = self.rules.refuse
        line = span.of(self.document.text)
        return not self.journal or (
            rule in refuse.journal_cues
            and refuse.care.search(line) is not None
            and refuse.science.search(line) is None
        )

    def _quiet(self, offset: int) -> bool:
        """The nearest heading names goals, findings or exercises."""
        nearest = self.headings(offset)[:1]
        return any(
            self.rules.refuse.quiet_sections.match(self.document.text[start:end])
            for start, end in nearest
        )

    def grades(self, start: int, end: int) -> list[FoundGrade]:
        """Those in the span, looked for once."""
        known = self._grades.get((start, end))
        if known is None:
            known = self.grading.find(self.document.text, start, end, self.system)
            self._grades[start, end] = known
        return known

    def headings(self, offset: int) -> list[tuple[int, int]]:
        """The spans of the headings above ``offset``, innermost first."""
        text = self.document.text
        spans = [
            (s.start, s.start + len(s.title))
            for s in self.document.sections
            if s.start <= offset < s.end and text.startswith(s.title, s.start)
        ]
        return spans[::-1]

    def inherited_grade(self, offset: int) -> FoundGrade | None:
        """The strength that the nearest heading gives to all that stands under it."""
        for start, end in self.headings(offset):
            for found in self.grades(start, end):
                if found.kind == "strength":
                    return replace(found, grade=replace(found.grade, inherited=True))
        return None

    def heading_population(self, offset: int) -> tuple[int, int] | None:
        """Whom the nearest heading with a sex or an age names."""
        people = self.rules.people
        for start, end in self.headings(offset):
            if (start, end) not in self._people:
                span = find_population(self.document.text, start, end, people)
                said = span and not limits(self.document.text[span[0] : span[1]], people).empty
                self._people[start, end] = span if said else None
            if (found := self._people[start, end]) is not None:
                return found
        return None

    def concepts(self, start: int, end: int, *, conditions: bool) -> tuple[str, ...]:
        """CURIEs of the mentions in the span, each once, in text order."""
        wanted = _CONDITIONS if conditions else _INTERVENTIONS
        low, high = bisect_left(self.starts, start), bisect_left(self.starts, end)
        found = (m.concept for m in self.mentions[low:high] if m.type in wanted and m.end <= end)
        return tuple(dict.fromkeys(found))

    def effective(self, start: int, end: int) -> str | None:
        """The date that the span says it holds from, else the document's own."""
        match = self.rules.effective.search(self.document.text, start, end)
        return iso_date(match.group("date")) if match else self.document.metadata.date


def iso_date(said: str) -> str:
    """ "1 March 2024" and "March 2024" as ISO 8601, as exact as said; ISO dates stay."""
    words = re.findall(r"[A-Za-z]+|\d+", said)
    month = next((_MONTHS.index(w.lower()) + 1 for w in words if w.lower() in _MONTHS), None)
    year = next((w for w in words if len(w) == 4 and w.isdigit()), None)
    if month is None or year is None:
        return said
    day = next((int(w) for w in words if w.isdigit() and len(w) <= 2), None)
    return f"{year}-{month:02}" + (f"-{day:02}" if day else "")


def _names(issuer: str, known: Grading) -> tuple[str, ...]:
    """The publisher, its initials, and short names of its grading system."""
    capitals = "".join(w[0] for w in re.findall(r"[A-Za-z]+", issuer) if w[0].isupper())
    names = {issuer, *known.issuer_names(issuer)}
    if len(capitals) >= 3:
        names.add(capitals)
    return tuple(sorted(names))


def _supersedes(text: str, its: Rules) -> tuple[str, ...]:
    lower = text.lower()
    near = []
    for word in _REPLACES:
        at = lower.find(word)
        while at >= 0:
            near.append((max(0, at - _BEFORE_CHARS), min(len(text), at + _AFTER_CHARS)))
            at = lower.find(word, at + 1)
    found = (
        m.group("what")
        for p in its.supersedes
        for start, end in near
        for m in p.finditer(text, start, end)
    )
    return tuple(dict.fromkeys(" ".join(what.split()) for what in found))


def _silent(document: Document, its: Rules) -> tuple[tuple[int, int], ...]:
    """Sections without advice of the document, joined and in order."""
    study = document.reader.startswith(_JOURNALS)
    found: list[tuple[int, int]] = []
    for section in document.sections:
        title = section.title.strip()
        if its.refuse.sections.match(title) or (study and its.refuse.study_sections.match(title)):
            if found and section.start < found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], section.end))
            else:
                found.append((section.start, section.end))
    return tuple(found)
