"""``kgrag verify``: a statement against texts, or a whole note against a knowledge base."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from kgrag.cli import batch, remote
from kgrag.cli.options import (
    format_of,
    format_option,
    json_option,
    print_json,
    selection_of,
    selection_options,
)
from kgrag.errors import DataError, KnowledgeBaseError
from kgrag.progress import terminal_progress


def register(root: click.Group) -> None:
    """Add ``kgrag verify`` to ``root``."""
    root.add_command(verify)


@click.command()
@click.option("--statement", help="The statement to check.")
@click.option("--evidence", multiple=True, help="A text to check it against (repeatable).")
@click.option(
    "--note",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="A text whose sentences are checked against --kb; - reads standard input.",
)
@click.option(
    "--kb",
    "kb",
    type=click.Path(path_type=Path),
    envvar="KGRAG_KB",
    help="The knowledge base: what a note is checked against; else whose settings count.",
)
@click.option("--seconds", type=click.FloatRange(min=0.1), help="At most so long, with --note.")
@json_option
@format_option
@selection_options
@batch.options
def verify(
    statement: str | None,
    evidence: tuple[str, ...],
    note: Path | None,
    kb: Path | None,
    seconds: float | None,
    as_json: bool,
    form: str | None,
    source: Path | None,
    out: Path | None,
    **options: Any,
) -> None:
    """Check a statement against evidence, or each sentence of a note against a knowledge base.

    A statement is supported, contradicted or not_enough_info; a sentence of a note is supported,
    contradicted or not_covered. With --kb the calibration of that knowledge base counts, and so
    does the checker of entailment that its settings name. With --note the exit code is 1 when a
    sentence is contradicted.
    """
    given = [statement is not None or bool(evidence), source is not None, note is not None]
    if sum(given) != 1 or (source is None) != (out is None):
        raise click.UsageError(
            "give --statement with --evidence, or --note with --kb,"
            " or --batch IN.jsonl with --out OUT.jsonl"
        )
    if source is not None and form not in (None, "json"):
        raise click.UsageError("a batch is written as JSON lines")
    form = format_of(form, as_json)
    if note is not None:
        if kb is None:
            raise click.UsageError("a note is checked against a knowledge base: give --kb")
        _note(note, kb, form, {"seconds": seconds, "selection": selection_of(options)})
    elif source is not None and out is not None:
        batch.run(source, out, ("statement", "evidence"), _judge(kb))
    else:
        _statement(statement, evidence, form, kb)


def _judge(kb: Path | None) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
    """What gives the verdict of a record with ``statement`` and ``evidence``.

    With the calibration and the checker of ``kb``; without one as shipped.
    """
    from kgrag.config import load_settings
    from kgrag.linking import Linker
    from kgrag.verification.judge import Judge
    from kgrag.verification.verdict import to_record
    from kgrag.vocabulary.lexicon import Lexicon, default_path

    if kb is not None and not kb.is_dir():
        raise KnowledgeBaseError(f"there is no knowledge base at {kb}")
    settings = load_settings(None if kb is None else kb / "kgrag.toml").verification
    judge = Judge.of(settings, linker=Linker(Lexicon.open(default_path())), folder=kb)

    def verdict(record: dict[str, Any]) -> Mapping[str, Any]:
        texts = record["evidence"]
        evidence = [texts] if isinstance(texts, str) else texts
        return to_record(judge(record["statement"], evidence))

    return verdict


def _statement(
    statement: str | None, evidence: tuple[str, ...], form: str, kb: Path | None
) -> None:
    if statement is None or not evidence:
        raise click.UsageError("give --statement together with --evidence")
    if form not in ("text", "json"):
        raise click.UsageError("a verdict on one statement is printed as text or JSON")
    found = _judge(kb)({"statement": statement, "evidence": list(evidence)})
    if form == "json":
        print_json(found)
    else:
        from kgrag.render import verdict_text

        click.echo(verdict_text(found))


def _note(path: Path, kb: Path, form: str, options: dict[str, Any]) -> None:
    text = _read(path)
    with remote.open_engine(kb) as engine, terminal_progress() as progress:
        check = engine.check_note(text, progress=progress, **options)
    if form == "json":
        print_json(check)
    else:
        from kgrag.render import note_markdown, note_page, note_text

        forms = {"text": note_text, "markdown": note_markdown, "html": note_page}
        click.echo(forms[form](check))
    if check["counts"]["contradicted"]:
        raise click.exceptions.Exit(1)


def _read(path: Path) -> str:
    """The note as text; DataError when it is too large or not UTF-8."""
    from kgrag.verification.notes import MAX_NOTE_CHARS

    most = 4 * MAX_NOTE_CHARS  # no character of UTF-8 is longer
    if str(path) == "-":
        raw = sys.stdin.buffer.read(most + 1)
    else:
        with path.open("rb") as file:
            raw = file.read(most + 1)
    if len(raw) > most:
        raise DataError(f"{path}: the note is longer than {MAX_NOTE_CHARS:,} characters")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: the note is not UTF-8 text (byte {error.start})") from error
