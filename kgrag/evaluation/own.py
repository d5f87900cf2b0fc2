"""Questions and a corpus of one's own, from files that anybody may have written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kgrag.errors import DataError, UnreadableFile
from kgrag.evaluation.data import MOST, graded, lines, parsed
from kgrag.evaluation.suite import Query, Suite
from kgrag.ids import sha256

if TYPE_CHECKING:
    from kgrag.engine import Engine

# Ids of records that a kb keeps as they are; others get one made from them.
_FITS: Final = re.compile(r"[\w.:@+=,-]{1,120}")

_Name = Annotated[str, Field(min_length=1)]


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


class _Question(_Line):
    id: _Name
    question: _Name
    relevant: list[_Name] | dict[str, Annotated[int, Field(ge=0, le=MOST)]] = []


class _Record(_Line):
    id: _Name
    text: _Name
    title: str | None = None
    url: str | None = None


def own_suite(questions: Path, corpus: Path | None = None, qrels: Path | None = None) -> Suite:
    """The suite of a questions file, over a corpus file or over a kb that is given.

    A question is ``{"id", "question", "relevant"}``: ids of records of the corpus, or, with a kb,
    of anything that names a document of it (see ``against``); ``relevant`` may also map them to
    grades. ``qrels`` (question, document, grade; with tabs) stands in for ``relevant``.
    UnreadableFile names the line that is wrong.
    """
    asked = _read(questions, _Question)
    judged = graded(_bytes(qrels), str(qrels)) if qrels else {}
    known: set[str] = set()
    rows: list[dict[str, str]] = []
    if corpus is not None:
        for number, record in _read(corpus, _Record):
            identifier = _fitting(record.id)
            if identifier in known:
                raise UnreadableFile(f"{corpus}:{number}", f"the id {record.id!r} is there twice")
            known.add(identifier)
            kept = {"id": identifier, "title": record.title, "text": record.text, "url": record.url}
            rows.append({key: value for key, value in kept.items() if value})
    queries: dict[str, Query] = {}
    right: dict[str, dict[str, int]] = {}
    skipped = 0
    for number, question in asked:
        grades = judged.get(question.id, {}) if qrels else _grades(question)
        if corpus is not None:
            grades = {_fitting(name): grade for name, grade in grades.items()}
            unknown = sorted(grades.keys() - known)
            if unknown:
                raise UnreadableFile(
                    f"{questions}:{number}", f"{unknown[0]!r} is no record of {corpus}"
                )
        if question.id in queries:
            raise UnreadableFile(f"{questions}:{number}", f"the id {question.id!r} is there twice")
        if any(grade > 0 for grade in grades.values()):
            queries[question.id] = Query.of(question.id, question.question)
            right[question.id] = grades
        else:
            skipped += 1
    if not queries:
        raise DataError(f"no question of {questions} says which documents are right for it")
    raw = lines(rows)
    return Suite(
        name=questions.stem,
        queries=tuple(queries.values()),
        qrels=right,
        known=frozenset(known) or frozenset(name for grades in right.values() for name in grades),
        base=f"own-{sha256(raw)[:12]}" if rows else "",
        corpus=raw,
        notes=(f"{skipped} questions say of no document that it is right",) if skipped else (),
    )


def against(engine: Engine, suite: Suite) -> Suite:
    """``suite`` with its documents by the ids that the kb has for them.

    A document is named by its id, its source, the record of its file, its uri, or an identifier
    such as ``pmid:123``. DataError for a name that no current document has, or several have.
    Where all names are ids of passages, passages are what is ranked.
    """
    wanted = {name for q in suite.queries for name in suite.qrels[q.id]}
    if all(name.startswith("pas_") for name in wanted):
        unknown = wanted - engine.truth.passages_by_id(sorted(wanted)).keys()
        if unknown:
            raise DataError(f"{engine.directory} has no passage {min(unknown)!r}")
        return replace(suite, known=frozenset(wanted), unit="passage")
    named: dict[str, set[str]] = {}
    for info in engine.truth.documents():
        source = info.source.identifier
        names = {info.id, source, source.rpartition("#")[2], info.uri}
        names |= {f"{kind}:{value}" for kind, value in info.metadata.identifiers}
        names |= {value for kind, value in info.metadata.identifiers if kind == "url"}
        for name in names & suite.known:
            named.setdefault(name, set()).add(info.id)
    for problem, names in (
        ("no document", wanted - named.keys()),
        ("several documents", {n for n in wanted if len(named.get(n, ())) > 1}),
    ):
        if names:
            raise DataError(
                f"{problem} of {engine.directory} answer to {min(names)!r}"
                f" ({len(names):,} such names in all)",
                hint="name documents by id, source, record, uri, or an identifier such as pmid:123",
            )
    ids = {name: next(iter(named[name])) for name in wanted}
    qrels: dict[str, dict[str, int]] = {}
    for query in suite.queries:
        into = qrels.setdefault(query.id, {})
        for name, grade in suite.qrels[query.id].items():
            into[ids[name]] = max(grade, into.get(ids[name], grade))
    return replace(suite, qrels=qrels, known=frozenset(ids.values()))


def _grades(question: _Question) -> dict[str, int]:
    if isinstance(question.relevant, dict):
        return dict(question.relevant)
    return dict.fromkeys(question.relevant, 1)


def _fitting(identifier: str) -> str:
    return identifier if _FITS.fullmatch(identifier) else f"id-{sha256(identifier.encode())[:16]}"


def _bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        raw.decode("utf-8")
    except OSError as error:
        raise UnreadableFile(str(path), error.strerror or "it cannot be read") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(str(path), "it is not UTF-8") from error
    return raw


def _read(path: Path, kind: type[_Line]) -> list[tuple[int, Any]]:
    """The lines as ``kind`` with their numbers; blank lines are none."""
    raw = _bytes(path)
    numbers = [n for n, line in enumerate(raw.decode("utf-8").split("\n"), 1) if line.strip()]
    rows: list[tuple[int, Any]] = []
    for number, row in zip(numbers, parsed(raw, str(path)), strict=True):
        rows.append((number, _checked(row, kind, f"{path}:{number}")))
    if not rows:
        raise UnreadableFile(str(path), "it has no lines")
    return rows


def _checked(row: Mapping[str, Any], kind: type[_Line], origin: str) -> Any:
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][:1])
        raise UnreadableFile(origin, f"{where}: {first['msg']}") from error
