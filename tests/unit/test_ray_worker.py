"""What workers of a cluster do, called here without a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="the extra ray is not installed")

from kgrag.encoding.hashing import HashingEncoder
from kgrag.errors import UnreadableFile
from kgrag.ids import sha256
from kgrag.linking import Linker
from kgrag.records.text import Block
from kgrag.retrieval.index import cache_name, catch_up, indexed_text, open_states
from kgrag.stores.memory_index import MemoryIndex
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.testing.lexicon import small_lexicon
from kgrag.testing.truth_contract import sample
from kgrag_ingest.discover import Found
from kgrag_ingest.prepare import prepare, read, shape
from kgrag_ingest.ray_states import ArrivingStates
from kgrag_ingest.ray_worker import (
    Prepare,
    Row,
    Work,
    load_files,
    number_of,
    read_files,
    rows_of,
    table_of,
)
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.recipes import Recipe

TEXT = "# Heart failure\n\nAspirin does not treat heart failure.\n\nMetformin treats diabetes.\n"


class Speaking:
    """A reader that fails with the text of what it reads."""

    name, version, media_types, suffixes = "speaking", "1", ("text/plain",), (".txt",)

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        yield Reading("Aspirin.", blocks=(Block("paragraph", 0, 8),), record="1", original=b"1")
        yield UnreadableFile(uri, "the record 2 is empty")
        raise RuntimeError(f"cannot read {data.decode()}")


@pytest.fixture
def linker(tmp_path: Path) -> Linker:
    return Linker(small_lexicon(tmp_path / "lexicon.sqlite"))


def work_of(linker: Linker, known: Sequence[str] = ()) -> Work:
    numbers = np.sort(np.array([number_of(one) for one in known], dtype=np.uint64))
    return Work(
        collection="default",
        recipe=None,
        lexicon=str(linker.lexicon.path),
        shape=shape(linker, None),
        encoder="hashing",
        cache=cache_name(HashingEncoder()),
        states=False,
        known=numbers,
    )


def found_at(folder: Path, text: str) -> tuple[Found, str]:
    path = folder / "advice.md"
    path.write_text(text)
    return Found(path, path.name), sha256(text.encode())


def rows(tables: Any) -> list[Row]:
    return [row for table in tables for row in rows_of(table)]


def read_rows(item: Found, digest: str, recipe: Recipe | None = None) -> list[Row]:
    loaded = list(load_files(table_of([Row(7, "file", (item, digest))])))
    return [row for table in loaded for row in rows(read_files(table, recipe))]


def test_the_steps_give_what_a_local_run_prepares(tmp_path: Path, linker: Linker) -> None:
    item, digest = found_at(tmp_path, TEXT)
    given = read_rows(item, digest)
    assert [(row.file, row.kind) for row in given] == [(7, "read"), (7, "end")]
    done, end = rows_of(Prepare(work_of(linker))(table_of(given)))
    assert end.kind == "end"
    prepared, vectors, seconds = done.payload.prepared, done.payload.vectors, done.payload.seconds
    assert done.payload.states is None
    (one,) = read(TEXT.encode(), item, digest=digest, recipe=None, collection="default")
    assert not isinstance(one, Exception)
    here = prepare(one, linker, None)
    assert replace(prepared, seconds={}) == replace(here, seconds={})
    assert prepared.assertions and prepared.original is None
    encoder = HashingEncoder()
    for passage in prepared.passages:
        text = indexed_text(prepared.document, passage)
        assert np.allclose(vectors[sha256(text.encode())], encoder.encode([text])[0])
    assert len(vectors) == len(prepared.passages) and seconds["embed"] > 0


def test_states_come_from_the_same_pass_and_are_kept_like_those_of_a_catch_up(
    tmp_path: Path, linker: Linker
) -> None:
    encoder = HashingEncoder()
    truth, other = MemoryTruth(), MemoryTruth()
    kept = open_states(tmp_path / "kept", encoder, mode="write")
    made = open_states(tmp_path / "made", encoder, mode="write")
    arriving = ArrivingStates(truth, kept)
    worker = Prepare(replace(work_of(linker), states=True))
    passages: list[str] = []
    for text in (TEXT, TEXT.replace("diabetes", "hypertension")):  # the second replaces the first
        given = read_rows(*found_at(tmp_path, text))
        arrived = next(rows_of(worker(table_of(given)))).payload
        assert [one for one, _ in arrived.states] == [p.id for p in arrived.prepared.passages]
        passages += [one for one, _ in arrived.states]
        for store in (truth, other):
            store.put(arrived.prepared.ingested(text.encode()))
        arriving.add({arrived.prepared.document.id: arrived.states})
    assert kept.stamp == 0
    arriving.commit()
    catch_up(other, MemoryIndex(dimensions=encoder.dimensions), encoder, states=made)
    assert kept.stamp == made.stamp == truth.generation
    assert kept.count() == made.count() == len(passages) // 2
    for here, there in zip(kept.get(passages), made.get(passages), strict=True):
        assert (here is None) == (there is None)
        assert here is None or there is None or np.array_equal(here, there)

    # A document without states of its own is left to the next catch-up, and all after it.
    truth.put(sample("late.md"))
    arriving.add({})
    arriving.commit()
    assert kept.stamp < truth.generation
    kept.close()
    made.close()


def test_documents_that_the_kb_knows_are_not_embedded_again(tmp_path: Path, linker: Linker) -> None:
    given = read_rows(*found_at(tmp_path, TEXT))
    known = given[0].payload.document.id
    done = next(rows_of(Prepare(work_of(linker, ["doc_" + "0" * 24, known]))(table_of(given))))
    assert done.kind == "prepared" and done.payload.vectors == {}


def test_a_file_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    item, digest = found_at(tmp_path, TEXT)
    item.path.write_text("other words")
    refused, end = read_rows(item, digest)
    assert (refused.kind, refused.payload) == ("failed", "it changed while it was being read")
    assert end.kind == "end"


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    item, digest = found_at(tmp_path, TEXT)
    item.path.unlink()
    assert [row.kind for row in read_rows(item, digest)] == ["failed", "end"]


def test_no_word_of_a_document_leaves_with_an_error(tmp_path: Path) -> None:
    item, digest = found_at(tmp_path, "a secret diagnosis")
    recipe = Recipe(name="speaking", sha256="0", reader=Speaking())
    given = read_rows(item, digest, recipe)
    assert [row.kind for row in given] == ["read", "refused", "defect", "end"]
    assert given[1].payload == "the record 2 is empty"
    assert given[2].payload == (item.uri, "RuntimeError")
    assert "secret" not in repr(given)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"shape": "shape_other"}, "its kgrag, packages or lexicon are not those of the driver"),
        ({"cache": "hashing@other"}, "its encoder is not that of the driver"),
        ({"encoder": "hasing"}, "did you mean 'hashing'?"),
    ],
)
def test_a_worker_that_differs_says_so_and_gives_nothing(
    tmp_path: Path, linker: Linker, changed: dict[str, Any], why: str
) -> None:
    given = read_rows(*found_at(tmp_path, TEXT))
    worker = Prepare(replace(work_of(linker), **changed))
    (only,) = rows_of(worker(table_of(given)))
    assert only.kind == "problem" and why in only.payload
