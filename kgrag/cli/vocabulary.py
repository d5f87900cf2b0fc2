"""``kgrag vocab list``; ``build`` joins from the ingest root."""

from __future__ import annotations

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
        click.echo(f"{entry['id']}  {entry['version']}  {entry['name']}")
        click.echo(f"    {entry['licence']}")
        counts = ", ".join(f"{number:,} {what}" for what, number in entry["counts"].items())
        click.echo(f"    {entry['origin']}: {counts}")
