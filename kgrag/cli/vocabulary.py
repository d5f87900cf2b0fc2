"""``kgrag vocab list``; the commands that compile join from the ingest root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from kgrag.cli.options import json_option, print_json


def register(root: click.Group) -> None:
    """Add the group to ``root``."""
    root.add_command(vocab)


@click.group()
def vocab() -> None:
    """The vocabularies that concepts come from."""


@vocab.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the vocabularies with version, licence, origin and counts."""
    from kgrag.vocabulary.registry import listing

    entries: list[dict[str, Any]] = [dict(entry) for entry in listing()]
    if as_json:
        print_json(entries)
        return
    for entry in entries:
        say_record(entry)


def say_record(record: Mapping[str, Any]) -> None:
    """Print the record of one vocabulary: what it is, under which licence, and what it gave."""
    own = " (yours)" if record.get("added") else ""
    dated = f", {record['date']}" if record.get("date") else ""
    click.echo(f"{record['id']}{own}  {record['version']}{dated}  {record['name']}")
    needed = "; YOU NEED A LICENCE OF YOUR OWN" if record.get("needs_licence") else ""
    click.echo(f"    {record['licence']}{needed}")
    counts = {**record.get("counts", {}), **record.get("joined", {})}
    told = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
    click.echo(f"    {record['origin']} (sha256 {str(record['sha256'])[:12]}...): {told}")
