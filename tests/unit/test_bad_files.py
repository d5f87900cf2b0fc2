"""What readers do with broken and hostile files: one clear line each, and the good ones land."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrag.errors import UnreadableFile
from kgrag.testing.bad_files import INJECTION, Fate, make_bad_folder
from kgrag_ingest.discover import discover
from kgrag_ingest.readers import select
from kgrag_ingest.readers.base import Reading

Outcome = tuple[Fate, str]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Fate, Outcome]]:
    """Expected fate and what came of each file: its fate, with the reason or the stored text."""
    folder = tmp_path_factory.mktemp("bad")
    expected = make_bad_folder(folder)
    found: dict[str, Outcome] = {}
    for item in discover([folder]):
        if item.refusal is not None:
            found[item.relative] = ("refused", item.refusal)
            continue
        try:
            data = item.read()
            readings = list(select(data, item.uri).read(data, uri=item.uri))
        except (UnreadableFile, OSError) as error:
            found[item.relative] = ("refused", str(error))
            continue
        refused = [str(r) for r in readings if not isinstance(r, Reading)]
        text = "\n".join(r.text for r in readings if isinstance(r, Reading))
        found[item.relative] = ("refused", refused[0]) if refused else ("lands", text)
    assert set(expected) <= set(found)
    return {name: (fate, found[name]) for name, fate in expected.items()}


@pytest.mark.slow
def test_every_file_ends_as_expected(outcomes: dict[str, tuple[Fate, Outcome]]) -> None:
    assert len(outcomes) >= 30
    wrong = {n: (fate, got) for n, (fate, got) in outcomes.items() if fate != got[0]}
    assert wrong == {}


@pytest.mark.slow
def test_every_reason_is_one_clear_line(outcomes: dict[str, tuple[Fate, Outcome]]) -> None:
    for name, (_, (fate, text)) in outcomes.items():
        if fate == "refused":
            assert text.strip(), name
            assert "\n" not in text, name
            assert "Traceback" not in text, name
            assert len(text) < 400, name


@pytest.mark.slow
def test_instructions_land_as_data_and_scripts_do_not(
    outcomes: dict[str, tuple[Fate, Outcome]],
) -> None:
    assert INJECTION.split(".")[0] in outcomes["injection.txt"][1][1]
    page = outcomes["script.html"][1][1]
    assert "fetch(" not in page
    assert "Metformin is used to treat type 2 diabetes." in page
    assert "root:" not in "".join(text for _, (_, text) in outcomes.values())


@pytest.mark.slow
def test_the_folder_is_the_same_on_every_run(tmp_path: Path) -> None:
    first = make_bad_folder(tmp_path / "a")
    second = make_bad_folder(tmp_path / "b")
    assert first == second
    for name in first:
        one, two = tmp_path / "a" / name, tmp_path / "b" / name
        if one.is_file() and not one.is_symlink() and name != "unreadable.txt":
            assert one.read_bytes() == two.read_bytes(), name
