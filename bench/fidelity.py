"""Every citation, every edge: the characters are there, and an independent extraction has them.

    python bench/fidelity.py --kb /tmp/big-kb [--answers answers.jsonl]

For each quotation: stored text[start:end] equals it; and, white space aside, it is found in the
text that another library extracts from the kept original (html5lib for HTML, the standard
library's ElementTree for XML, the file itself without marks for Markdown and plain text). A table
row is looked for cell by cell, because its line carries the header cells. PDF and DOCX are checked
against the stored text alone.
"""

from __future__ import annotations

import argparse
import json
import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from bs4 import BeautifulSoup

from kgrag import Engine
from kgrag.records.text import Document

_MARKS = re.compile(r"[\s*_`#>|\\\[\]()~+・•·-]+")


def squeeze(text: str) -> str:
    """Without white space, marks of light mark-up, soft hyphens; canonical composition."""
    return _MARKS.sub("", unicodedata.normalize("NFC", text).replace("\u00ad", ""))


def independent(media_type: str, original: bytes) -> str | None:
    """The text of the original by a library that no reader uses; None where there is none."""
    if "html" in media_type:
        soup = BeautifulSoup(original, "html5lib")
        return squeeze(soup.get_text(" "))
    if "xml" in media_type:
        root = ElementTree.fromstring(re.sub(rb"<!DOCTYPE[^>\[]*(\[[^\]]*\])?>", b"", original))
        return squeeze("".join(root.itertext()))
    if "markdown" in media_type or media_type == "text/plain":
        text = original.decode("utf-8", "replace")
        plain = BeautifulSoup(text, "html5lib").get_text("") if "<" in text or "&" in text else text
        links = re.sub(r"\]\([^)\s]*(?:\s+\"[^\"]*\")?\)", "]", plain)
        return squeeze(links)
    if "json" in media_type:
        record = json.loads(original)
        return squeeze("".join(_strings(record)))
    return None


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


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
        return independent(document.media_type, self._engine.truth.original(document_id))

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
        missing = [p for p in pieces(document, start, end) if squeeze(p) not in other]
        if missing:
            self.counts["not found in the independent extraction"] += 1
            self.failures.append(f"{document.uri} [{start}:{end}] {missing[0][:80]!r}")


def pieces(document: Document, start: int, end: int) -> Iterable[str]:
    """What must be found as it is: each block of the quotation; of a table row each cell."""
    for block in document.blocks:
        low, high = max(start, block.start), min(end, block.end)
        if low >= high:
            continue
        text = document.text[low:high]
        if block.kind == "table_row":
            for cell in text.split("; "):
                yield cell.partition(": ")[2] or cell
        else:
            yield text


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
