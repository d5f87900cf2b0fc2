"""Sentences of the real corpora, each with its document, kept in ``bench/.cache``.

Markup is taken off roughly: these sentences are only counted and fitted on as text that speaks to
no model. cpgQA and LiveQA are left out.
"""

from __future__ import annotations

import html
import json
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from kgrag.sentences import sentences

CACHE: Final = Path(__file__).parent / ".cache" / "real-sentences.jsonl"
FOLDERS: Final = (
    "corpora/uspstf", "corpora/cdc_opioid_cds", "corpora/nigeria_stg2022",
    "corpora/who_smart_guidelines", "corpora/drug_labels", "corpora/openstax_nursing",
    "corpora/medquad", "corpora/pmc_medline_samples", "corpora/jats", "bench/scifact",
    "bench/bioasq_golden", "bench/pubmedqa",
)  # fmt: skip
ARCHIVE: Final = "corpora/jats_more.tar.xz"
LONGEST: Final = 2000
_TAG = re.compile(r"<[^>]{0,300}>")
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1>", re.IGNORECASE | re.DOTALL)
_MARKUP = frozenset({".html", ".xml", ".nxml"})
_READ = frozenset({*_MARKUP, ".md", ".txt", ".json", ".jsonl", ".csv"})


OTHERS: Final = (
    "bench/cpgqa", "bench/evidence_inference", "bench/healthver", "bench/mcq", "bench/medec_ms",
    "bench/medhallu", "bench/mediqa2019_qa", "bench/nli4ct", "bench/bc5cdr", "bench/biored",
    "bench/ncbi_disease", "bench/agentclinic",
)  # fmt: skip
"""Folders that nothing is fitted on: they are counted."""


def real_sentences(folders: Sequence[str] = FOLDERS) -> Iterator[tuple[str, str]]:
    """The document and the text of every sentence of the folders, each text once."""
    if folders != FOLDERS:
        yield from _sentences(folders)
        return
    if not CACHE.exists():
        CACHE.parent.mkdir(exist_ok=True)
        with CACHE.with_suffix(".part").open("w", encoding="utf-8") as file:
            for row in _sentences(folders):
                file.write(json.dumps(row) + "\n")
        CACHE.with_suffix(".part").replace(CACHE)
    with CACHE.open(encoding="utf-8") as file:
        for line in file:
            document, sentence = json.loads(line)
            yield document, sentence


def _sentences(folders: Sequence[str]) -> Iterator[tuple[str, str]]:
    seen: set[int] = set()
    for document, text in _documents(Path(os.environ["KGRAG_DATA"]), folders):
        for span in sentences(text):
            sentence = span.of(text)[:LONGEST]
            if hash(sentence) not in seen and any(map(str.isalpha, sentence)):
                seen.add(hash(sentence))
                yield document, sentence


def _documents(root: Path, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The name and rough text of every file, and of every line of a JSONL file."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in _READ:
                continue
            name = path.relative_to(root).as_posix()
            text = path.read_text(encoding="utf-8", errors="replace")
            if path.suffix == ".jsonl":
                for number, line in enumerate(text.strip().split("\n")):
                    yield f"{name}:{number}", "\n".join(_strings(json.loads(line)))
            else:
                yield name, _plain(path.suffix, text)
    if folders != FOLDERS:
        return
    with tarfile.open(root / ARCHIVE) as archive:
        for member in archive:
            file = archive.extractfile(member)
            suffix = Path(member.name).suffix
            if file is not None and suffix in _READ:
                yield member.name, _plain(suffix, file.read().decode("utf-8", errors="replace"))


def _plain(suffix: str, text: str) -> str:
    if suffix in _MARKUP:
        return html.unescape(_TAG.sub(" ", _SCRIPT.sub(" ", text)))
    return "\n".join(_strings(json.loads(text))) if suffix == ".json" else text


def _strings(told: Any) -> Iterator[str]:
    """The strings of a JSON value, without the names of fields, and without markup."""
    if isinstance(told, str):
        yield html.unescape(_TAG.sub(" ", told))
    elif isinstance(told, dict):
        for value in told.values():
            yield from _strings(value)
    elif isinstance(told, list):
        for value in told:
            yield from _strings(value)
