"""What an ingest did: counts, seconds by step, refusals and doubts."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kgrag.records.text import Doubt
from kgrag.stores.base import Ingested


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file, or a record of one, that was not taken, and why: one line."""

    uri: str
    reason: str


@dataclass(slots=True)
class Report:
    """What an ingest did. Seconds by step; counts of documents and what is in them.

    On a cluster the seconds of a step are those of all workers together.
    """

    files: int = 0
    unchanged: int = 0
    documents: int = 0
    new: int = 0
    skipped: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    refusals: list[Refusal] = field(default_factory=list)
    doubts: list[tuple[str, Doubt]] = field(default_factory=list)

    def add(self, ingested: Ingested) -> None:
        """Count what was found in a document."""
        document = ingested.document
        self.doubts += [(document.uri, doubt) for doubt in document.doubts]
        self.counts.update(
            passages=len(ingested.passages),
            mentions=len(ingested.mentions),
            assertions=len(ingested.assertions),
            rejects=len(ingested.rejects),
            recommendations=len(ingested.recommendations),
            chars=len(document.text),
            doubts=len(document.doubts),
            tables=len(document.tables),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {
            "files": self.files,
            "unchanged": self.unchanged,
            "documents": self.documents,
            "new": self.new,
            "skipped_by_recipe": self.skipped,
            "counts": dict(sorted(self.counts.items())),
            "seconds": {k: round(v, 3) for k, v in sorted(self.seconds.items())},
            "refused": [{"uri": r.uri, "reason": r.reason} for r in self.refusals],
            "doubts": [
                {"uri": uri, "page": d.page, "level": d.level, "reason": d.message}
                for uri, d in self.doubts
            ],
        }


@contextmanager
def timed(seconds: MutableMapping[str, float], step: str) -> Iterator[None]:
    """Adds the seconds spent inside to ``seconds[step]``."""
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds[step] = seconds.get(step, 0.0) + time.perf_counter() - began
