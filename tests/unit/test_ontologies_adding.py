"""Adding, replacing, removing and checking vocabularies: in a cache of its own, no packages."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from vocabulary_files import OBO, STORIES, write_obo

from kgrag.errors import KgragError, NotFound, SettingsError, UnreadableFile
from kgrag.linking import Linker
from kgrag.vocabulary.compile import write_lexicon
from kgrag.vocabulary.lexicon import Lexicon, default_path
from kgrag.vocabulary.registry import NO_LICENCE, listing
from kgrag_ingest.ontologies import added
from kgrag_ingest.ontologies.adding import Stated, add, remove
from kgrag_ingest.ontologies.base import Entry, Link, Name, Vocabulary
from kgrag_ingest.ontologies.build import DEFAULTS
from kgrag_ingest.ontologies.check import Finding, check
from kgrag_ingest.ontologies.cli import is_current
from kgrag_ingest.ontologies.loaders.base import Options


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("KGRAG_CACHE", str(folder))
    return folder


@pytest.fixture
def obo(tmp_path: Path) -> Path:
    return write_obo(tmp_path)


def record(identifier: str) -> dict[str, object]:
    return next(dict(r) for r in listing() if r["id"] == identifier)


def errors(found: tuple[Finding, ...]) -> list[str]:
    return [f"{f.about}: {f.what}" for f in found if f.level == "error"]


def state() -> dict[str, bytes]:
    root = default_path().parent
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_adding_tells_what_was_added(obo: Path) -> None:
    outcome = add(obo)
    assert outcome.state == "added"
    assert not outcome.defaults
    known = record("zorb")
    assert known["name"] == "Zorb Ontology"
    assert known["licence"] == "https://example.org/licence"
    assert known["kind"] == "obo"
    assert known["origin"] == str(obo)
    assert known["version"] == "releases/2026-09-01"
    assert known["date"] == "2026-09-01"
    assert len(str(known["sha256"])) == 64
    assert known["counts"]["entries"] == 2  # type: ignore[index]


def test_what_was_added_is_in_the_lexicon(obo: Path) -> None:
    add(obo, options=Options(type="disease"))
    with Lexicon.open() as lexicon:
        (candidate,) = lexicon.names("marsh zorb")
        assert (candidate.curie, candidate.type) == ("ZORB:0000001", "disease")
        assert lexicon.parents("ZORB:0000001") == ("ZORB:0000002",)
        assert lexicon.current("ZORB:0000003") == "ZORB:0000001"
        assert lexicon.current("ZORB:0000011") == "ZORB:0000001"
        assert lexicon.names("swamp zorb")[0].curie == "ZORB:0000001"
        assert lexicon.current("ZORB:0000004") is None
        assert "ZORB:0000011" not in lexicon.equivalents("ZORB:0000001")
        assert lexicon.names("colonoscopy")  # kgrag's own terms stand beside it


def test_a_name_that_every_sentence_holds_is_no_mention(tmp_path: Path) -> None:
    path = tmp_path / "common.obo"
    terms = "".join(
        f"\n[Term]\nid: COM:{at}\nname: {name}\nis_a: COM:{1 - at}\n"
        for at, name in enumerate(["the", "marsh zorb"])
    )
    path.write_text(f"format-version: 1.2\nontology: common\n{terms}")  # a cycle, too
    add(path, stated=Stated(licence="CC0-1.0"), options=Options(type="disease"))
    with Lexicon.open() as lexicon:
        mentions = Linker(lexicon).link("The fever of the marsh zorb.")
    assert [m.concept for m in mentions if m.concept.startswith("COM")] == ["COM:1"]


def test_adding_again_changes_nothing(obo: Path) -> None:
    add(obo)
    before = state()
    assert add(obo).state == "unchanged"
    assert state() == before


def test_a_newer_file_replaces_the_older(obo: Path) -> None:
    add(obo)
    obo.write_text(OBO.replace("zorbosis", "zorbitis"))
    assert add(obo).state == "replaced"
    with Lexicon.open() as lexicon:
        assert not lexicon.names("zorbosis")
        assert lexicon.names("zorbitis")


def test_the_order_of_adding_does_not_matter(
    tmp_path: Path, obo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = STORIES["mesh"][0](tmp_path)
    add(obo, options=Options(type="disease"))
    add(mesh)
    with Lexicon.open() as lexicon:
        one = lexicon.sha256
        assert lexicon.current("ZORB:0000001") == "MESH:D990001"
    monkeypatch.setenv("KGRAG_CACHE", str(tmp_path / "other"))
    add(mesh)
    add(obo, options=Options(type="disease"))
    with Lexicon.open() as lexicon:
        assert lexicon.sha256 == one


def test_removing_gives_the_lexicon_from_before(tmp_path: Path, obo: Path) -> None:
    add(STORIES["mesh"][0](tmp_path))
    with Lexicon.open() as lexicon:
        before = lexicon.sha256
    add(obo)
    remove("zorb")
    with Lexicon.open() as lexicon:
        assert lexicon.sha256 == before
    assert added.names() == ("mesh",)
    with pytest.raises(NotFound, match="added: mesh"):
        remove("zorb")


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff" * 99, b"[Term]\nname: nobody\n"], ids=["empty", "binary", "no id"]
)
def test_a_bad_file_changes_nothing(obo: Path, content: bytes) -> None:
    add(obo)
    before = state()
    obo.write_bytes(content)
    with pytest.raises(UnreadableFile):
        add(obo)
    assert state() == before


def test_an_error_while_writing_changes_nothing(obo: Path) -> None:
    add(obo)
    before = state()
    in_the_way = default_path().with_name("lexicon.sqlite.part")
    in_the_way.mkdir()
    obo.write_text(OBO.replace("zorbosis", "zorbitis"))
    with pytest.raises(OSError, match="part"):
        add(obo)
    in_the_way.rmdir()
    assert state() == before


def test_the_id_of_a_default_vocabulary_is_refused(obo: Path) -> None:
    add(obo)
    with pytest.raises(SettingsError, match="default vocabulary"):
        add(obo, stated=Stated(id="kgrag"))
    with pytest.raises(SettingsError, match="cannot be the id"):
        add(obo, stated=Stated(id="../x"))


def test_what_the_user_states_comes_first(obo: Path) -> None:
    add(obo, stated=Stated(id="mine", name="My zorbs", version="7", licence="CC0"))
    known = record("mine")
    assert (known["name"], known["version"], known["licence"]) == ("My zorbs", "7", "CC0")


@pytest.mark.parametrize("kind", sorted(STORIES))
def test_every_kind_can_be_added_and_checked(kind: str, tmp_path: Path) -> None:
    if kind == "sssom":
        add(STORIES["mesh"][0](tmp_path))
    path = STORIES[kind][0](tmp_path)
    assert add(path, stated=Stated(licence="CC0")).state == "added"
    assert errors(check()) == []


def test_a_licence_that_the_user_needs_is_shown(tmp_path: Path) -> None:
    add(STORIES["snomedct"][0](tmp_path))
    known = record("snomedct")
    assert known["needs_licence"] is True
    assert "Affiliate" in str(known["licence"])
    assert any("licence of your own" in f.what for f in check() if f.level == "note")


def test_a_missing_licence_is_an_error_of_check(tmp_path: Path) -> None:
    add(STORIES["table"][0](tmp_path))
    assert record("zorb")["licence"] == NO_LICENCE
    assert errors(check()) == ["zorb: its licence is not stated; add it again with --licence"]


def test_check_finds_a_changed_lexicon(obo: Path) -> None:
    add(obo)
    assert errors(check()) == []
    with sqlite3.connect(default_path()) as connection:
        connection.execute("UPDATE concept SET name = 'x' WHERE curie = 'ZORB:0000001'")
    connection.close()
    assert any(line.startswith("lexicon: its content has sha256") for line in errors(check()))


def test_check_finds_a_kept_copy_that_changed_or_went(obo: Path) -> None:
    add(obo)
    kept = added.path_of("zorb")
    kept.write_bytes(kept.read_bytes() + b"x")
    assert errors(check()) == ["zorb: its kept copy was changed; add it again"]
    with pytest.raises(KgragError, match="cannot be read"):
        added.read(kept)
    kept.unlink()
    assert errors(check()) == ["zorb: its kept copy is gone; add it again"]


def test_check_finds_what_was_added_and_not_compiled(obo: Path) -> None:
    add(obo)
    added.path_of("zorb").rename(added.path_of("other"))
    assert "other: was added and is not in the lexicon; kgrag vocab build" in errors(check())


def test_check_tells_refused_ids(tmp_path: Path, obo: Path) -> None:
    add(STORIES["mesh"][0](tmp_path))
    table = tmp_path / "mine.tsv"
    table.write_text("id\tname\nMESH:D990001\tthe wrong thing\nMESH:D990002\tZORBOSIS\n")
    outcome = add(table, stated=Stated(id="mine", licence="CC0"))
    assert outcome.record["problems"] == [
        "MESH:D990001: refused, 'the wrong thing' here and 'Zorbian Fever' in the lexicon"
    ]
    with Lexicon.open() as lexicon:
        assert not lexicon.names("the wrong thing")
    notes = [f.what for f in check() if f.level == "note"]
    assert any("the wrong thing" in what for what in notes)


def test_a_lexicon_of_another_day_counts_as_missing(obo: Path) -> None:
    """So that ``kgrag vocab build --if-missing`` makes a new one after an upgrade."""
    assert not is_current(default_path())
    add(obo)  # has no default vocabularies
    assert not is_current(default_path())
    records = [{"id": identifier} for identifier in sorted(DEFAULTS)]
    write_lexicon(default_path(), [], [], registry=records)
    assert is_current(default_path())
    write_lexicon(default_path(), [], [], registry=records[1:])
    assert not is_current(default_path())
    default_path().write_bytes(b"of another format")
    assert not is_current(default_path())


def test_a_kept_vocabulary_reads_as_it_was_written(tmp_path: Path) -> None:
    entry = Entry("Z:1", "a", "drug", [Name("b", 3, True, False)], ["Z:2"], ["Z:3"])
    vocabulary = Vocabulary(
        id="z", name="Z", version="1", licence="CC0", origin="x", sha256="y", date=None,
        entries=(entry,), links=(Link("Z:1", "exact", "Z:9"),), kind="obo", needs_licence=True,
        authority=frozenset({"Z"}), problems=("p",), counts={"n": 1},
    )  # fmt: skip
    path = tmp_path / "z.jsonl.gz"
    added.write(vocabulary, path)
    first = path.read_bytes()
    again = added.read(path)
    assert again.entries == vocabulary.entries
    assert again.links == vocabulary.links
    assert again.record() == vocabulary.record()
    added.write(again, path)
    assert path.read_bytes() == first
