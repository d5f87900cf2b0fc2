"""``kgrag show | remove | stats | verify-kb | doctor | export | sparql``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kgrag.cli import EXIT_DATA, EXIT_SETTINGS
from kgrag.cli.options import json_option, kb_option, print_json


def register(root: click.Group) -> None:
    """Add the commands to ``root``."""
    for command in (show, remove, stats, verify_kb, doctor, export, sparql):
        root.add_command(command)


@click.command()
@click.argument("identifier", metavar="ID")
@kb_option
@json_option
def show(identifier: str, kb: Path, as_json: bool) -> None:
    """Show a document (doc_...), an assertion (ast_...) or a concept (CURIE).

    With --json a document is given with its whole stored text.
    """
    from kgrag.engine import Engine
    from kgrag.render import document_text

    with Engine.open(kb) as engine:
        if identifier.startswith("doc_"):
            document = engine.document(identifier)
            if as_json:
                print_json(document)
            else:
                click.echo(document_text(document))
        elif identifier.startswith("ast_"):
            _show_assertions([engine.assertion(identifier)], as_json)
        else:
            concept = engine.concept(identifier)
            if as_json:
                print_json(concept)
            else:
                click.echo(f"{concept['curie']}  {concept['name']}  ({concept['type']})")
                click.echo("also: " + "; ".join(concept["synonyms"][:20]))
                _show_assertions(concept["assertions"], as_json=False)


def _show_assertions(assertions: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(assertions[0])
        return
    from kgrag.render import assertion_text

    for assertion in assertions:
        click.echo(assertion_text(assertion))


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
@json_option
def doctor(as_json: bool) -> None:
    """Say what is installed, which models, what the processor can, and what is missing."""
    from kgrag.cli.doctor import examine

    findings = examine()
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
    type=click.Choice(["trig", "nt", "jsonld", "graphml"]),
    default="trig",
    show_default=True,
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def export(kb: Path, form: str, out: Path) -> None:
    """Write the assertions of the kb, each with its evidence."""
    from kgrag.engine import Engine

    with Engine.open(kb) as engine:
        count = engine.export(form, out)
    click.echo(f"{count:,} assertions in {out}")


@click.command()
@click.argument("query")
@kb_option
@json_option
def sparql(query: str, kb: Path, as_json: bool) -> None:
    """Answer a SPARQL query over the assertions of the kb."""
    from kgrag.engine import Engine

    with Engine.open(kb) as engine:
        rows = engine.sparql(query)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("\t".join(f"{name}={value}" for name, value in row.items()))
