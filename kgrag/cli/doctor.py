"""What this installation has and lacks, each lack with the command that mends it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from kgrag import __version__
from kgrag.errors import KgragError, KnowledgeBaseBusy

if TYPE_CHECKING:
    from kgrag.engine import Engine

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


def examine_kb(kb: Path) -> list[Finding]:
    """What the settings of ``kb`` name, each loaded or called once as a question would do it.

    A language model too that the settings name but leave unasked. Nothing is written; a kb that
    another process holds is a note.
    """
    from kgrag.engine import Engine

    try:
        engine = Engine.open(kb)
    except KgragError as error:
        return [_failed(f"kb {kb}", error)]
    with engine:
        looks = (("parts of retrieval", _retrieval), ("entailment", _entailment), ("model", _model))
        findings = [Finding(f"kb {kb}", "ok", f"{engine.truth.counts()['documents']:,} documents")]
        for what, look in looks:
            try:
                findings.append(look(engine))
            except KgragError as error:
                findings.append(_failed(what, error))
    return findings


def _failed(what: str, error: KgragError) -> Finding:
    return Finding(what, "note" if isinstance(error, KnowledgeBaseBusy) else "missing", str(error))


def _retrieval(engine: Engine) -> Finding:
    engine.retriever  # noqa: B018 - made for its errors
    return Finding("parts of retrieval", "ok", ", ".join(engine.settings.retrieval.parts))


def _entailment(engine: Engine) -> Finding:
    checker = engine.entailment
    return Finding("entailment", "ok", checker.name if checker else "none: rules alone")


def _model(engine: Engine) -> Finding:
    from kgrag.generation.measured import who_orders

    settings = engine.settings.generation
    model = engine.model
    if model is None:
        return Finding("model", "ok", "none: the reranker orders the statements")
    if who_orders(settings, kb=engine.directory) == "model":
        return Finding("model", "ok", f"{model.name}: it chooses the statements")
    if settings.order == "reranker":
        return Finding("model", "ok", f"{model.name}: not asked, the settings want the reranker")
    told = "not asked to choose, nothing measured says that it does it better than the reranker"
    return Finding("model", "ok", f'{model.name}: {told} (order = "model" asks it all the same)')


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
