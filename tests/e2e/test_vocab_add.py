"""The command line: a user's vocabulary is added, listed, checked, linked with, and removed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from vocabulary_files import write_obo


def kgrag(cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"KGRAG_CACHE": str(cache)}
    return subprocess.run(
        [sys.executable, "-m", "kgrag", *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def link(cache: Path, folder: Path, text: str) -> list[dict[str, object]]:
    (folder / "in.jsonl").write_text(json.dumps({"id": 1, "text": text}) + "\n")
    done = kgrag(
        cache, "link", "--batch", str(folder / "in.jsonl"), "--out", str(folder / "out.jsonl")
    )
    assert done.returncode == 0, done.stderr
    mentions: list[dict[str, object]] = json.loads((folder / "out.jsonl").read_text())["mentions"]
    return mentions


def test_an_added_vocabulary_takes_part_in_linking(tmp_path: Path) -> None:
    cache, path = tmp_path / "cache", write_obo(tmp_path)
    added = kgrag(cache, "vocab", "add", str(path), "--type", "disease", "--json")
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout)["state"] == "added"

    text = "Two had Marsh Zorb, once called swamp zorb, then zorbosis."
    mentions = link(cache, tmp_path, text)
    assert [(m["text"], m["concept"], m["type"]) for m in mentions] == [
        ("Marsh Zorb", "ZORB:0000001", "disease"),
        ("swamp zorb", "ZORB:0000001", "disease"),  # the name of a retired id: its replacement
        ("zorbosis", "ZORB:0000002", "disease"),
    ]
    for mention in mentions:
        assert text[int(str(mention["start"])) : int(str(mention["end"]))] == mention["text"]

    listed = json.loads(kgrag(cache, "vocab", "list", "--json").stdout)
    assert "zorb" in {entry["id"] for entry in listed}
    checked = kgrag(cache, "vocab", "check")
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, "the lexicon is sound")

    removed = kgrag(cache, "vocab", "remove", "zorb")
    assert removed.returncode == 0, removed.stderr
    assert link(cache, tmp_path, text) == []


def test_a_bad_file_is_one_line_and_the_lexicon_stays(tmp_path: Path) -> None:
    cache, path = tmp_path / "cache", write_obo(tmp_path)
    assert kgrag(cache, "vocab", "add", str(path)).returncode == 0
    bad = tmp_path / "bad.obo"
    bad.write_bytes(b"\xff\xfe\x00")
    done = kgrag(cache, "vocab", "add", str(bad))
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert str(bad) in done.stderr
    unknown = kgrag(cache, "vocab", "add", str(path), "--as", "snomed")
    assert unknown.returncode == 3
    assert "did you mean 'snomedct'" in unknown.stderr
    assert kgrag(cache, "vocab", "check").returncode == 0


def test_check_ends_with_exit_code_1_when_something_is_wrong(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    table = tmp_path / "zorb.tsv"
    table.write_text("id\tname\nZORB:1\tzorbian fever\n")
    assert kgrag(cache, "vocab", "add", str(table)).returncode == 0
    done = kgrag(cache, "vocab", "check", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["errors"] == 1


@pytest.mark.models
@pytest.mark.slow
def test_a_vocabulary_stands_beside_the_default_ones(tmp_path: Path) -> None:
    from kgrag.paths import cache_dir

    packages = cache_dir("vocabularies")
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "vocabularies").symlink_to(packages)
    path = write_obo(tmp_path)
    done = kgrag(cache, "vocab", "add", str(path), "--type", "disease")
    assert done.returncode == 0, done.stderr
    mentions = link(cache, tmp_path, "Metformin was given for marsh zorb and type 2 diabetes.")
    assert [m["concept"] for m in mentions] == ["MESH:D008687", "ZORB:0000001", "MESH:D003924"]
    assert kgrag(cache, "vocab", "check").returncode == 0
