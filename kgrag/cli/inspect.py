"""``kgrag show | remove | stats | verify-kb | doctor | export | sparql``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from kgrag.cli import EXIT_DATA, EXIT_SETTINGS
from kgrag.cli.options import json_option, kb_option, print_json
from kgrag.errors import DataError

if TYPE_CHECKING:
    from kgrag.stores.rdf import Result
    from kgrag.stores.rdf.sparql import EngineName


def register(root: click.Group) -> None:
    """Add the commands to ``root``."""
    for command in (show, remove, stats, verify_kb, doctor, export, sparql):
        root.add_command(command)


@click.command()
@click.argument("identifier", metavar="ID")
@kb_option
@json_option
def show(identifier: str, kb: Path, as_json: bool) -> None:
    """Show a concept (CURIE), an assertion (ast_...), a recommendation (rec_...), a passage
    (pas_...) or a document (doc_...), each with the characters it rests on.

    With --json everything is given; of a document, its whole stored text.
    """
    from kgrag.cli import pages
    from kgrag.cli.records import Records
    from kgrag.engine import Engine
    from kgrag.stores.rdf.places import Layouts

    with Engine.open(kb) as engine, Layouts(engine.truth) as layouts:
        records = Records(engine, layouts)
        kinds = {
            "doc": (records.document, pages.document_page),
            "ast": (records.assertion, pages.assertion_page),
            "pas": (records.passage, pages.passage_page),
            "rec": (records.recommendation, pages.recommendation_page),
        }
        prefix = identifier.partition("_")[0] if ":" not in identifier else ""
        look_up, page = kinds.get(prefix, (records.concept, pages.concept_page))
        record = look_up(identifier)
    if as_json:
        print_json(record)
    else:
        pages.print_page(page(record))


@click.command()
@click.argument("identifier", metavar="ID")
@kb_option
@json_option
def remove(identifier: str, kb: Path, as_json: bool) -> None:
    """Remove a document with all that came from it; a tombstone with its id stays."""
    from kgrag.engine import Engine

    with Engine.open(kb, mode="write") as engine:
        changed = engine.remove(identifier)
    if as_json:
        print_json({"id": identifier, "removed": changed})
    else:
        click.echo(f"{identifier} is removed" if changed else f"{identifier} was removed before")


@click.command()
@kb_option
@json_option
def stats(kb: Path, as_json: bool) -> None:
    """Count what the kb holds."""
    from kgrag.engine import Engine

    with Engine.open(kb) as engine:
        values = engine.stats()
    if as_json:
        print_json(values)
        return
    width = max(len(key) for key in values)
    for key, value in values.items():
        shown = f"{value:,}" if isinstance(value, int) else value
        click.echo(f"{key:<{width}}  {shown}")


@click.command("verify-kb")
@kb_option
@json_option
def verify_kb(kb: Path, as_json: bool) -> None:
    """Check every span, quotation, original and index entry against the stored text."""
    from kgrag.engine import Engine

    with Engine.open(kb) as engine:
        checked, problems = engine.verify()
    if as_json:
        print_json({"checked": checked, "problems": problems})
    else:
        for problem in problems:
            click.echo(problem)
        counted = ", ".join(f"{n:,} {what}" for what, n in checked.items())
        click.echo(f"checked {counted}: {len(problems)} problems")
    if problems or not checked.get("documents"):
        # Nothing checked must not read as success.
        if not problems:
            click.echo("there is no document to check", err=True)
        raise click.exceptions.Exit(EXIT_DATA)


@click.command()
@click.option("--kb", type=click.Path(path_type=Path), help="Try also what this kb names.")
@json_option
def doctor(kb: Path | None, as_json: bool) -> None:
    """Say what is installed, which models, what the processor can, and what is missing.

    With --kb the models, checkers and servers that its kgrag.toml names are tried too.
    """
    from kgrag.cli.doctor import examine, examine_kb

    findings = examine() if kb is None else [*examine(), *examine_kb(kb)]
    if as_json:
        print_json([f.to_json() for f in findings])
    else:
        for finding in findings:
            mark = {"ok": "ok  ", "missing": "MISS", "note": "note"}[finding.state]
            click.echo(f"{mark}  {finding.what}: {finding.detail}")
            if finding.mend:
                click.echo(f"      mend it with: {finding.mend}")
    if any(f.state == "missing" for f in findings):
        raise click.exceptions.Exit(EXIT_SETTINGS)


@click.command()
@kb_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["trig", "nt", "jsonld", "graphml", "kgx"]),
    default="trig",
    show_default=True,
    help="kgx writes a folder with nodes.tsv and edges.tsv.",
)
@click.option("--out", type=click.Path(path_type=Path), help="File or, for kgx, folder to write.")
@click.option("--collection", help="Only what documents of this collection say.")
@click.option("--as-of", "as_of", metavar="DATE", help="What was in force then: YYYY[-MM[-DD]].")
def export(
    kb: Path, form: str, out: Path | None, collection: str | None, as_of: str | None
) -> None:
    """Write assertions and recommendations, each with the characters it rests on.

    Without --out they go to standard output.
    """
    from kgrag.engine import Engine
    from kgrag.progress import terminal_progress
    from kgrag.stores.rdf import export as write

    if out is None and form == "kgx":
        raise click.UsageError("kgx needs --out, a folder for its two files")
    with (
        Engine.open(kb) as engine,
        terminal_progress() as progress,
        tempfile.TemporaryDirectory(prefix="kgrag-export-") as folder,
    ):
        target = out if out is not None else Path(folder) / "out"
        counts = write(
            engine.truth, engine.lexicon, form, target,
            collection=collection, as_of=as_of, progress=progress,
        )  # fmt: skip
        if out is None:
            with target.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
    counted = ", ".join(f"{number:,} {what}" for what, number in counts.items())
    click.echo(f"{counted}{f' in {out}' if out is not None else ''}", err=out is None)


@click.command()
@click.argument("query")
@click.option("--kb", type=click.Path(path_type=Path), envvar="KGRAG_KB", help="The kb's folder.")
@click.option("--endpoint", metavar="URL", help="Ask this SPARQL endpoint instead of a kb.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "ttl"]),
    help="Default: a table for rows, ttl for CONSTRUCT and DESCRIBE.",
)
@click.option(
    "--engine", type=click.Choice(["auto", "oxigraph", "rdflib"]), default="auto", show_default=True
)
@click.option("--rows", type=click.IntRange(1), default=10_000, show_default=True, help="At most.")
@click.option("--timeout", type=float, default=30.0, show_default=True, help="Seconds.")
@json_option
def sparql(
    query: str,
    kb: Path | None,
    endpoint: str | None,
    form: str | None,
    engine: EngineName,
    rows: int,
    timeout: float,
    as_json: bool,
) -> None:
    """Answer a SPARQL query (or the query in the file QUERY) over what the kb's documents say.

    Prefixes of the model (kg, kgi, kgr, kgq) and of concepts (MESH, HP, ...) need no declaration.
    Nothing is changed and nothing is asked elsewhere: updates, SERVICE and FROM are refused.
    """
    from kgrag.stores import rdf

    text = _query_text(query)
    named = click.get_current_context().get_parameter_source("kb")
    if kb is None and endpoint is None:
        raise click.UsageError("give --kb or --endpoint")
    if endpoint is not None and named is ParameterSource.COMMANDLINE:
        raise click.UsageError("give --kb or --endpoint, not both")
    if endpoint is not None:
        result = rdf.at_endpoint(endpoint, text, seconds=timeout, rows=rows)
    else:
        from kgrag.engine import Engine
        from kgrag.progress import terminal_progress

        assert kb is not None
        with Engine.open(kb) as opened, terminal_progress() as progress:
            names = opened.lexicon
            result = rdf.sparql(
                opened.truth, names, opened.directory, text, engine=engine,
                edition=names.sha256, seconds=timeout, rows=rows, progress=progress,
            )  # fmt: skip
    _print_result(result, "json" if as_json else form)
    if result.truncated:
        click.echo(f"only the first {rows:,} are shown; --rows gives more", err=True)


def _query_text(query: str) -> str:
    """The query itself, or what stands in the file that it names."""
    if len(query) > 1000 or any(c in query for c in "{}\n"):
        return query
    try:
        if not Path(query).is_file():
            return query
        return Path(query).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the query file cannot be read ({type(error).__name__})") from error


def _print_result(result: Result, form: str | None) -> None:
    if form == "json":
        print_json(result.to_json())
    elif form == "csv":
        click.echo(result.csv(), nl=False)
    elif form == "ttl" or (form is None and result.triples is not None):
        click.echo(result.turtle(), nl=False)
    else:
        from kgrag.cli.pages import print_table

        print_table(*result.table())
