"""Batch modes: one JSON object a line in, one out, same order, same id."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from kgrag.cli.options import json_option, print_json
from kgrag.errors import DataError, KgragError
from kgrag.progress import terminal_progress

_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_HALF: Final = re.compile("[\ud800-\udfff]")

F = TypeVar("F", bound=Callable[..., Any])


def options(function: F) -> F:
    """``--batch IN.jsonl --out OUT.jsonl``."""
    function = click.option(
        "--out", "out", type=click.Path(dir_okay=False, path_type=Path), help="Batch output."
    )(function)
    return click.option(
        "--batch",
        "source",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A file of one JSON object a line.",
    )(function)


def run(
    source: Path,
    out: Path,
    required: tuple[str, ...],
    answer: Callable[[dict[str, Any]], Mapping[str, Any]],
) -> None:
    """Write ``answer`` of every line of ``source`` to ``out``, which appears when it is whole.

    A bad line, or one whose answer is refused, gives ``{"id", "error"}``; the command then ends
    with exit code 1.
    """
    lines = [line for line in source.read_bytes().split(b"\n") if line.strip()]
    partial = out.with_name(out.name + ".partial")
    bad = 0
    with terminal_progress() as progress, partial.open("w", encoding="utf-8") as sink:
        progress.stage("batch", len(lines), "lines")
        for line in lines:
            result = _answer(line, required, answer)
            bad += "error" in result
            sink.write(json.dumps(result, ensure_ascii=False) + "\n")
            progress.advance()
        sink.flush()
        os.fsync(sink.fileno())
    partial.replace(out)
    if bad:
        click.echo(f"{bad} of {len(lines)} lines were refused; see 'error' in {out}", err=True)
        raise click.exceptions.Exit(1)


def _answer(
    line: bytes, required: tuple[str, ...], answer: Callable[[dict[str, Any]], Mapping[str, Any]]
) -> dict[str, Any]:
    identifier: Any = None
    try:
        record = _record(line)
        identifier = record.get("id")
        missing = [name for name in ("id", *required) if name not in record]
        if missing:
            raise DataError(f"the line has no {' and no '.join(map(repr, missing))}")
        for name in required:
            value = record[name]
            if not isinstance(value, str) and not (name == "evidence" and _texts(value)):
                raise DataError(f"{name!r} is not a string")
        return {**answer(record), "id": identifier}
    except KgragError as error:
        return {"id": identifier, "error": str(error)}


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the line is not valid JSON: {type(error).__name__}") from error
    if not isinstance(record, dict):
        raise DataError("the line is not a JSON object")
    if _SURROGATE.search(line) and _halves(record):
        raise DataError("the line holds half of a character")
    return record


def _halves(value: Any) -> bool:
    """Whether a string has a surrogate without its other half: no UTF-8 text can."""
    return _HALF.search(json.dumps(value, ensure_ascii=False)) is not None


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def register(root: click.Group) -> None:
    """Add ``kgrag link`` to ``root``."""
    root.add_command(link)


@click.command()
@click.argument("text", required=False)
@json_option
@options
def link(text: str | None, as_json: bool, source: Path | None, out: Path | None) -> None:
    """Link the medical concepts of TEXT, or of every line of a batch. Needs no kb."""
    from kgrag.linking import Linker, mention_json
    from kgrag.render import mentions_text
    from kgrag.vocabulary.lexicon import Lexicon, default_path

    lexicon = Lexicon.open(default_path())
    linker = Linker(lexicon)

    def mentions(record: dict[str, Any]) -> Mapping[str, Any]:
        return {"mentions": [mention_json(m) for m in linker.link(record["text"])]}

    if source is not None and out is not None and text is None:
        run(source, out, ("text",), mentions)
    elif text is not None and source is None and out is None:
        found = mentions({"text": text})
        if as_json:
            print_json(found)
        else:
            names = {m["concept"]: lexicon.concept(m["concept"]).name for m in found["mentions"]}
            click.echo(mentions_text(found["mentions"], names))
    else:
        raise click.UsageError("give either a TEXT, or --batch IN.jsonl with --out OUT.jsonl")
