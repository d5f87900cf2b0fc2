"""A truth of any size that is generated while it is read and held nowhere.

Every fifth document has a recommendation. Sentences hold what exports must escape.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from kgrag.errors import NotFound
from kgrag.ids import make_id
from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.recommendations import Grade, Recommendation
from kgrag.records.text import Block, Document, Metadata, Page, Passage, Section, Source
from kgrag.stores.base import DocumentInfo

HOSTILE = 'says "no\\"; <b>&amp;|} 𝄞\u2028 it\'s; \t{x}'
PREDICATES = ("treats", "causes", "prevents", "has_phenotype", "monitored_by")


class GeneratedTruth:
    """``documents`` documents of ``each`` sentences; sentence ``i`` states one assertion.

    An assertion of a sentence is repeated by the next document, so that evidence merges.
    """

    def __init__(self, documents: int, each: int = 20, *, concepts: int = 5000) -> None:
        self.size, self.each, self._concepts = documents, each, concepts
        self.generation = documents
        self.read = 0  # whole documents read
        self._text = lru_cache(maxsize=4)(self._made_text)

    def _sentence(self, document: int, at: int) -> tuple[str, str, str, bool, str]:
        # The first sentence of a document repeats the last of the one before.
        number = document * self.each + at if at or not document else document * self.each - 1
        chance = random.Random(number)
        subject, object_ = (int(self._concepts * chance.random() ** 2) for _ in "so")
        predicate = PREDICATES[number % len(PREDICATES)]
        negated = number % 11 == 0
        text = f"X{subject} {predicate} Y{object_} ({number}) {HOSTILE if number % 7 == 0 else ''}."
        return f"X:{subject}", predicate, f"Y:{object_}", negated, text

    def _made_text(self, document: int) -> tuple[str, list[tuple[int, int]]]:
        parts = [self._sentence(document, at)[4] for at in range(self.each)]
        spans, start = [], 0
        for part in parts:
            spans.append((start, start + len(part)))
            start += len(part) + 2
        return "\n\n".join(parts), spans

    def _name(self, document: int) -> str:
        return f"doc_{document:024x}"

    def _number(self, name: str) -> int:
        number = int(name[4:], 16)
        if number >= self.size:
            raise NotFound("document", name)
        return number

    def _said(self, document: int, at: int) -> tuple[Assertion, Evidence]:
        subject, predicate, object_, negated, text = self._sentence(document, at)
        start, end = self._text(document)[1][at]
        first = text.index(f"Y{object_[2:]} (")
        evidence = Evidence(
            self._name(document), start, end, text,
            (start, start + len(subject) - 1),
            (start + first, start + first + len(object_) - 1), "made",
        )  # fmt: skip
        # What a sentence says is told once: its number is in the qualifier.
        qualifiers = (("condition", text[text.index("(") : text.index(")") + 1]),)
        said = Assertion(subject, predicate, object_, negated, qualifiers, evidence=(evidence,))
        return said, evidence

    def assertions(self, ids: Sequence[str] | None = None, **_: Any) -> Iterator[Assertion]:
        """In the order of documents, not of ids: what is exported is the same."""
        for document in range(self.size):
            for at in range(self.each):
                if at == 0 and document:
                    continue
                own, _evidence = self._said(document, at)
                if at == self.each - 1 and document + 1 < self.size:
                    _same, more = self._said(document + 1, 0)
                    own = Assertion(
                        own.subject, own.predicate, own.object, own.negated, own.qualifiers,
                        evidence=(*own.evidence, more),
                    )  # fmt: skip
                if ids is None or own.id in ids:
                    yield own

    def recommendations(
        self, ids: Sequence[str] | None = None, *, document_id: str | None = None, **_: Any
    ) -> Iterator[Recommendation]:
        for document in range(self.size) if document_id is None else (self._number(document_id),):
            if document % 5 == 0:
                text, spans = self._text(document)
                start, end = spans[0]
                grade = Grade("GRADE", text[start : start + 2], "strong", (start, start + 2))
                yield Recommendation(
                    self._name(document), start, end, text[start:end], "for",
                    (start, start + 3), None, grade, None, (f"X:{document % 50}",),
                    (f"Y:{document % 60}",), "female", 18.0, 75.5, "Issuer", "2024-05",
                )  # fmt: skip

    def documents(self, **_: Any) -> Iterator[DocumentInfo]:
        return (self.info(self._name(i)) for i in range(self.size))

    def info(self, name: str) -> DocumentInfo:
        number = self._number(name)
        size = self._text(number)[1][-1][1]
        return DocumentInfo(
            name, Source("made", name), f"file:///{number}", f"Title {number} {HOSTILE}",
            self._metadata(number), "current", size, number + 1,
        )  # fmt: skip

    def _metadata(self, number: int) -> Metadata:
        identifiers = (("pmid", str(number)), ("doi", f"10.1/{number}")) if number % 2 else ()
        return Metadata(
            f"Title {number} {HOSTILE}", "Publisher", "2024-05-01", "1", "CC0", "en", identifiers
        )

    def document(self, name: str) -> Document:
        self.read += 1
        number = self._number(name)
        text, spans = self._text(number)
        middle = spans[self.each // 2][0]
        return Document(
            name, Source("made", name), f"file:///{number}", "text/plain", "0" * 64, "made/1",
            text, self._metadata(number),
            tuple(Block("paragraph", *span) for span in spans),
            (Section("One", 1, 0, middle), Section("Two | 2", 1, middle, len(text))),
            (Page(1, 0, middle), Page(2, middle, len(text))),
        )  # fmt: skip

    def passages(self, name: str) -> tuple[Passage, ...]:
        spans = self._text(self._number(name))[1]
        return tuple(
            Passage(make_id("pas", name, at), name, start, end)
            for at, (start, end) in enumerate(spans)
        )

    def counts(self) -> Mapping[str, int]:
        return {
            "documents": self.size,
            "assertions": self.size * self.each - self.size + 1,
        }
