"""Every citation, every edge: the characters are there, and an independent extraction has them.

    python bench/fidelity.py --kb /tmp/big-kb [--answers answers.jsonl]

For each quotation: stored text[start:end] equals it; and it is found in the text that another
library extracts from the kept original (``independent.py``). A table row is looked for cell by
cell, because its line carries the header cells. PDF and DOCX are checked against the stored text
alone.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from functools import lru_cache
from pathlib import Path

from independent import extract, missing

from kgrag import Engine
from kgrag.records.text import Span


class Checker:
    """Counts of quotations checked, found, and not found, with the first failures."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self._document = lru_cache(maxsize=64)(engine.truth.document)
        self._other = lru_cache(maxsize=64)(self._extract)

    def _extract(self, document_id: str) -> str | None:
        document = self._document(document_id)
        return extract(self._engine.truth.original(document_id), document.media_type)

    def check(self, document_id: str, start: int, end: int, quote: str) -> None:
        """One quotation."""
        document = self._document(document_id)
        self.counts["quotations"] += 1
        if document.text[start:end] != quote:
            self.counts["not the stored text"] += 1
            self.failures.append(f"{document_id} [{start}:{end}] stored text differs")
            return
        other = self._other(document_id)
        if other is None:
            self.counts["no independent extraction"] += 1
            return
        self.counts["compared with an independent extraction"] += 1
        _, lost = missing(document.text, document.blocks, document.tables, other, Span(start, end))
        if lost:
            self.counts["not found in the independent extraction"] += 1
            self.failures.append(f"{document.uri} [{start}:{end}] {lost[0][:80]!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--answers", type=Path, nargs="*", default=[], help="JSONL of Answers")
    parser.add_argument("--edges", action="store_true", help="check the evidence of every edge")
    arguments = parser.parse_args()
    with Engine.open(arguments.kb) as engine:
        checker = Checker(engine)
        if arguments.edges:
            for assertion in engine.truth.assertions():
                for evidence in assertion.evidence:
                    checker.check(
                        evidence.document_id, evidence.start, evidence.end, evidence.quote
                    )
            report("edges", checker)
        for path in arguments.answers:
            checker = Checker(engine)
            for line in path.read_text(encoding="utf-8").splitlines():
                for statement in json.loads(line)["statements"]:
                    for c in statement["citations"]:
                        checker.check(c["document"]["id"], c["start"], c["end"], c["quote"])
            report(path.name, checker)


def report(name: str, checker: Checker) -> None:
    print(name, dict(checker.counts))
    for failure in checker.failures[:20]:
        print("  ", failure)


if __name__ == "__main__":
    main()
