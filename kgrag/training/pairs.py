"""Questions with the passages that answer them, from a file; which are learnt from, which judge."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kgrag.errors import BadQuestion, DataError, UnreadableFile
from kgrag.ids import make_id
from kgrag.retrieval.asked import check_question

# Bad lines that an error names; the others are counted.
_NAMED: Final = 5
# Fewer questions than this to stop by, or to judge by, tell nothing.
MIN_HELD_OUT: Final = 10


class _Row(BaseModel):
    """One line of the file: exactly one of ``passage`` and ``passage_id``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    question: str
    passage: Annotated[str | None, Field(max_length=100_000)] = None
    passage_id: str | None = None
    answer: Annotated[str | None, Field(max_length=100_000)] = None


class _Kept(BaseModel):
    """One line of questions whose ranking shall stay as it is."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    question: str


@dataclass(frozen=True, slots=True)
class Right:
    """A passage that answers: its id in a kb, or its text. ``line`` is where the file says so."""

    line: int
    passage_id: str | None
    text: str | None

    @property
    def key(self) -> str:
        """Equal for equal passages."""
        return self.passage_id or make_id("txt", " ".join((self.text or "").split()))


@dataclass(frozen=True, slots=True)
class Learnt:
    """A question with all passages that answer it and, where one is given, its answer."""

    question: str
    right: tuple[Right, ...]
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Numbers of questions: to learn from, to stop by, to judge by. No passage is in two parts."""

    learn: tuple[int, ...]
    stop: tuple[int, ...]
    judge: tuple[int, ...]


def read_pairs(path: Path) -> tuple[Learnt, ...]:
    """The questions of the JSONL file in their order, the lines of one question joined.

    UnreadableFile, naming the lines, when any line is no pair: nothing is left out in silence.
    """
    found: dict[str, Learnt] = {}
    bad: list[str] = []
    for number, line in _lines(path):
        try:
            row = _Row.model_validate(json.loads(line))
            question = " ".join(check_question(row.question).split())
            if (row.passage is None) == (row.passage_id is None):
                raise ValueError("needs either 'passage' or 'passage_id'")
            if not (row.passage or row.passage_id or "").strip():
                raise ValueError("the passage is empty")
        except (ValueError, RecursionError, BadQuestion) as error:
            bad.append(f"line {number}: {_reason(error)}")
            continue
        right = Right(number, row.passage_id, row.passage)
        known = found.get(question.casefold(), Learnt(question, ()))
        if right.key not in {r.key for r in known.right}:
            known = Learnt(known.question, (*known.right, right), known.answer)
        answer = known.answer or (row.answer or "").strip() or None
        found[question.casefold()] = Learnt(known.question, known.right, answer)
    _refuse(path, bad)
    if not found:
        raise UnreadableFile(str(path), "holds no pairs")
    return tuple(found.values())


def read_questions(path: Path) -> tuple[str, ...]:
    """The ``question`` of each line of the JSONL file, each once; UnreadableFile as above."""
    found: dict[str, None] = {}
    bad: list[str] = []
    for number, line in _lines(path):
        try:
            question = check_question(_Kept.model_validate(json.loads(line)).question)
            found[" ".join(question.split())] = None
        except (ValueError, RecursionError, BadQuestion) as error:
            bad.append(f"line {number}: {_reason(error)}")
    _refuse(path, bad)
    return tuple(found)


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(str(path), "is not UTF-8") from error
    # Not splitlines: JSON strings may hold other separators.
    return [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]


def _reason(error: Exception) -> str:
    """What is wrong, without the text of the line."""
    if isinstance(error, json.JSONDecodeError | RecursionError):
        return "is not JSON"
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"{where}: {first['msg']}" if where else "is no JSON object"
    return error.message if isinstance(error, DataError) else str(error)


def _refuse(path: Path, bad: Sequence[str]) -> None:
    if bad:
        more = f"; and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        raise UnreadableFile(str(path), "; ".join(bad[:_NAMED]) + more)


def split(passages: Sequence[Sequence[str]], share: float, seed: int) -> Split:
    """Questions, by the passages of each, in three parts: two of about ``share`` are held out.

    Questions that share a passage, directly or through others, stay together, so that nothing
    that judges was seen. DataError when too little can be held out or nothing is left to learn.
    """
    groups = _groups(passages)
    random.Random(seed).shuffle(groups)
    wanted = max(MIN_HELD_OUT, round(share * len(passages)))
    parts: tuple[list[int], list[int]] = ([], [])
    learn: list[int] = []
    for group in groups:
        # A group that is larger than a part would be all that the part asks about.
        room = [part for part in parts if len(part) + len(group) <= wanted]
        (room[0] if room else learn).extend(group)
    stop, judge = parts
    if min(len(stop), len(judge)) < MIN_HELD_OUT or len(learn) < len(stop):
        raise DataError(
            f"{len(passages)} questions about {len(groups)} separate groups of passages are too "
            f"few to learn from and to judge by",
            hint=f"bring questions about other passages; {5 * MIN_HELD_OUT} groups are a beginning",
        )
    return Split(tuple(sorted(learn)), tuple(sorted(stop)), tuple(sorted(judge)))


def _groups(passages: Sequence[Sequence[str]]) -> list[list[int]]:
    """Numbers of questions that share passages, directly or through others."""
    parent = list(range(len(passages)))

    def top(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[str, int] = {}
    for number, keys in enumerate(passages):
        for key in keys:
            parent[top(number)] = top(first.setdefault(key, number))
    groups: dict[int, list[int]] = {}
    for number in range(len(passages)):
        groups.setdefault(top(number), []).append(number)
    return list(groups.values())
