"""The spans of a text that are worth a proposal: no name matches them, and they look like names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from kgrag.linking.abbreviations import Definition
from kgrag.linking.match import Words
from kgrag.linking.normalise import Folded
from kgrag.records.concepts import Mention

_LETTERS: Final = 7  # shorter words are too near to others
_MOST: Final = 500  # spans of one text


def unmatched(
    text: str,
    folded: Folded,
    words: Words,
    mentions: Sequence[Mention],
    defined: Mapping[str, Definition],
) -> list[tuple[int, int, str]]:
    """(start, end, short form or "") of unmatched long forms, then of long words, none twice.

    At most 500, in text order within each kind. None of them overlaps a mention.
    """
    taken = [(m.start, m.end) for m in mentions]

    def is_free(start: int, end: int) -> bool:
        return not any(start < stop and begin < end for begin, stop in taken)

    spans = []
    for short, definition in defined.items():
        long = definition.long
        if is_free(long.start, long.end):
            spans.append((long.start, long.end, short))
            taken.append((long.start, long.end))
    for at, word in enumerate(words.words):
        if len(spans) >= _MOST:
            break
        if len(word) >= _LETTERS and word.isalpha():
            first, last = words.span(at, 1)
            start, end = folded.start(first), folded.end(last)
            if is_free(start, end):
                spans.append((start, end, ""))
    return spans[:_MOST]
