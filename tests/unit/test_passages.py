"""How documents are cut."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kgrag.records.text import Document, Source
from kgrag_ingest.passages import LIMIT, passages
from kgrag_ingest.readers.build import TextBuilder

BARE = Document("doc_1", Source("c", "a"), "a.md", "text/markdown", "0", "markdown/1", "")


def built(builder: TextBuilder) -> Document:
    reading = builder.build()
    return replace(
        BARE,
        text=reading.text,
        blocks=reading.blocks,
        sections=reading.sections,
        pages=reading.pages,
    )


def test_a_passage_stays_in_one_section_and_begins_with_its_heading() -> None:
    builder = TextBuilder()
    builder.heading(1, "Asthma")
    builder.heading(2, "Treatment")
    builder.paragraph("Give an inhaled corticosteroid.")
    builder.heading(2, "Follow-up")
    builder.paragraph("See the patient again in four weeks.")
    document = built(builder)
    first, second = passages(document)
    assert document.text[first.start : first.end].startswith("Asthma")
    assert first.section == ("Asthma",)
    assert document.text[second.start : second.end].startswith("Follow-up")
    assert second.section == ("Asthma", "Follow-up")


def test_references_are_not_indexed() -> None:
    builder = TextBuilder()
    builder.paragraph("Text that matters.")
    builder.reference("Smith J. A paper. 2001.")
    document = built(builder)
    assert [document.text[p.start : p.end] for p in passages(document)] == ["Text that matters."]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["heading", "paragraph", "list_item"]),
            st.text(alphabet="abc. ", min_size=1, max_size=2500),
        ),
        max_size=12,
    )
)
def test_every_block_with_a_body_is_covered_once(items: list[tuple[str, str]]) -> None:
    builder = TextBuilder()
    for kind, text in items:
        if kind == "heading":
            builder.heading(1, text[:60])
        elif kind == "paragraph":
            builder.paragraph(text)
        else:
            builder.list_item(text)
    document = built(builder)
    found = passages(document)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(0 < p.end - p.start <= LIMIT for p in found)
    covered = {i for p in found for i in range(p.start, p.end)}
    for block in document.blocks:
        if block.kind != "heading":
            missing = [i for i in range(block.start, block.end) if i not in covered]
            assert all(document.text[i].isspace() for i in missing)
