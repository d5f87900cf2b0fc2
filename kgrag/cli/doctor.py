"""What this installation has and lacks, each lack with the command that mends it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal

from kgrag import __version__
from kgrag.errors import KgragError

State = Literal["ok", "missing", "note"]

# One telling package per extra; the others of an extra come with it.
_EXTRAS: Final = {
    "models": ("torch", "transformers", "sentence-transformers"),
    "index": ("qdrant-edge-py", "qdrant-client"),
    "graph": ("scipy", "networkx"),
    "rdf": ("rdflib", "pyoxigraph"),
    "ingest": ("lxml", "pypdfium2", "pdfplumber", "python-docx", "markdown-it-py", "selectolax"),
    "serve": ("fastapi", "uvicorn"),
    "postgres": ("pg8000",),
    "llama-index": ("llama-index-core",),
}
# What answering needs; the rest is a choice.
_NEEDED: Final = ("models", "index", "graph", "ingest")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; ``mend`` is the command that mends it."""

    what: str
    state: State
    detail: str
    mend: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def examine() -> list[Finding]:
    """All findings: the machine, the packages by extra, the models, the lexicon."""
    findings = [
        Finding("kgrag", "ok", f"{__version__}, Python {platform.python_version()}"),
        _processor(),
    ]
    findings += [_extra(extra, packages) for extra, packages in _EXTRAS.items()]
    if any(f.what == "extra models" and f.state == "missing" for f in findings):
        return findings
    return [*findings, *_models(), _lexicon()]


def _processor() -> Finding:
    from kgrag.models.cpu import describe

    return Finding(
        "processor", "note", f"{platform.machine()}, {os.cpu_count()} cores; {describe()}"
    )


def _extra(extra: str, packages: tuple[str, ...]) -> Finding:
    have, lack = [], []
    for package in packages:
        try:
            have.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lack.append(package)
    if not lack:
        return Finding(f"extra {extra}", "ok", ", ".join(have))
    return Finding(
        f"extra {extra}",
        "missing" if extra in _NEEDED else "note",
        "not installed: " + ", ".join(lack),
        f"{sys.executable} -m pip install 'kgrag[{extra}]'",
    )


def _models() -> list[Finding]:
    from kgrag.models import list_models

    return [
        Finding(
            f"model {m.name}",
            "ok" if m.path else "missing",
            str(m.path) if m.path else m.role,
            None if m.path else f"kgrag models fetch {m.name}",
        )
        for m in list_models()
    ]


def _lexicon() -> Finding:
    from kgrag.vocabulary.lexicon import Lexicon, default_path

    try:
        lexicon = Lexicon.open(default_path())
    except KgragError as error:
        return Finding("lexicon", "missing", error.message, "kgrag vocab build")
    counts = ", ".join(f"{n:,} {what}" for what, n in lexicon.counts.items())
    return Finding("lexicon", "ok", counts)
