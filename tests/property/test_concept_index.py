"""The index of concepts after any history, in any steps, is that of a rebuild; removal is whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgrag.retrieval.concepts_arrays import (
    FILE,
    ConceptArrays,
    Noted,
    Posted,
    build,
    exchange,
    load,
)
from kgrag.retrieval.concepts_index import (
    FOLDER,
    ConceptIndex,
    Following,
    build_concepts,
    catch_up,
    keep_concepts,
    open_concepts,
)
from kgrag.stores.base import Filters, Ingested, TruthStore
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.stores.sql import open_truth
from kgrag.testing.truth_contract import sample

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MORE = settings(max_examples=150, deadline=None)

# A document's passages, each with what it mentions: concept, count, denied.
PASSAGE = st.dictionaries(
    st.sampled_from(["A:1", "A:22", "B:333", "C:4444"]),
    st.tuples(st.integers(1, 3), st.integers(0, 1)),
    max_size=3,
)
DOCUMENT = st.tuples(st.sampled_from(["own", "other-one"]), st.lists(PASSAGE, max_size=3))
NAMES = st.sampled_from(["doc_a", "doc_b", "doc_c", "doc_dd", "doc_eee"])
WORLD = st.dictionaries(NAMES, DOCUMENT, max_size=5)
CHANGE = st.dictionaries(NAMES, st.none() | DOCUMENT, min_size=1, max_size=3)


def told(name: str, document: Any) -> Noted:
    collection, passages = document
    names = tuple(f"psg_{name}_{'x' * at}{at}" for at in range(len(passages)))
    postings = tuple(
        Posted(passage, concept, count, denied)
        for passage, mentions in zip(names, passages, strict=True)
        for concept, (count, denied) in mentions.items()
    )
    return Noted(collection, names, postings)


def built(world: dict[str, Any]) -> ConceptArrays:
    return build({name: told(name, document) for name, document in world.items()})


@MORE
@given(WORLD, st.lists(CHANGE, min_size=1, max_size=4))
def test_exchanging_documents_gives_the_arrays_of_a_rebuild(
    world: dict[str, Any], changes: list[dict[str, Any]]
) -> None:
    arrays = built(world)
    for change in changes:
        before = built(world)
        following = exchange(
            arrays, {n: None if d is None else told(n, d) for n, d in change.items()}
        )
        assert arrays.equals(before)  # the old ones are as they were
        merged = {**world, **change}
        world = {name: document for name, document in merged.items() if document is not None}
        arrays = following
        assert arrays.equals(built(world))
        # Also the widths of the names: a longer name that went leaves no wider column behind.
        assert arrays.passages.dtype == built(world).passages.dtype


STEPS = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from(["put", "deny", "remove"]), st.integers(1, 3)
    ),
    max_size=8,
)


def step(truth: TruthStore, name: str, what: str, edition: int) -> None:
    item = sample(f"{name}.md", edition=edition)
    if what == "remove":
        current = truth.current(item.document.source)
        if current is not None:
            truth.remove(current.id)
        return
    truth.put(denied(item) if what == "deny" else item)


def denied(item: Ingested) -> Ingested:
    return replace(item, mentions=tuple(replace(m, negated=True) for m in item.mentions))


@FEW
@given(STEPS, STEPS)
def test_catching_up_is_rebuilding(
    first: list[tuple[str, str, int]], then: list[tuple[str, str, int]]
) -> None:
    truth = MemoryTruth()
    for one in first:
        step(truth, *one)
    index = build_concepts(truth)
    follow = Following(truth)
    assert follow().arrays.equals(index.arrays)
    for one in then:
        step(truth, *one)
    caught, rebuilt = catch_up(index, truth), build_concepts(truth)
    assert caught.arrays.equals(rebuilt.arrays)
    assert caught.stamp == rebuilt.stamp == truth.generation
    assert follow().arrays.equals(rebuilt.arrays)
    live = {p.id for info in truth.documents() for p in truth.passages(info.id)}
    assert {name.decode() for name in caught.arrays.passages.tolist()} == live


def test_the_postings_are_those_of_the_truth() -> None:
    truth = MemoryTruth()
    truth.put(sample("a.md"))
    truth.put(denied(sample("b.md", words=("Aspirin", "gout"))))
    index = build_concepts(truth)
    names = index.arrays.concepts.tolist()
    concepts = [name.decode() for name in names]
    posted = {
        (index.passage_name(int(index.passage[row])), concept)
        for number, concept in enumerate(concepts)
        for row in index.rows_with(number)
    }
    assert posted == set(truth.passages_with_concepts(concepts))
    for number, concept in enumerate(concepts):
        rows = index.rows_with(number)
        assert index.frequency(concept) == len(rows) > 0
        for row in rows.tolist():
            passage = truth.passages_by_id([index.passage_name(int(index.passage[row]))])
            [(where, _)] = passage.values()
            inside = [
                m.negated or m.absent
                for m in truth.mentions(where.document_id)
                if where.start <= m.start and m.end <= where.end and m.concept == concept
            ]
            assert index.arrays.count[row] == len(inside)
            assert index.arrays.denied[row] == sum(inside)


def test_removal_leaves_nothing_of_the_document_in_the_file(tmp_path: Path) -> None:
    truth = open_truth(tmp_path, mode="write", create=True)
    kept, other = sample("kept.md"), sample("gone.md", words=("Warfarin", "scurvy"))
    mentions = tuple(replace(m, concept=f"X:{m.concept[-4:]}") for m in other.mentions)
    gone = replace(other, mentions=mentions, assertions=(), recommendations=())
    truth.put(kept)
    truth.put(gone)
    folder = tmp_path / "concepts"
    before = open_concepts(truth, folder, write=True)
    there = (folder / FILE).read_bytes()
    only = {m.concept for m in gone.mentions} - {m.concept for m in kept.mentions}
    wanted = [gone.document.id, *(p.id for p in gone.passages), *only]
    assert only
    assert all(name.encode() in there for name in wanted)
    truth.remove(gone.document.id)
    after = open_concepts(truth, folder, write=True)
    assert after.stamp > before.stamp
    assert [f.name for f in folder.iterdir()] == [FILE]
    left = (folder / FILE).read_bytes()
    assert not any(name.encode() in left for name in wanted)
    assert all(p.id.encode() in left for p in kept.passages)
    truth.close()


def test_the_folder_is_kept_for_the_parts_that_read_it_and_else_gone(tmp_path: Path) -> None:
    truth = MemoryTruth()
    truth.put(sample("a.md"))
    keep_concepts(truth, tmp_path, ("bm25", "dense"))
    assert not list(tmp_path.iterdir())
    keep_concepts(truth, tmp_path, ("bm25", "graph"))
    assert open_concepts(truth, tmp_path / FOLDER).stamp == truth.generation
    truth.put(sample("b.md"))
    keep_concepts(truth, tmp_path, ("bm25", "graph"))
    assert ConceptIndex(*load(tmp_path / FOLDER)).stamp == truth.generation
    keep_concepts(truth, tmp_path, ("bm25", "dense"))
    assert not list(tmp_path.iterdir())


def test_what_is_saved_is_opened_and_what_is_damaged_is_made_again(tmp_path: Path) -> None:
    truth = MemoryTruth()
    truth.put(sample("a.md"))
    made = open_concepts(truth, tmp_path, write=True)
    again = open_concepts(truth, tmp_path)
    assert again.stamp == made.stamp
    assert again.arrays.equals(made.arrays)
    whole = (tmp_path / FILE).read_bytes()
    for bytes_ in (b"", whole[:100], whole[: len(whole) // 2], b"PK\x03\x04nothing"):
        (tmp_path / FILE).write_bytes(bytes_)
        assert open_concepts(truth, tmp_path).arrays.equals(made.arrays)
    # A reader writes nothing.
    assert (tmp_path / FILE).read_bytes() == b"PK\x03\x04nothing"


def test_a_flipped_bit_is_no_other_error_and_no_other_content(tmp_path: Path) -> None:
    truth = MemoryTruth()
    truth.put(sample("a.md"))
    made = open_concepts(truth, tmp_path, write=True)
    whole = (tmp_path / FILE).read_bytes()
    for at in range(0, len(whole), 3):
        changed = bytearray(whole)
        changed[at] ^= 1 << (at // 3 % 8)
        (tmp_path / FILE).write_bytes(changed)
        try:
            found, stamp = load(tmp_path)
        except ValueError:
            continue
        assert (stamp, found.equals(made.arrays)) == (made.stamp, True)


def test_what_a_killed_save_left_is_gone_with_the_next(tmp_path: Path) -> None:
    truth = MemoryTruth()
    truth.put(sample("a.md"))
    (tmp_path / ".concepts-killed.npz").write_bytes(b"names of what was removed since")
    open_concepts(truth, tmp_path, write=True)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_an_index_ahead_of_the_truth_is_made_again() -> None:
    truth = MemoryTruth()
    truth.put(sample("a.md"))
    ahead = ConceptIndex(build({}), truth.generation + 5)
    assert catch_up(ahead, truth).arrays.equals(build_concepts(truth).arrays)


@pytest.mark.parametrize("kind", ["collections", "documents", "without_documents"])
def test_filters_let_through_whole_documents(kind: str) -> None:
    truth = MemoryTruth()
    one, other = sample("a.md", collection="own"), sample("b.md", collection="else")
    truth.put(one)
    truth.put(other)
    index = build_concepts(truth)
    given_ = {
        "collections": Filters(collections=("own",)),
        "documents": Filters(documents=(one.document.id,)),
        "without_documents": Filters(without_documents=(other.document.id,)),
    }[kind]
    admitted = index.admitted(given_)
    assert admitted is not None
    through = {index.passage_name(int(at)) for at in np.flatnonzero(admitted)}
    assert through == {p.id for p in one.passages}
    assert index.admitted(Filters()) is None
