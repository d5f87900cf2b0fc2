"""Originals are whole or absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrag.errors import BrokenInvariant
from kgrag.ids import sha256
from kgrag.stores.originals import Originals


def test_kept_by_hash_and_given_back(tmp_path: Path) -> None:
    originals = Originals(tmp_path / "originals")
    digest = sha256(b"bytes")
    originals.add(b"bytes", digest)
    originals.add(b"bytes", digest)
    assert originals.path(digest) == tmp_path / "originals" / digest[:2] / digest
    assert originals.read(digest) == b"bytes"
    assert [path.name for path in originals.files()] == [digest]
    originals.delete(digest)
    originals.delete(digest)
    with pytest.raises(BrokenInvariant, match="missing"):
        originals.read(digest)


def test_an_altered_one_is_not_given_out(tmp_path: Path) -> None:
    originals = Originals(tmp_path)
    originals.add(b"bytes", sha256(b"bytes"))
    originals.path(sha256(b"bytes")).write_bytes(b"other")
    with pytest.raises(BrokenInvariant, match="altered"):
        originals.read(sha256(b"bytes"))


def test_a_sweep_leaves_what_is_referred_to(tmp_path: Path) -> None:
    originals = Originals(tmp_path)
    kept, lost = sha256(b"kept"), sha256(b"lost")
    originals.add(b"kept", kept)
    originals.add(b"lost", lost)
    originals.path(lost).with_suffix(".part").write_bytes(b"half")
    assert originals.sweep({kept}) == 2
    assert [path.name for path in originals.files()] == [kept]


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 63 + "/"])
def test_only_hashes_are_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        Originals(tmp_path).path(name)
