"""What limits an assertion, in the words of its sentence.

Population, condition, comparator, dose, timing and setting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from kgrag.records.text import Span
from kgrag_ingest.extract.rules import Rules
from kgrag_ingest.extract.skeleton import DEGREES

_LONGEST: Final = 160
# Begins what is said about something else.
_ANOTHER: Final = re.compile(
    r"[.;:] |, (?:and|but|so|which|while|whereas|although|however)\b"
    r"| and (?:should|must|can|may|will|is|are|has|have|these|this|it|they|occurs?)\b"
)
_REMARK: Final = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_DEGREE: Final = re.compile(r"(?<=mild)-to-|(?<=moderate)-to-")
_BRACKET: Final = re.compile(r"[()\[\]]")
# Predicates whose dose is the subject's own.
DOSED_IN: Final = "dosed_in"
_DOSED: Final = frozenset({"treats", "prevents", DOSED_IN})


def qualifiers(
    text: str,
    sentence: Span,
    predicate: str,
    *,
    single_subject: bool,
    ends: tuple[tuple[int, int], tuple[int, int]],
    rules: Rules,
    said: Mapping[str, str],
    negated: bool = False,
) -> tuple[tuple[str, str], ...]:
    """Sorted (name, value) pairs; each value's words stand in the sentence.

    The narrowing words directly before the object become its condition. A dose is given only when
    one drug stands in the sentence, because otherwise whose it is stays open. Population and
    condition must begin in the clause that names both ends. ``ends`` are the spans of the mentions:
    a value that only repeats one is left out. ``said`` are values that the rule itself named.
    """
    found: dict[str, str] = {name: v for name, v in said.items() if name != "condition"}
    quote = sentence.of(text)
    own = _own_clause(quote, max(end for _, end in ends) - sentence.start)
    population = _population(own, sentence, ends, rules)
    if population:
        found["population"] = population
    if predicate in _DOSED and single_subject:
        doses = {_plain(m.group()) for m in rules.dose_said.finditer(quote)}
        if not doses and predicate == DOSED_IN:
            doses = {_plain(m.group()) for m in rules.dose_change.finditer(quote)}
        if len(doses) == 1:
            found["dose"] = doses.pop()
    for name, pattern in rules.named.items():
        value = pattern.search(own)
        if value is not None and not _holds_end(sentence, value.span(1), ends):
            found.setdefault(name, _plain(value.group(1)))
    narrowing = _narrowing(text[sentence.start : ends[1][0]], rules)
    conditions = [narrowing] if narrowing else []
    if said.get("condition"):
        conditions.append(said["condition"])
    clause = _condition(quote, len(own), sentence, ends, rules)
    if clause and clause not in conditions:
        conditions.append(clause)
    rest = rules.denied.match(text[ends[1][1] : sentence.end])
    if negated and rest is not None and not found.get("population") and not conditions:
        conditions.append(_plain(rest.group(1)))
    if conditions:
        found["condition"] = "; ".join(conditions)
    return tuple(sorted(found.items()))


def _condition(
    quote: str,
    own: int,
    sentence: Span,
    ends: tuple[tuple[int, int], tuple[int, int]],
    rules: Rules,
) -> str | None:
    """The clause of condition that begins before ``own``, from its first word on."""
    first = min(start for start, _ in ends) - sentence.start
    for clause in rules.condition.finditer(quote):
        start, stop = clause.span(1)
        if start >= own:
            return None
        if start < first:
            comma = quote.find(",", start, first)
            if comma < 0:
                continue
            stop = min(stop, comma)
        if _holds_end(sentence, (start, stop), ends):
            continue
        words = _plain(_REMARK.sub("", quote[start:stop]))[:_LONGEST].rstrip()
        # A bracket that stays open says that the clause belongs to a remark about something else.
        if not _BRACKET.search(words):
            return words
    return None


def _population(
    own: str, sentence: Span, ends: tuple[tuple[int, int], tuple[int, int]], rules: Rules
) -> str | None:
    for match in rules.population.finditer(own):
        value = _plain(match.group(1)).lower()
        if value not in rules.population_empty and not _holds_end(sentence, match.span(1), ends):
            return value
    return None


def _narrowing(before: str, rules: Rules) -> str:
    """The narrowing words at the end of ``before``."""
    found: list[str] = []
    folded = DEGREES.sub(r"\1-\2-\3", " ".join(before.lower().split()[-6:]))
    for word in reversed(folded.split()[-3:]):
        if word not in rules.narrowing:
            break
        found.insert(0, word)
    return _DEGREE.sub(" to ", " ".join(found))


def _own_clause(quote: str, stated: int) -> str:
    """The sentence up to where, after both ends at ``stated``, another clause begins."""
    following = _ANOTHER.search(quote, stated)
    return quote[: following.start()] if following else quote


def _holds_end(
    sentence: Span, clause: tuple[int, int], ends: tuple[tuple[int, int], tuple[int, int]]
) -> bool:
    low, high = sentence.start + clause[0], sentence.start + clause[1]
    return any(low <= start and end <= high for start, end in ends)


def _plain(value: str) -> str:
    return " ".join(value.split()).strip(" ,;.")
