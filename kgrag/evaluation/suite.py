"""A suite: questions, what is right for each of them, and the corpus that they are asked of."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

Split = Literal["dev", "test"]
Unit = Literal["document", "passage"]

# Question id to document id of the suite to grade; a grade of 1 and above is right.
Qrels = Mapping[str, Mapping[str, int]]

_WORD: Final = re.compile(r"\w+")


def half(identifier: str) -> Split:
    """The half that a question is in by its id alone: tune on ``dev``, report on ``test``."""
    return "dev" if zlib.crc32(identifier.encode()) % 2 == 0 else "test"


@dataclass(frozen=True, slots=True)
class Query:
    """A question of a suite. ``group`` is a part of the suite that is also told apart."""

    id: str
    text: str
    split: Split
    group: str = ""

    @classmethod
    def of(cls, identifier: str, text: str, group: str = "") -> Query:
        """A question in the half that its id says."""
        return cls(identifier, text, half(identifier), group)


@dataclass(frozen=True, slots=True)
class Suite:
    """Questions with what is right for each, by ids of the suite.

    ``corpus`` is the JSONL file that a kb of the suite is made of, read with ``recipe``; empty
    where a kb must be given. Suites of the same corpus have the same ``base``. ``same`` leads from
    a record of the corpus to the one that has its text and stands for both; ``known`` are all
    ids of the corpus that stand for themselves. ``primary`` is the measure that the suite is
    known by. ``unit`` is what is ranked and right: documents by their best passage, or passages by
    the ids of one kb. ``notes`` say what was left out and why.
    """

    name: str
    queries: tuple[Query, ...]
    qrels: Qrels
    known: frozenset[str]
    primary: str = "nDCG@10"
    base: str = ""
    corpus: bytes = field(default=b"", repr=False)
    recipe: str | None = None
    same: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unit: Unit = "document"

    def __post_init__(self) -> None:
        ids = [q.id for q in self.queries]
        if len(set(ids)) != len(ids):
            raise ValueError(f"the suite {self.name} has a question id twice")
        for identifier in ids:
            if not any(grade > 0 for grade in self.qrels.get(identifier, {}).values()):
                raise ValueError(f"the suite {self.name} has no right document for {identifier!r}")

    def of(self, split: Split | Literal["all"] = "all", limit: int | None = None) -> Suite:
        """The suite with the questions of one half, and at most ``limit`` of them.

        Which ones are kept depends on their ids alone, not on their order.
        """
        kept = [q for q in self.queries if split in ("all", q.split)]
        if limit is not None and limit < len(kept):
            chosen = sorted(kept, key=lambda q: (zlib.crc32(b"limit" + q.id.encode()), q.id))
            names = {q.id for q in chosen[:limit]}
            kept = [q for q in kept if q.id in names]
        return replace(self, queries=tuple(kept))

    def standing_for(self, record: str) -> str | None:
        """The id of the suite for a record of its corpus; None for a record of another."""
        identifier = self.same.get(record, record)
        return identifier if identifier in self.known else None

    def groups(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each group with the ids of its questions, in order of name; none without groups."""
        for group in sorted({q.group for q in self.queries if q.group}, key=_by_number):
            yield group, tuple(q.id for q in self.queries if q.group == group)


def _by_number(name: str) -> tuple[int, str]:
    """Year 7 before year 10."""
    return len(name), name


def merged(records: Mapping[str, str], qrels: Qrels) -> tuple[Mapping[str, str], Qrels]:
    """Records of equal words as one: (``Suite.same``, the qrels by the ids that stand for them).

    ``records`` maps ids to texts; the first id of a text stands for all. Of several grades of one
    text the highest counts.
    """
    first: dict[str, str] = {}
    same: dict[str, str] = {}
    for identifier, text in records.items():
        # As ``search`` sees repeats, or one of two right answers would be missed for the other.
        words = " ".join(_WORD.findall(text.casefold()))
        stands = first.setdefault(words, identifier)
        if stands != identifier:
            same[identifier] = stands
    joined: dict[str, dict[str, int]] = {}
    for question, graded in qrels.items():
        into = joined.setdefault(question, {})
        for identifier, grade in graded.items():
            stands = same.get(identifier, identifier)
            into[stands] = max(grade, into.get(stands, grade))
    return same, joined


def flat(value: Any) -> str:
    """The strings of a JSON value one after another, each after the names that lead to it."""
    if isinstance(value, Mapping):
        parts = [f"{str(k).replace('_', ' ')}: {flat(v)}" for k, v in value.items()]
    elif isinstance(value, list):
        parts = [flat(v) for v in value]
    else:
        return str(value).strip()
    return ". ".join(p.rstrip(". ") for p in parts if p)
