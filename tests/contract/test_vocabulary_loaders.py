"""The contract of every loader of vocabularies, on look-alike files, whole and broken."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import get_args

import pytest
from vocabulary_files import STORIES, Story

from kgrag.errors import KgragError, UnreadableFile
from kgrag.linking.normalise import key
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import PREFERRED
from kgrag.vocabulary.prefixes import flaw
from kgrag_ingest.ontologies.loaders import detect, read, resolver
from kgrag_ingest.ontologies.loaders.base import Draft

KINDS = sorted(STORIES)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def made(kind: str, tmp_path: Path) -> tuple[Path, Draft, Story]:
    write, story = STORIES[kind]
    path = write(tmp_path)
    return path, read(path, kind), story


def test_every_kind_has_a_look_alike() -> None:
    assert set(resolver.names()) == set(STORIES)


def test_it_is_recognised(made: tuple[Path, Draft, Story], kind: str) -> None:
    assert detect(made[0]) == kind


def test_the_story_is_found(made: tuple[Path, Draft, Story]) -> None:
    _, draft, story = made
    if not story.fever:
        return  # mappings have no concepts
    entries = {entry.curie: entry for entry in draft.entries}
    fever = entries[story.fever]
    assert key(fever.name) == "zorbian fever"
    assert fever.type == story.type
    if story.synonym:
        assert story.synonym in {name.text for name in fever.names}
    if story.zorbosis:
        assert key(entries[story.zorbosis].name) == "zorbosis"
        assert _reaches(entries, fever.curie, story.zorbosis)
        assert fever.curie not in entries[story.zorbosis].parents
    if story.old:
        old = {record.curie: record for record in draft.retired}[story.old]
        assert old.replaced_by == (story.fever,)
        assert story.old not in entries


def _reaches(entries: dict, low: str, high: str) -> bool:
    return high in entries[low].parents or any(
        parent in entries and _reaches(entries, parent, high) for parent in entries[low].parents
    )


def test_what_comes_out_is_sound(made: tuple[Path, Draft, Story]) -> None:
    _, draft, _ = made
    ids = [entry.curie for entry in draft.entries]
    assert len(ids) == len(set(ids))
    for entry in draft.entries:
        assert flaw(entry.curie) is None
        assert entry.type in get_args(ConceptType)
        assert entry.names[0].kind == PREFERRED
        assert entry.names[0].text == entry.name
        assert [name.kind for name in entry.names].count(PREFERRED) == 1
        assert len({name.text for name in entry.names}) == len(entry.names)
        assert entry.curie not in entry.parents
        assert all(flaw(other) is None and ":" in other for other in entry.same_as)
    for record in draft.retired:
        assert record.curie not in record.replaced_by


def test_reading_twice_gives_the_same(made: tuple[Path, Draft, Story], kind: str) -> None:
    path, draft, _ = made
    again = read(path, kind)
    assert (again.entries, again.retired, again.links) == (
        draft.entries, draft.retired, draft.links,
    )  # fmt: skip


def _main_file(path: Path) -> Path:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    preferred = [p for p in files if "CONSO" in p.name or "Concept" in p.name or "desc" in p.name]
    return (preferred or files)[0]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x01\x02\xff\xfe" * 400, b"<html><body>not found</body></html>", b"a" * 1_200_000],
    ids=["empty", "binary", "html", "one giant line"],
)
def test_a_broken_file_is_one_clear_error(
    made: tuple[Path, Draft, Story], kind: str, content: bytes
) -> None:
    path, _, _ = made
    for file in [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]:
        if file.suffix != ".gz":
            file.write_bytes(content)
        else:
            file.unlink()
    with pytest.raises(UnreadableFile) as raised:
        read(path, kind)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 1000


def test_a_file_cut_off_anywhere_never_breaks_the_loader(
    made: tuple[Path, Draft, Story], kind: str, tmp_path: Path
) -> None:
    path, whole, _ = made
    main = _main_file(path)
    content = main.read_bytes()
    for at in range(0, len(content), max(1, len(content) // 40)):
        main.write_bytes(content[:at])
        try:
            draft = read(path, kind)
        except KgragError:
            continue
        assert len(draft.entries) <= len(whole.entries) + len(whole.retired)


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no such file"):
        detect(tmp_path / "none")


def test_a_folder_of_nothing_known_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("hello")
    with pytest.raises(UnreadableFile, match="no loader recognises"):
        detect(tmp_path)
    shutil.rmtree(tmp_path)
