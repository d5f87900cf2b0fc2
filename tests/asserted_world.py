"""A truth in memory of short documents whose assertions are given with their sentences."""

from __future__ import annotations

from collections.abc import Sequence

from kgrag.ids import document_id, passage_id, sha256
from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.concepts import Concept, Mention
from kgrag.records.text import Block, Document, Passage, Source
from kgrag.stores.base import Ingested

# (subject, predicate, object, negated, sentence); names stand in the sentence as they are.
Said = tuple[str, str, str, bool, str]


def curie(name: str) -> str:
    return f"X:{name}"


class PlainNames:
    """Every ``X:`` CURIE is a concept of that name, but for ``X:unnamed``."""

    def concept(self, curie: str) -> Concept:
        return Concept(curie, curie[2:].title(), "disease")

    def __contains__(self, curie: object) -> bool:
        return isinstance(curie, str) and curie.startswith("X:") and curie != "X:unnamed"


def document(identifier: str, said: Sequence[Said], *, collection: str = "own") -> Ingested:
    """A document of one paragraph and passage for each sentence."""
    text = "\n\n".join(item[4] for item in said)
    original = text.encode()
    key = document_id(collection, identifier, sha256(original), "world/1")
    blocks, passages, mentions, assertions = [], [], [], []
    at = 0
    for subject, predicate, obj, negated, sentence in said:
        end = at + len(sentence)
        spans = []
        for name in (subject, obj):
            begin = at + sentence.index(name)
            spans.append((begin, begin + len(name)))
            mentions.append(Mention(*spans[-1], name, curie(name), "disease"))
        blocks.append(Block("paragraph", at, end))
        passages.append(Passage(passage_id(key, at, end), key, at, end, (), None))
        evidence = Evidence(key, at, end, sentence, spans[0], spans[1], "hand")
        assertions.append(
            Assertion(curie(subject), predicate, curie(obj), negated, evidence=(evidence,))
        )
        at = end + 2
    merged: dict[str, Assertion] = {}
    for item in assertions:
        merged[item.id] = merged[item.id].merged(item) if item.id in merged else item
    return Ingested(
        Document(
            key, Source(collection, identifier), f"file:///{identifier}", "text/plain",
            sha256(original), "world/1", text, blocks=tuple(blocks),
        ),
        original,
        tuple(passages),
        tuple(sorted(mentions, key=lambda m: m.start)),
        tuple(merged.values()),
        (),
    )  # fmt: skip
