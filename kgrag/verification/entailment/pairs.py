"""Pairs as tokens: premise and hypothesis in the model's own form, both kept as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from kgrag.errors import DataError, SettingsError
from kgrag.sentences import sentences

_OVERLAP: Final = 3
"""Whole sentences of up to one part in so many of the room are read in both of two windows."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token ids of a text; token i stands for the characters ``offsets[i]`` of it."""

    ids: list[int]
    offsets: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Row:
    """One input of a model; the hypothesis is its tokens ``[start, end)``."""

    ids: list[int]
    types: list[int]
    start: int
    end: int


class PairForm:
    """Builds inputs of at most ``limit`` tokens: the frame, a window of the premise, a hypothesis.

    ``before``, ``between`` and ``after`` are the marks around the two texts. What the texts say is
    tokenized with special tokens off: a separator that is written in a document stays text.
    """

    def __init__(self, tokenizer: Any, *, limit: int, lead: str = "", tail: str = "") -> None:
        if not tokenizer.is_fast:
            raise SettingsError("the model's tokenizer does not tell where its tokens stand")
        self._tokenizer, self._limit = tokenizer, limit
        self._frame = self._read_frame()
        self._lead = self.plain(lead).ids if lead else []
        self._tail = self.plain(tail).ids if tail else []

    def _read_frame(self) -> tuple[list[tuple[int, int]], ...]:
        """The marks before, between and after the texts of a pair, each with its type, and the
        types of the texts themselves."""
        made = self._tokenizer("a", "a", return_token_type_ids=True)
        which = made.sequence_ids()
        marks = list(zip(made.input_ids, made.token_type_ids, strict=True))
        first, second = which.index(0), which.index(1)
        last_first = len(which) - 1 - which[::-1].index(0)
        last_second = len(which) - 1 - which[::-1].index(1)
        if not first <= last_first < second <= last_second:
            raise SettingsError("the model's tokenizer does not keep the order of a pair")
        return (
            marks[:first], marks[last_first + 1 : second], marks[last_second + 1 :],
            [marks[first], marks[second]],
        )  # fmt: skip

    def plain(self, text: str) -> Tokens:
        """The tokens of ``text`` as data."""
        made = self._tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True,
            truncation=False, verbose=False,
        )  # fmt: skip
        return Tokens(list(made.input_ids), [tuple(o) for o in made.offset_mapping])

    def rows(self, premise: str, hypothesis: Tokens) -> list[Row]:
        """The inputs that together read all of the premise; none when it has no tokens.

        DataError when the hypothesis, or one sentence of the premise beside it, does not fit:
        a sentence that is cut could lose its negation.
        """
        before, between, after, _ = self._frame
        marks = len(before) + len(between) + len(after) + len(self._lead) + len(self._tail)
        room = self._limit - marks - len(hypothesis.ids)
        if not hypothesis.ids:
            raise DataError("the sentence to check has no words")
        if room < 1:
            raise DataError("the sentence to check is longer than the checker reads")
        return [self._row(window, hypothesis.ids) for window in self._windows(premise, room)]

    def _windows(self, premise: str, room: int) -> list[list[int]]:
        whole = self.plain(premise).ids
        if len(whole) <= room:
            return [whole] if whole else []
        # The white space between sentences goes with the one after it.
        spans = sentences(premise)
        ends = [s.end for s in spans]
        starts = [0, *ends[:-1]]
        pieces = [self.plain(premise[a:b]).ids for a, b in zip(starts, ends, strict=True)]
        if max(map(len, pieces)) > room:
            raise DataError("a sentence of the source is longer than the checker reads")
        windows: list[list[int]] = []
        first = 0
        while True:
            last, taken = first, 0
            while last < len(pieces) and taken + len(pieces[last]) <= room:
                taken += len(pieces[last])
                last += 1
            windows.append([token for piece in pieces[first:last] for token in piece])
            if last == len(pieces):
                return windows
            back, shared = last, 0
            while back - 1 > first and (more := shared + len(pieces[back - 1])) * _OVERLAP <= room:
                if more + len(pieces[last]) > room:
                    break  # the window would end where this one does
                back, shared = back - 1, more
            first = back

    def _row(self, premise: Sequence[int], hypothesis: Sequence[int]) -> Row:
        before, between, after, ((_, one), (_, two)) = self._frame
        first = [*self._lead, *premise, *self._tail]
        ids = [i for i, _ in before] + first + [i for i, _ in between]
        types = [t for _, t in before] + [one] * len(first) + [t for _, t in between]
        start = len(ids)
        ids += [*hypothesis, *(i for i, _ in after)]
        types += [two] * len(hypothesis) + [t for _, t in after]
        return Row(ids, types, start, start + len(hypothesis))
