"""The index after any history, in any number of steps, is that of a rebuild."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kgrag.errors import BadQuestion, KnowledgeBaseError
from kgrag.ids import document_id, passage_id, sha256
from kgrag.records.question import Selection
from kgrag.records.text import Document, Metadata, Passage, Source
from kgrag.retrieval import index as indexing
from kgrag.retrieval.passages import HybridRetriever
from kgrag.stores.base import Change, DocumentInfo, TruthStore
from kgrag.stores.memory_index import MemoryIndex

DIMENSIONS = 8


class HashEncoder:
    """A text's own random direction; counts what it is asked."""

    name, sha256, dimensions = "test-hash", "0" * 64, DIMENSIONS

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded += len(texts)
        rows = [
            np.random.default_rng(int(sha256(t.encode())[:12], 16)).standard_normal(DIMENSIONS)
            for t in texts
        ]
        made = np.array(rows).reshape(len(texts), DIMENSIONS)
        return cast(
            "NDArray[np.float32]",
            (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32),
        )


class History:
    """The part of a truth store that the index reads: documents that come, change and go."""

    def __init__(self) -> None:
        self.log: list[Change] = []
        self.all: dict[str, Document] = {}
        self.current: dict[str, str] = {}
        self.cache: dict[str, NDArray[np.float32]] = {}
        self.owners: dict[str, set[str]] = {}

    @property
    def generation(self) -> int:
        return self.log[-1].generation if self.log else 0

    def put(self, source: str, version: int) -> None:
        text = f"source {source} says {version}.\n\nshared sentence on aspirin {version % 2}."
        made = document_id("c", source, str(version), "test/1")
        if self.current.get(source) == made:
            return
        self.all[made] = Document(
            made,
            Source("c", source),
            source,
            "text/plain",
            "",
            "test/1",
            text,
            Metadata(title=f"Title {source}"),
        )
        self.retire(source)
        self.current[source] = made
        self.log.append(Change(self.generation + 1, "add", made))

    def retire(self, source: str) -> None:
        old = self.current.pop(source, None)
        if old is not None:
            self.log.append(Change(self.generation + 1, "retire", old))

    def changes(self, since: int) -> Iterator[Change]:
        return (c for c in self.log if c.generation > since)

    def document(self, identifier: str) -> Document:
        return self.all[identifier]

    def info(self, identifier: str) -> DocumentInfo:
        d = self.all[identifier]
        status = "current" if identifier in self.current.values() else "replaced"
        return DocumentInfo(
            d.id, d.source, d.uri, d.title, d.metadata, cast("Any", status), len(d.text), 1
        )

    def passages(self, identifier: str) -> tuple[Passage, ...]:
        text = self.all[identifier].text
        cut = text.index("\n\n")
        return tuple(
            Passage(passage_id(identifier, a, b), identifier, a, b)
            for a, b in ((0, cut), (cut + 2, len(text)))
        )

    def passages_by_id(self, ids: Sequence[str]) -> Mapping[str, tuple[Passage, str]]:
        return {
            p.id: (p, d.text[p.start : p.end])
            for d in self.all.values()
            for p in self.passages(d.id)
            if p.id in ids
        }

    def embeddings(self, encoder: str, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        return {k: self.cache[k] for k in keys if k in self.cache}

    def put_embeddings(
        self, encoder: str, vectors: Mapping[str, Any], *, owners: Mapping[str, Sequence[str]]
    ) -> None:
        self.cache.update(vectors)
        for key, ids in owners.items():
            self.owners.setdefault(key, set()).update(ids)


def catch_up(truth: History, index: MemoryIndex, encoder: HashEncoder) -> int:
    return indexing.catch_up(cast("TruthStore", truth), index, encoder)


def content(index: MemoryIndex) -> dict[str, tuple[str, bytes, tuple[tuple[int, float], ...]]]:
    return {
        key: (p.document_id, p.vector.tobytes(), tuple(sorted(p.terms.items())))
        for key, p in index._points.items()
    }


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("xyz"), st.integers(0, 3)),
        st.tuples(st.just("retire"), st.sampled_from("xyz"), st.just(0)),
        st.just(("catch_up", "", 0)),
        st.just(("killed", "", 0)),
    ),
    max_size=25,
)


class Killed(MemoryIndex):
    """Ends the process's work at the first commit."""

    def commit(self, stamp: int) -> None:
        raise KeyboardInterrupt


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_any_history_equals_a_rebuild(steps: list[tuple[str, str, int]]) -> None:
    truth, index, encoder = History(), MemoryIndex(dimensions=DIMENSIONS), HashEncoder()
    for op, source, version in steps:
        if op == "put":
            truth.put(source, version)
        elif op == "retire":
            truth.retire(source)
        elif op == "catch_up":
            catch_up(truth, index, encoder)
        elif truth.generation > index.stamp:
            # Points of an unfinished run are there, its stamp is not: the worst that can be left.
            half = Killed(dimensions=DIMENSIONS)
            half._points, half._stamp = dict(index._points), index._stamp
            with pytest.raises(KeyboardInterrupt):
                catch_up(truth, half, encoder)
            index._points, index._matrix = half._points, None
    catch_up(truth, index, encoder)
    rebuilt = MemoryIndex(dimensions=DIMENSIONS)
    before = encoder.encoded
    catch_up(truth, rebuilt, encoder)
    assert encoder.encoded == before  # every embedding came from the cache
    assert content(index) == content(rebuilt)
    assert index.stamp == rebuilt.stamp == truth.generation
    assert {p.document_id for p in index._points.values()} == set(truth.current.values())
    for point in index._points.values():
        passage, _ = truth.passages_by_id([point.passage_id])[point.passage_id]
        text = indexing.indexed_text(truth.document(point.document_id), passage)
        assert point.document_id in truth.owners[sha256(text.encode())]


def test_commits_on_the_way_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "EMBED_BATCH", 2)
    monkeypatch.setattr(indexing, "COMMIT_EVERY", 4)
    truth = History()
    for at in range(10):
        truth.put(f"s{at}", at)
    stamps: list[int] = []

    class Watched(MemoryIndex):
        def commit(self, stamp: int) -> None:
            super().commit(stamp)
            stamps.append(stamp)
            held = {p.document_id for p in self._points.values()}
            assert {c.document_id for c in truth.log if c.generation <= stamp} <= held

    index = Watched(dimensions=DIMENSIONS)
    assert catch_up(truth, index, HashEncoder()) == 20
    assert len(stamps) > 2
    assert stamps == sorted(stamps)
    assert stamps[-1] == 10


def test_an_index_ahead_of_its_truth_is_refused() -> None:
    index = MemoryIndex(dimensions=DIMENSIONS)
    index.commit(5)
    with pytest.raises(KnowledgeBaseError, match="generation 5"):
        catch_up(History(), index, HashEncoder())


def test_search_gives_current_text_only_even_when_the_index_is_behind() -> None:
    truth, index, encoder = History(), MemoryIndex(dimensions=DIMENSIONS), HashEncoder()
    for source in "xyz":
        truth.put(source, 1)
    catch_up(truth, index, encoder)
    retriever = HybridRetriever(cast("TruthStore", truth), index, encoder)
    first = retriever.candidates("What does source x say?", limit=3)
    assert first[0].hit.text == "source x says 1."
    assert first[0].bm25 is not None
    assert first[0].hit.document.title == "Title x"
    assert [c.hit.score for c in first] == sorted((c.hit.score for c in first), reverse=True)
    truth.put("x", 2)
    every = Selection(repeats=True)
    stale = retriever.search("What does source x say?", limit=20, selection=every)
    assert len(stale) == 4
    assert all(h.document.id in truth.current.values() for h in stale)
    assert retriever.search("aspirin", selection=Selection(collections=("other",))) == []
    for h in stale:
        assert truth.document(h.document.id).text[h.start : h.end] == h.text


@pytest.mark.parametrize("question", ["", "  \n", "?!", "x" * 4001])
def test_questions_that_cannot_be_asked(question: str) -> None:
    nothing = cast("Any", SimpleNamespace())
    with pytest.raises(BadQuestion):
        HybridRetriever(nothing, nothing, nothing).search(question)
