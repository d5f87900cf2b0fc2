"""A quotation made whole: extended over its own condition, exception, strength and reference.

A sentence torn out of its place can say another thing than its source does: the advice without
the "(weak recommendation)" behind it, the rule without the sentence that begins with "However",
"It" without what it stands for, the first line of a list of which all must hold. ``completion``
takes such neighbours in, as one contiguous span of whole sentences, or refuses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from kgrag.records.text import Span
from kgrag.sentences import is_label, sentences, stands_alone

Reason = Literal["whole", "sentence", "strength", "condition", "list", "reference"]

# So far around a quotation its line is read; a sentence that is longer is refused.
_WINDOW: Final = 1_500


@dataclass(frozen=True, slots=True)
class Completion:
    """The span ``[start, end)`` that stands alone, and why it is longer than what was asked for.

    ``reason`` names the first thing that was lacking; ``whole`` when nothing was.
    """

    start: int
    end: int
    reason: Reason


def completion(
    text: str, start: int, end: int, *, limit_words: int, within: Span | None = None
) -> Completion | None:
    """The span around ``[start, end)`` that holds its own condition, exception and strength.

    None when it cannot be made whole in ``limit_words`` words (split at white space), or when
    what it refers to cannot be had. ``text`` is stored text: a line is a block and an empty line
    parts blocks. It never reaches over a heading, nor out of ``within`` (its section) when that
    is given. Idempotent: a completed span is completed by itself.
    """
    if not 0 <= start < end <= len(text):
        raise ValueError(f"not a span of the text: [{start}, {end})")
    edge = within or Span(0, len(text))
    reasons: list[Reason] = []
    span: Span | None = Span(start, end)
    while span is not None:
        if len(span.of(text).split()) > limit_words:
            return None
        found = _step(text, span, edge)
        if found is None:
            return None
        wider, reason = found
        if reason is None:
            return Completion(span.start, span.end, reasons[0] if reasons else "whole")
        reasons.append(reason)
        span = wider
    return None


def _step(text: str, span: Span, edge: Span) -> tuple[Span, Reason | None] | None:
    """The span with the first thing that it lacks, and what that was; None when it lacks it
    and it cannot be had; the same span and no reason when it is whole."""
    first = _line(text, span.start, edge)
    last = _line(text, span.end - 1, edge)
    if not first.start <= span.start or not span.end <= last.end:
        return None
    if first == last:
        head = tail = _spans(text, first, span.start, span.end)
    else:
        head = _spans(text, first, span.start, span.start)
        tail = _spans(text, last, span.end, span.end)
    opening = _at(head, span.start)
    closing = _at(tail, span.end - 1)
    if opening is None or closing is None:
        return None
    snapped = Span(opening.start, closing.end)
    if snapped != span:
        return snapped, "sentence"
    if not _is_row(text, last):
        wider = _forward(text, span, last, tail, edge)
        if wider is None or wider[1] is not None:
            return wider
    return _backward(text, span, first, head, edge)


def _line(text: str, at: int, edge: Span) -> Span:
    """The line that holds the character ``at``, inside ``edge``."""
    begin = max(text.rfind("\n", 0, at) + 1, edge.start)
    stop = text.find("\n", at)
    return Span(begin, max(min(len(text) if stop < 0 else stop, edge.end), begin + 1))


def _spans(text: str, line: Span, start: int, end: int) -> list[Span]:
    """The sentences of the line around a place; the outermost may be cut in a long line."""
    return sentences(text, max(line.start, start - _WINDOW), min(line.end, end + _WINDOW))


def _at(spans: list[Span], place: int) -> Span | None:
    return next((s for s in spans if s.start <= place < s.end), None)


def _is_row(text: str, line: Span) -> bool:
    """A table row is a line that stands alone: "Drug: X; Dose: Y"."""
    return len(_CELL.findall(line.of(text)[:_WINDOW])) >= 2


def _forward(
    text: str, span: Span, line: Span, tail: list[Span], edge: Span
) -> tuple[Span, Reason | None] | None:
    behind = [s for s in tail if s.start >= span.end]
    if behind:
        # A first sentence without its end mark is a label; what follows belongs to it.
        reason = _belongs(behind[0].of(text))
        return (Span(span.start, behind[0].end), reason) if reason else (span, None)
    below, gap = _below(text, line, edge)
    said = span.of(text).rstrip()
    if said.endswith((":", " and", " or", ",")):
        # A lead-in says nothing without its list, nor half a list without its other half.
        if below is None:
            return None if said.endswith(":") else (span, None)
        if gap == 1 or said.endswith(":"):
            items = _items(text, below, edge)
            return Span(span.start, items[-1].end), "list"
    if below is not None:
        reason = _below_belongs(below.of(text), gap)
        if reason:
            leading = sentences(text, below.start, min(below.end, below.start + _WINDOW))
            if leading:
                return Span(span.start, leading[0].end), reason
    lead = _lead_of(text, line, edge) if span.start >= line.start else None
    if lead is not None and _NEEDS_ALL.search(lead.of(text)):
        last = _items(text, line, edge)[-1]
        if last.end > span.end:
            return Span(span.start, last.end), "list"
    return span, None


def _backward(
    text: str, span: Span, line: Span, head: list[Span], edge: Span
) -> tuple[Span, Reason | None] | None:
    before = [s for s in head if s.end <= span.start]
    said = span.of(text)
    if _GRADE_ONLY.match(said):  # a strength says nothing without its advice
        if before:
            return Span(before[-1].start, span.end), "reference"
        above = _above(text, line, edge)
        if above is None or _is_heading(above.of(text)):
            return None
        found = _last_sentence(text, above)
        return None if found is None else (Span(found.start, span.end), "reference")
    if not before:
        lead = _lead_of(text, line, edge)
        if lead is not None and lead.start < span.start:
            return Span(lead.start, span.end), "list"
    if not _REFERS_BACK.match(said):
        return span, None
    if before:
        return Span(before[-1].start, span.end), "reference"
    above = _above(text, line, edge)
    found = None if above is None or _is_heading(above.of(text)) else _last_sentence(text, above)
    if found is not None:
        return Span(found.start, span.end), "reference"
    return None if _MUST_REFER.match(said) else (span, None)


def _last_sentence(text: str, line: Span) -> Span | None:
    found = sentences(text, max(line.start, line.end - _WINDOW), line.end)
    return found[-1] if found else None


def _below(text: str, line: Span, edge: Span) -> tuple[Span | None, int]:
    """The next line with words, and how many newlines part it from this one."""
    at = line.end
    while at < edge.end and text[at].isspace():
        at += 1
    if at >= edge.end or at == line.end:
        return None, 0
    return _line(text, at, edge), text.count("\n", line.end, at)


def _above(text: str, line: Span, edge: Span) -> Span | None:
    at = line.start - 1
    while at >= edge.start and text[at].isspace():
        at -= 1
    return _line(text, at, edge) if at >= edge.start else None


def _items(text: str, first: Span, edge: Span) -> list[Span]:
    """The lines of one list from ``first`` on: parted by one newline each."""
    items = [first]
    while text[items[-1].end : items[-1].end + 1] == "\n" and items[-1].end + 1 < edge.end:
        if text[items[-1].end + 1] == "\n":
            break
        items.append(_line(text, items[-1].end + 1, edge))
    return items


def _lead_of(text: str, line: Span, edge: Span) -> Span | None:
    """The sentence with a colon that leads in the list or the paragraph of this line; None where
    it is a label and the line a sentence."""
    lead = _colon_above(text, line, edge)
    if lead is not None and is_label(lead.of(text)) and stands_alone(line.of(text)):
        return None
    return lead


def _colon_above(text: str, line: Span, edge: Span) -> Span | None:
    first = line
    while first.start - 2 >= edge.start and text[first.start - 1] == "\n":
        if text[first.start - 2] == "\n":
            break
        first = _line(text, first.start - 2, edge)
        if _ends_with_colon(text, first):
            return _last_sentence(text, first)
    above = _above(text, first, edge)
    if above is None or not _ends_with_colon(text, above):
        return None
    return _last_sentence(text, above)


def _ends_with_colon(text: str, line: Span) -> bool:
    return text[max(line.start, line.end - 3) : line.end].rstrip().endswith(":")


def _is_heading(line: str) -> bool:
    """A short line without an end mark stands over a section."""
    return len(line.split()) <= 14 and not line.rstrip().endswith((".", "!", "?", ";", ":", ")"))


def is_strength(sentence: str) -> bool:
    """Whether a sentence, or the bracket that it begins with, tells the strength of advice."""
    # "Offer it. (Weak recommendation) Then ...": no end mark behind the bracket.
    bracket = re.match(r"\s*[(\[][^()\[\]]{4,80}[)\]]", sentence)
    return bool(_GRADE_ONLY.match(sentence) or (bracket and _GRADE_ONLY.match(bracket[0])))


def _belongs(sentence: str) -> Reason | None:
    if is_strength(sentence):
        return "strength"
    return "condition" if _CONDITION.match(sentence) else None


def _below_belongs(line: str, gap: int) -> Reason | None:
    """What a line below adds to the line above: more is wanted to reach over an empty line."""
    if _GRADE_ONLY.match(line):
        return "strength"
    return "condition" if _CONDITION.match(line) and not _is_heading(line) and gap <= 2 else None


_CELL: Final = re.compile(r"(?:^|; )[^\W\d_][^;:.]{0,60}: ")
_NEEDS_ALL: Final = re.compile(
    r"\b(?:all (?:of )?(?:the )?(?:following|these|below|conditions|criteria)|both(?: of)?(?: the)?"
    r" following|each of|every one of|(?:two|three|four|five) of the following|meets? all)\b",
    re.IGNORECASE,
)
_GRADE_ONLY: Final = re.compile(
    r"""^[\s(\[{]*(?:
        (?:(?:very\s)?(?:strong|weak|conditional|good\spractice|moderate|low|high|insufficient)\b
            [\w\s,;:/+-]{0,60}\b(?:recommendation|evidence|certainty|quality|statement|against|for))
        |(?:(?:strength|grade|level|class|certainty|quality)\s(?:of\s)?[\w\s,;:/+()-]{0,60})
        |(?:recommendation|evidence)\s(?:strength|grade|level|class|certainty|quality|category)
            [\w\s,;:/+()-]{0,60}
        |recommendation\s?:\s?(?:strong|weak|conditional|moderate)[\w\s,;:/+()-]{0,60}
        |(?:grade|class|level|category)\s?[:=]?\s?(?:[A-D]|I{1,3}|IV|[1-5])[a-c+-]?\b
            [\w\s,;:/+()-]{0,60}
        |consensus[\w\s-]{0,40}|expert\sopinion[\w\s-]{0,30}|ungraded[\w\s-]{0,30}
        |(?:[A-D]|I)\s(?:statement|recommendation|grade)
    )[\s)\]}.]*$""",
    re.VERBOSE | re.IGNORECASE,
)
_CONDITION: Final = re.compile(
    r"^[\s(\[]*(?:unless|except(?:\s(?:in|for|when|that|if|where))?|exceptions?(?:\s\w+){0,3}:?|"
    r"an exception|the (?:only )?exceptions?|provided that|but|only (?:if|when|in|for|where)|"
    r"however|nevertheless|nonetheless|even so|that said|with the exception|excluded|"
    r"exclusions?:|caution:?|(?:use|give) with caution|"
    r"this (?:recommendation |advice |statement |guidance |rule |dose |treatment )?"
    r"(?:does not|do not|should not|must not|is not|applies|excludes?|holds)|"
    r"these (?:recommendations |statements |criteria |doses )?(?:do not|should not|must not|"
    r"apply|are not|exclude)|it (?:does not apply|is not for|should not be (?:used|given)|"
    r"must not be (?:used|given)|applies only)|they (?:do not apply|should not be (?:used|given)|"
    r"must not be (?:used|given))|"
    r"(?:do not|never) (?:use|give|apply|exceed|offer) (?:it|this|them|these)|"
    r"not (?:for|in|to be|applicable|suitable|recommended)|contraindications?:|contraindicated)"
    r"(?![\w-])",
    re.IGNORECASE,
)
_REFERS_BACK: Final = re.compile(
    r"^[\"'“‘(\[]*(?:it|its|this|these|they|their|them|those|such|he|she|his|her|the (?:latter|"
    r"former|same|above)|both|neither|either|however|therefore|thus|hence|otherwise|moreover|"
    r"furthermore|nevertheless|nonetheless|but|unless|except|in addition|additionally|also|"
    r"consequently|as a result|instead|then|for example|in contrast|conversely|similarly|"
    r"exceptions? (?:is|are|include)|an exception|in (?:this|these|such) (?:case|cases|patients|"
    r"situations?))\b",
    re.IGNORECASE,
)
# These cannot be understood at all without the sentence before. "Unless" and "Except" mostly
# begin whole sentences, and "both" and "such" are often explained by what follows them.
_MUST_REFER: Final = re.compile(
    r"^[\"'“‘(\[]*(?:it|its|they|their|them|he|she|his|her|the (?:latter|former)|neither|otherwise|"
    r"an exception|but|(?:this|these|those)\s+(?:is|are|was|were|can|could|may|might|should|must|"
    r"will|would|has|have|had|does|do|includes?|means?|results?|causes?|occurs?|leads?|helps?|"
    r"increases?|reduces?|applies|excludes?))\b",
    re.IGNORECASE,
)
