"""The compiled lexicon: names by their first words, hierarchy, equivalents, retired ids."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrag.errors import NotFound, SettingsError
from kgrag.records.concepts import Concept
from kgrag.vocabulary.compile import write_lexicon
from kgrag.vocabulary.lexicon import Lexicon, Retired
from kgrag.vocabulary.names import NameTable, pairs, shelves

CONCEPTS = [
    Concept("Z:1", "zorbosis", "disease", same_as=("DOID:1", "UMLS:C0000001")),
    Concept("Z:2", "zorbian fever", "disease", parents=("Z:1",), same_as=("UMLS:C0000001",)),
    Concept("Z:3", "left zorbian fever", "disease", parents=("Z:2",)),
    Concept("Z:4", "zorb ache", "phenotype", parents=("Z:1", "Z:2", "gone:1")),
]
SPELLINGS = [(c.name, c.curie, 0, False) for c in CONCEPTS] + [
    ("zorb", "Z:1", 1, False), ("zorb", "Z:1", 0, True), ("zorb", "Z:4", 1, False),
]  # fmt: skip
RETIRED = [
    Retired("Z:90", "old zorb", ("Z:91",), "zorb"),
    Retired("Z:91", "older zorb", ("DOID:1",), "zorb"),
    Retired("Z:92", "either", ("Z:1", "Z:2"), "zorb"),
    Retired("Z:93", "gone", (), "zorb"),
    Retired("Z:94", "circle", ("Z:95",), "zorb"),
    Retired("Z:95", "circle", ("Z:94",), "zorb"),
    Retired("Z:1", "still in use", ("Z:2",), "zorb"),
]


@pytest.fixture
def lexicon(tmp_path: Path) -> Lexicon:
    path = tmp_path / "lexicon.sqlite"
    write_lexicon(path, CONCEPTS, SPELLINGS, retired=RETIRED, parts={"units": {"a": 1}})
    return Lexicon.open(path)


def test_hierarchy(lexicon: Lexicon) -> None:
    assert lexicon.parents("Z:4") == ("Z:1", "Z:2", "gone:1")
    assert lexicon.children("Z:1") == ("Z:2", "Z:4")
    assert lexicon.descendants("Z:1") == ("Z:2", "Z:4", "Z:3")
    assert lexicon.descendants("Z:1", depth=1) == ("Z:2", "Z:4")
    assert lexicon.descendants("Z:1", limit=1) == ("Z:2",)
    assert lexicon.ancestors("Z:3") == ("Z:2", "Z:1")
    assert lexicon.children("DOID:1") == ("Z:2", "Z:4")  # by any id of the concept
    assert lexicon.descendants("none:1") == lexicon.ancestors("none:1") == ()


def test_equivalents_and_ids_in_use(lexicon: Lexicon) -> None:
    assert lexicon.equivalents("DOID:1") == ("Z:1", "DOID:1", "UMLS:C0000001")
    assert lexicon.current("DOID:1") == "Z:1"
    assert lexicon.current("UMLS:C0000001") is None  # stands at two concepts
    assert lexicon.equivalents("none:1") == ()


def test_retired_ids_lead_to_their_one_replacement(lexicon: Lexicon) -> None:
    assert lexicon.current("Z:90") == "Z:1"  # over another retired id and a cross-walk
    assert lexicon.concept("Z:90").name == "zorbosis"
    assert "Z:90" in lexicon
    assert lexicon.retired("Z:90") == RETIRED[0]
    for nowhere in ("Z:92", "Z:93", "Z:94", "Z:95"):
        assert lexicon.current(nowhere) is None
        assert lexicon.retired(nowhere) is not None
        with pytest.raises(NotFound):
            lexicon.concept(nowhere)
    assert lexicon.retired("Z:1") is None  # an id in use is not retired
    assert [record.curie for record in lexicon.all_retired()] == [
        "Z:90", "Z:91", "Z:92", "Z:93", "Z:94", "Z:95",
    ]  # fmt: skip


def test_of_two_kinds_of_one_name_the_better_holds(lexicon: Lexicon) -> None:
    assert [(c.curie, c.kind, c.cased) for c in lexicon.names("zorb")] == [
        ("Z:1", 0, True), ("Z:4", 1, False),
    ]  # fmt: skip


def test_parts(lexicon: Lexicon) -> None:
    assert lexicon.part("units") == {"a": 1}
    assert lexicon.part("none") is None


def test_the_hash_is_of_the_content_alone(tmp_path: Path) -> None:
    one = write_lexicon(tmp_path / "1", CONCEPTS, SPELLINGS, registry=[{"id": "a"}])
    other = write_lexicon(tmp_path / "2", reversed(CONCEPTS), reversed(SPELLINGS))
    assert one == other
    less = write_lexicon(tmp_path / "3", CONCEPTS, SPELLINGS[:-1])
    retired = write_lexicon(tmp_path / "4", CONCEPTS, SPELLINGS, retired=RETIRED)
    assert len({one, less, retired}) == 3


def test_a_failed_writing_leaves_the_older_lexicon(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.sqlite"
    before = write_lexicon(path, CONCEPTS, SPELLINGS)
    with pytest.raises(KeyError):
        write_lexicon(path, CONCEPTS, [("zorb", "no such concept", 0, False)])
    with Lexicon.open(path) as lexicon:
        assert lexicon.sha256 == before
    assert [p.name for p in tmp_path.iterdir()] == ["lexicon.sqlite"]


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(SettingsError, match="is no lexicon"):
        Lexicon.open(path)
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE meta (name, value); INSERT INTO meta VALUES ('format', '1');"
        )
    connection.close()
    with pytest.raises(SettingsError, match="another format"):
        Lexicon.open(path)


WORDS = st.text("abc 1", min_size=1, max_size=6)
NAMES = st.lists(WORDS, unique=True, max_size=30)


@given(NAMES, st.lists(WORDS, max_size=20))
def test_loading_by_words_finds_what_the_whole_index_has(
    names: list[str], words: list[str]
) -> None:
    ordered = sorted(names)
    table = NameTable(*shelves(ordered)[:2])
    whole = {name: at for at, name in enumerate(ordered)}
    assert list(table) == ordered
    asked = [word.partition(" ")[0] for word in words]
    table.load(asked[:3])
    table.load(asked)
    expected = {name: at for name, at in whole.items() if name.partition(" ")[0] in set(asked)}
    assert {name: at for name, at in table.index.items() if name in expected} == expected
    assert set(table.index) <= set(whole)
    assert all(pairs(names).get(pair) == most for pair, most in table.pairs.items() if most)
    assert set(pairs(expected)) <= set(table.pairs)


def test_words_whose_hashes_collide_are_told_apart() -> None:
    # "plumless" and "buckeroo" have one CRC-32.
    table = NameTable(*shelves(["buckeroo a", "plumless", "plumless b"])[:2])
    table.load(["plumless"])
    assert table.index["plumless"] == 1
    assert table.pairs["plumless b"] == 2


def test_threads_may_load_at_once() -> None:
    names = sorted(f"w{at} x{at}" for at in range(2000))
    table = NameTable(*shelves(names)[:2])
    threads = [
        threading.Thread(target=lambda s=s: table.load([f"w{at}" for at in range(s, 2000, 3)]))
        for s in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert table.index == {name: at for at, name in enumerate(names)}
