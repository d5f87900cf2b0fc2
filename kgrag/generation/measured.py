"""Who chooses, the reranker or the model, by what was measured for that model."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kgrag.errors import SettingsError
from kgrag.ids import canonical, sha256
from kgrag.models.catalogue import list_models, spec_of
from kgrag.models.identity import folder_sha256
from kgrag.paths import user_path
from kgrag.records.question import Choice

if TYPE_CHECKING:
    from kgrag.config import Generation

FILE: Final = "choice.json"
"""In the folder of a kb: what was measured there, beside what is shipped."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The paired gain of the model's choice over the reranker's, in worth of the first statement.

    ``low`` and ``high`` are the ends of its 95% interval over so many ``questions``, ``on`` what
    they were, ``by`` the script and ``date`` the day.
    """

    model: str
    gain: float
    low: float
    high: float
    questions: int
    on: str
    by: str
    date: str

    def __post_init__(self) -> None:
        figures = (self.low, self.gain, self.high)
        if not all(math.isfinite(f) for f in figures) or sorted(figures) != list(figures):
            raise ValueError("a gain is a number within its interval")

    @property
    def choice(self) -> Choice:
        """The model only where it is surely better: the whole interval lies above 0."""
        return "model" if self.low > 0 else "rerank"


def measured_choice(model_sha256: str, *, kb: Path | None = None) -> Choice:
    """Who chooses with the model of that sha256: what the kb's file says, else what is shipped.

    A model that nobody measured does not choose. SettingsError when the kb's file is damaged.
    """
    held: dict[str, Measured] = _read(files("kgrag.generation").joinpath(FILE).read_bytes(), FILE)
    if kb is not None and (kb / FILE).exists():
        held |= _read((kb / FILE).read_bytes(), str(kb / FILE))
    found = held.get(model_sha256)
    return "rerank" if found is None else found.choice


def choice_of(name: str, *, kb: Path) -> Choice:
    """Who chooses with the language model that the settings name, found without loading it.

    Errors as of ``measured_choice``. What is no known model, or is not there, does not choose: who
    loads it tells why.
    """
    kind, _, argument = name.partition(":")
    if not argument:
        known = {model.name for model in list_models()}
        return measured_choice(spec_of(name).sha256, kb=kb) if name in known else "rerank"
    if not (kb / FILE).exists():  # nothing is shipped of models that are the user's own
        return "rerank"
    path = user_path(argument)
    if kind == "transformers" and path.is_dir():
        return measured_choice(folder_sha256(path), kb=kb)
    if kind == "llama.cpp" and path.is_file():
        with path.open("rb") as opened:
            return measured_choice(hashlib.file_digest(opened, "sha256").hexdigest(), kb=kb)
    if kind == "openai":
        url, _, model = argument.partition("#")
        return measured_choice(server_sha256(url, model), kb=kb)
    return "rerank"


def who_orders(settings: Generation, *, kb: Path | None) -> Choice:
    """Who orders the statements: what the settings say, else what was measured for their model.

    Without a ``kb``, as on a past day, nothing was measured and the reranker orders.
    """
    if settings.order == "auto":
        return "rerank" if kb is None else choice_of(settings.model, kb=kb)
    return "model" if settings.order == "model" else "rerank"


def server_sha256(url: str, model: str) -> str:
    """What stands for the weights behind a server, which are not known: address and name."""
    return sha256(canonical([url.rstrip("/"), model]))


def record_choice(model_sha256: str, measured: Measured, *, kb: Path) -> Path:
    """The kb's file, which holds ``measured`` after it and else what it held; written at once."""
    path = kb / FILE
    held = _read(path.read_bytes(), str(path)) if path.exists() else {}
    held[model_sha256] = measured
    plain = {digest: asdict(one) for digest, one in sorted(held.items())}
    handle, name = tempfile.mkstemp(prefix=f".{FILE}-", dir=kb)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(plain, out, indent=1)
            out.write("\n")
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def _read(data: bytes, origin: str) -> dict[str, Measured]:
    try:
        rows: Any = json.loads(data)
        return {str(digest): Measured(**row) for digest, row in rows.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"{origin} does not say what was measured of language models",
            hint="delete it; what is shipped is used then",
        ) from error
