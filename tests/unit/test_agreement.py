"""Which sources say the same, by hand: assertions, advice and the same words; and what is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from asserted_world import PlainNames, Said, curie, document

from kgrag.reasoning.agreement import agreements
from kgrag.records.answer import Citation, CitedDocument, Statement
from kgrag.records.recommendations import Grade, Recommendation
from kgrag.records.text import Document, Metadata
from kgrag.retrieval.scope import Scope
from kgrag.stores.base import Ingested
from kgrag.stores.memory_truth import MemoryTruth

NAMES = PlainNames()
SENTENCE = "drug is the first choice for adults with acute gout attacks."


@dataclass(frozen=True, slots=True)
class Piece:
    document_id: str
    text: str
    start: int
    end: int
    passage_id: str = "psg_x"
    section: tuple[str, ...] = ()
    page: int | None = None


def says(
    name: str, sentence: str, publisher: str | None = None, date: str | None = None
) -> Ingested:
    world: list[Said] = [("drug", "treats", "gout", False, sentence)]
    item = document(name, world)
    metadata = Metadata(f"On {name}", publisher, date)
    return replace(item, document=replace(item.document, metadata=metadata))


def graded(item: Ingested, grade: str, **more: Any) -> Ingested:
    text = item.document.text
    at = text.index(grade)
    strength = Grade("USPSTF", grade, "strong", (at, at + len(grade)))
    advice = Recommendation(
        item.document.id, 0, len(text), text, "for", (0, text.index("gout") + 4), strength=strength,
        interventions=(curie("drug"),), conditions=(curie("gout"),), **more,
    )  # fmt: skip
    return replace(item, assertions=(), recommendations=(advice,))


def statement(item: Ingested, *, asserts: bool = False) -> Statement:
    made = item.document
    citation = Citation(CitedDocument.of(made), "psg_a", (), None, 0, len(made.text), made.text)
    ids = tuple(a.id for a in item.assertions) if asserts else ()
    return Statement(made.text, "quote", "supported", None, (citation,), ids)


def found(one: Statement, *items: Ingested, pieces: bool = False) -> list[Mapping[str, Any]]:
    truth = MemoryTruth()
    for item in items:
        truth.put(item)
    offered = [
        Piece(i.document.id, i.document.text, 0, len(i.document.text)) for i in items if pieces
    ]
    result = list(agreements([one], offered, Scope(truth), NAMES))
    for agreement in result:
        for side in agreement["sides"]:
            cited = side["citation"]
            text = truth.document(cited["document"]["id"]).text
            assert text[cited["start"] : cited["end"]] == cited["quote"]
    return result


def test_two_sources_that_state_one_assertion() -> None:
    one = says("a", "drug treats gout.", "One", "2020")
    two = says("b", "People with gout are given drug with success.", "Two", "2024-05")
    (agreement,) = found(statement(one, asserts=True), one, two)
    assert (agreement["statement"], agreement["publishers"]) == (0, 2)
    assert agreement["kinds"] == ["same_assertion"]
    assert [(s["kind"], s["publisher"], s["date"]) for s in agreement["sides"]] == [
        (None, "One", "2020"), ("same_assertion", "Two", "2024-05")
    ]  # fmt: skip


def test_nearly_the_same_words_of_another_source() -> None:
    one, two = says("a", SENTENCE), says("b", "The first choice in adults with acute attacks of"
                                         " gout is drug.")  # fmt: skip
    (agreement,) = found(statement(one), one, two, pieces=True)
    assert agreement["kinds"] == ["same_words"]
    assert agreement["publishers"] == 0


def test_two_statements_that_agree_with_each_other_are_one_agreement() -> None:
    one = says("a", "drug treats gout.", "One", "2020")
    two = says("b", "People with gout are given drug with success.", "Two", "2024-05")
    truth = MemoryTruth()
    for item in (one, two):
        truth.put(item)
    both = [statement(one, asserts=True), statement(two, asserts=True)]
    (agreement,) = agreements(both, [], Scope(truth), NAMES)
    assert agreement["statement"] == 0


class Counting(MemoryTruth):
    """Counts the documents that are read whole."""

    read = 0

    def document(self, document_id: str) -> Document:
        self.read += 1
        return super().document(document_id)


def test_advice_that_cannot_agree_is_not_read() -> None:
    one = graded(says("a", "Offer drug against gout (Grade A).", "One"), "Grade A")
    truth = Counting()
    truth.put(one)
    for number in range(20):
        other = graded(says(f"b{number}", f"Offer drug for gout, {number} (Grade B)."), "Grade B")
        (advice,) = other.recommendations
        elsewhere = replace(advice, conditions=(curie("cough"),))
        truth.put(replace(other, recommendations=(elsewhere,)))
    truth.read = 0
    agreements([statement(one)], [], Scope(truth), NAMES, linker=Finds([Mentioned(curie("drug"))]))
    assert truth.read < 10


def test_other_amounts_and_denials_are_no_agreement() -> None:
    one = says("a", "Give drug 500 mg daily to adults with acute gout attacks.")
    for words in (
        "Give drug 200 mg daily to adults with acute gout attacks.",
        "Do not give drug 500 mg daily to adults with acute gout attacks.",
    ):
        assert not found(statement(one), one, says("b", words), pieces=True)


def test_the_same_text_kept_twice_is_one_source() -> None:
    one, two = says("a", SENTENCE), says("b", SENTENCE)
    assert not found(statement(one, asserts=True), one, two, pieces=True)


def test_advice_that_agrees_shows_its_grades() -> None:
    one = graded(says("a", "Offer drug against gout (Grade A).", "One"), "Grade A")
    two = graded(says("b", "Offer drug for gout (Grade B).", "Two"), "Grade B")
    assert not found(statement(one), one, two)  # no concept of the quotation is known
    agreement = with_linker(statement(one), [Mentioned(curie("drug"))], one, two)
    assert agreement["kinds"] == ["same_advice"]
    assert [s["grade"]["strength"]["raw"] for s in agreement["sides"]] == ["Grade A", "Grade B"]


def test_advice_against_is_no_agreement() -> None:
    one = graded(says("a", "Offer drug against gout (Grade A)."), "Grade A")
    two = graded(says("b", "Offer drug for gout (Grade D)."), "Grade D")
    (advice,) = two.recommendations
    two = replace(two, recommendations=(replace(advice, direction="against"),))
    assert with_linker(statement(one), [Mentioned(curie("drug"))], one, two) is None


def test_a_retracted_source_agrees_with_nobody() -> None:
    one, two = says("a", "drug treats gout."), says("b", "People with gout are given drug.")
    marked = replace(two.document.metadata, retracted="retraction")
    two = replace(two, document=replace(two.document, metadata=marked))
    assert not found(statement(one, asserts=True), one, two)


@dataclass(frozen=True, slots=True)
class Mentioned:
    concept: str


class Finds:
    def __init__(self, mentions: list[Mentioned]) -> None:
        self._mentions = mentions

    def link(self, text: str) -> tuple[Any, ...]:
        return tuple(self._mentions)


def with_linker(one: Statement, mentions: list[Mentioned], *items: Ingested) -> Any:
    truth = MemoryTruth()
    for item in items:
        truth.put(item)
    result = agreements([one], [], Scope(truth), NAMES, linker=Finds(mentions))
    return result[0] if result else None
