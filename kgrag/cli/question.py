"""``kgrag search`` and ``kgrag ask``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrag.cli import batch, remote
from kgrag.cli.options import (
    encoder_option,
    format_of,
    format_option,
    json_option,
    kb_option,
    print_json,
    selection_of,
    selection_options,
)


def register(root: click.Group) -> None:
    """Add the commands to ``root``."""
    root.add_command(search)
    root.add_command(ask)


def _one_or_batch(question: str | None, source: Path | None, out: Path | None) -> None:
    if (question is None) == (source is None) or (source is None) != (out is None):
        raise click.UsageError("give either a QUESTION, or --batch IN.jsonl with --out OUT.jsonl")


@click.command()
@click.argument("question", required=False)
@kb_option
@json_option
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True)
@selection_options
@click.option(
    "--cutoff",
    type=click.FloatRange(0, 1),
    help="Leave out what stands out less than this share of what the best passage does.",
)
@click.option("--per-document", type=click.IntRange(1), help="At most this many of a document.")
@click.option("--repeats", is_flag=True, help="Also passages of the same words as one before them.")
@click.option("--explain", is_flag=True, help="Tell what each part of retrieval said, and why.")
@encoder_option
@batch.options
def search(
    question: str | None,
    kb: Path,
    as_json: bool,
    limit: int,
    explain: bool,
    encoder: str | None,
    source: Path | None,
    out: Path | None,
    **options: Any,
) -> None:
    """Find the passages nearest to QUESTION."""
    _one_or_batch(question, source, out)
    payload = {"limit": limit, "selection": selection_of(options)}
    with remote.open_engine(kb, encoder) as engine:
        if source is not None and out is not None:
            batch.run(
                source,
                out,
                ("question",),
                lambda r: _found(engine, r["question"], payload, explain),
            )
            return
        assert question is not None
        found = {"question": question} | _found(engine, question, payload, explain)
    if as_json:
        print_json(found)
    else:
        from kgrag.render import explained_text, hits_text

        click.echo(explained_text(found) if explain else hits_text(found["hits"]))


def _found(
    engine: remote.Asking, question: str, payload: dict[str, Any], explain: bool
) -> dict[str, Any]:
    if not explain:
        return {"hits": engine.search(question, **payload)}
    explained = engine.explain(question, **payload)
    return {"hits": explained["hits"], "hypotheses": explained["hypotheses"]}


@click.command()
@click.argument("question", required=False)
@kb_option
@json_option
@format_option
@selection_options
@click.option("--statements", type=click.IntRange(1, 50), help="At most this many statements.")
@click.option("--words", type=click.IntRange(5, 1000), help="At most this many words each.")
@click.option("--as-of", metavar="DATE", help="From what was in force on that day (ISO date).")
@click.option(
    "--mode",
    type=click.Choice(["quote", "fluent"]),
    help="Quotations, or free sentences too, each confirmed by a checker that the settings name.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, 3600, min_open=True),
    help="Begin no further round of looking after this time.",
)
@encoder_option
@batch.options
def ask(
    question: str | None,
    kb: Path,
    as_json: bool,
    form: str | None,
    statements: int | None,
    words: int | None,
    as_of: str | None,
    mode: str | None,
    seconds: float | None,
    encoder: str | None,
    source: Path | None,
    out: Path | None,
    **options: Any,
) -> None:
    """Answer QUESTION with quotations of the sources, or say why not."""
    _one_or_batch(question, source, out)
    if source is not None and form not in (None, "json"):
        raise click.UsageError("a batch is written as JSON lines")
    form = format_of(form, as_json)
    payload = {
        "selection": selection_of(options),
        "statements": statements,
        "words": words,
        "as_of": as_of,
        "mode": mode,
        "seconds": seconds,
    }
    with remote.open_engine(kb, encoder) as engine:
        if source is not None and out is not None:
            batch.run(source, out, ("question",), lambda r: engine.ask(r["question"], **payload))
            return
        assert question is not None
        answer = engine.ask(question, **payload)
    if form == "json":
        print_json(answer)
        return
    from kgrag.render import answer_markdown, answer_page, answer_text

    forms = {"text": answer_text, "markdown": answer_markdown, "html": answer_page}
    click.echo(forms[form](answer))
