"""The index after any history, in any number of steps, is that of a rebuild."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kgrag.encoding.hashing import unit_rows
from kgrag.encoding.late import StateCode
from kgrag.errors import BadQuestion, BrokenInvariant, KnowledgeBaseError
from kgrag.ids import document_id, passage_id, sha256
from kgrag.records.question import Selection
from kgrag.records.text import Document, Metadata, Passage, Source
from kgrag.retrieval import index as indexing
from kgrag.retrieval.passages import HybridRetriever
from kgrag.stores.base import Change, DocumentInfo, Point, TruthStore
from kgrag.stores.memory_index import MemoryIndex
from kgrag.stores.tokens import TokenStates

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
        return unit_rows(np.array(rows, dtype=np.float32).reshape(len(texts), DIMENSIONS))


class WordEncoder(HashEncoder):
    """Gives token states too: of each word the vector of that word."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def encode_tokens(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        self.read.extend(texts)
        return [HashEncoder().encode(text.split()) for text in texts]


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

    def documents(self, *, collection: str | None = None) -> Iterator[DocumentInfo]:
        every = (self.info(name) for name in sorted(self.current.values()))
        return (i for i in every if collection in (None, i.source.collection))

    def infos(self, ids: Sequence[str]) -> Mapping[str, DocumentInfo]:
        return {name: self.info(name) for name in ids if name in self.all}

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


def catch_up(
    truth: History, index: MemoryIndex, encoder: HashEncoder, states: TokenStates | None = None
) -> int:
    return indexing.catch_up(cast("TruthStore", truth), index, encoder, states=states)


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


def held(truth: History, states: TokenStates) -> dict[str, bytes | None]:
    """The packed states of every passage that ever was, by its id; None where none are kept."""
    names = [p.id for d in truth.all for p in truth.passages(d)]
    return {
        name: None if codes is None else codes.tobytes()
        for name, codes in zip(names, states.get(names), strict=True)
    }


@settings(deadline=None, max_examples=40)
@given(STEPS)
def test_token_states_after_any_history_are_those_of_a_rebuild(
    steps: list[tuple[str, str, int]],
) -> None:
    truth, index, encoder = History(), MemoryIndex(dimensions=DIMENSIONS), WordEncoder()
    with TemporaryDirectory() as folder:
        states = indexing.open_states(Path(folder) / "a", encoder, mode="write")
        for op, source, version in steps:
            if op == "put":
                truth.put(source, version)
            elif op == "retire":
                truth.retire(source)
            elif op == "catch_up":
                catch_up(truth, index, encoder, states)
            elif truth.generation > index.stamp:
                # The index is ahead of the states, as when the states were not kept at first.
                catch_up(truth, index, encoder)
                states.close()
                states = indexing.open_states(Path(folder) / "a", encoder, mode="write")
        catch_up(truth, index, encoder, states)
        rebuilt = indexing.open_states(Path(folder) / "b", encoder, mode="write")
        catch_up(truth, index, encoder, rebuilt)
        assert held(truth, states) == held(truth, rebuilt)
        assert states.stamp == rebuilt.stamp == index.stamp == truth.generation
        current = {p.id for d in truth.current.values() for p in truth.passages(d)}
        assert {name for name, codes in held(truth, states).items() if codes} == current
        code = StateCode(DIMENSIONS)
        for identifier in truth.current.values():
            for passage in truth.passages(identifier):
                text = indexing.indexed_text(truth.document(identifier), passage)
                wanted = code.pack(encoder.encode_tokens([text])[0])
                assert held(truth, states)[passage.id] == wanted.tobytes()
        assert {p.document_id for p in index._points.values()} == set(truth.current.values())
        states.close()
        rebuilt.close()


def test_states_are_committed_on_the_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(indexing, "EMBED_BATCH", 4)
    monkeypatch.setattr(indexing, "STATES_EVERY", 6)
    truth, encoder = History(), WordEncoder()
    for at in range(12):
        truth.put(f"s{at}", at)

    class Stopped(MemoryIndex):
        def upsert(self, points: Iterable[Point]) -> None:
            if self.count() >= 16:
                raise KeyboardInterrupt
            super().upsert(points)

    states = indexing.open_states(tmp_path, encoder, mode="write")
    with pytest.raises(KeyboardInterrupt):
        catch_up(truth, Stopped(dimensions=DIMENSIONS), encoder, states)
    states.close()
    states = indexing.open_states(tmp_path, encoder, mode="write")
    kept = states.count()
    assert 12 <= kept < 24
    assert 0 < states.stamp < truth.generation
    encoder.read.clear()
    catch_up(truth, MemoryIndex(dimensions=DIMENSIONS), encoder, states)
    assert states.count() == 24
    assert len(encoder.read) == 24 - kept  # what was kept is not read again
    states.close()


def test_an_encoder_without_token_states_is_told_so(tmp_path: Path) -> None:
    truth, encoder = History(), HashEncoder()
    truth.put("x", 1)
    states = indexing.open_states(tmp_path, encoder, mode="write")
    with pytest.raises(BrokenInvariant, match="no token states"):
        catch_up(truth, MemoryIndex(dimensions=DIMENSIONS), encoder, states)
    states.close()


def test_states_ahead_of_their_truth_are_refused(tmp_path: Path) -> None:
    encoder = WordEncoder()
    states = indexing.open_states(tmp_path, encoder, mode="write")
    states.commit(5)
    with pytest.raises(KnowledgeBaseError, match="token states are of generation 5"):
        catch_up(History(), MemoryIndex(dimensions=DIMENSIONS), encoder, states)
    states.close()


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
    with pytest.raises(BadQuestion, match="collection 'other'"):
        retriever.search("aspirin", selection=Selection(collections=("other",)))
    for h in stale:
        assert truth.document(h.document.id).text[h.start : h.end] == h.text


@pytest.mark.parametrize("question", ["", "  \n", "?!", "x" * 4001])
def test_questions_that_cannot_be_asked(question: str) -> None:
    nothing = cast("Any", SimpleNamespace())
    with pytest.raises(BadQuestion):
        HybridRetriever(nothing, nothing, HashEncoder()).search(question)
