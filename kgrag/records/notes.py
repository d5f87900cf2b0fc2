"""A clinical note, or a text that any model wrote, with its sentences checked against a kb.

``to_json`` gives plain values: names there are fixed, fields may be added.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any, Literal

from kgrag.records.answer import Check, Citation, to_plain

SentenceKind = Literal["claim", "plan", "patient", "question", "heading"]
NoteVerdict = Literal["supported", "contradicted", "not_covered"]


@dataclass(frozen=True, slots=True)
class NoteEvidence:
    """A quotation of the kb, what it says of the sentence, and the layers that found so."""

    citation: Citation
    verdict: Literal["supported", "contradicted"]
    confidence: float | None
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """The characters ``[start, end)`` of the note and what the kb says of them.

    ``evidence`` is best first: for a supported sentence its support, for a contradicted one what
    contradicts it, of which the first is the correction proposed. ``against`` is what other sources
    say against a supported sentence. ``nearest`` was looked at and settles nothing. ``reason`` says
    in words why a sentence is not covered.
    """

    start: int
    end: int
    text: str
    kind: SentenceKind
    verdict: NoteVerdict
    evidence: tuple[NoteEvidence, ...] = ()
    against: tuple[NoteEvidence, ...] = ()
    nearest: Citation | None = None
    checks: tuple[Check, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        if self.end - self.start != len(self.text) or not self.text:
            raise ValueError(f"the sentence does not fit [{self.start}, {self.end})")
        if (self.verdict == "not_covered") != (not self.evidence):
            raise ValueError("a verdict has evidence, and nothing else has")
        if any(e.verdict != self.verdict for e in self.evidence):
            raise ValueError("the evidence says otherwise than the verdict")

    @property
    def correction(self) -> Citation | None:
        """The quotation proposed in place of a contradicted sentence."""
        return self.evidence[0].citation if self.verdict == "contradicted" else None


@dataclass(frozen=True, slots=True)
class NoteCheck:
    """A note with its sentences in order. ``complete`` is False when the time or the number of
    sentences ran out: the sentences after that are not covered, and say so."""

    id: str
    note: str
    sentences: tuple[CheckedSentence, ...]
    complete: bool = True
    warnings: tuple[str, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.sentences:
            if self.note[one.start : one.end] != one.text:
                raise ValueError(f"[{one.start}, {one.end}) of the note is another text")

    @property
    def counts(self) -> dict[NoteVerdict, int]:
        """How many sentences have each verdict."""
        found: dict[NoteVerdict, int] = {"supported": 0, "contradicted": 0, "not_covered": 0}
        for one in self.sentences:
            found[one.verdict] += 1
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers; with ``counts`` and each ``correction``."""
        record: dict[str, Any] = to_plain(self)
        for plain, one in zip(record["sentences"], self.sentences, strict=True):
            plain["correction"] = to_plain(one.correction)
        return record | {"counts": dict(self.counts)}

    def show(self) -> None:
        """Print the note with its sentences marked, as ``kgrag verify --note`` does."""
        from kgrag.render import note_text

        sys.stdout.write(note_text(self) + "\n")

    def to_markdown(self) -> str:
        """The note with its marks as Markdown."""
        from kgrag.render import note_markdown

        return note_markdown(self)

    def to_html(self) -> str:
        """The note with its marks as one whole HTML page."""
        from kgrag.render import note_page

        return note_page(self)

    def _repr_html_(self) -> str:
        from kgrag.render import note_html

        return note_html(self)
