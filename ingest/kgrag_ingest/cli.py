"""``kgrag ingest``, and the commands of ``kgrag vocab`` that compile."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import click

from kgrag.cli import EXIT_REFUSED, vocabulary
from kgrag.cli.options import encoder_option, encoder_settings, json_option, kb_option, print_json
from kgrag.errors import DataError
from kgrag.progress import terminal_progress
from kgrag_ingest.evaluate import evaluate
from kgrag_ingest.ontologies.cli import commands as vocabulary_commands

# Lines of doubts that are printed.
_DOUBTS: Final = 20


def commands(root: click.Group) -> None:
    """Add the commands of this root to ``root``."""
    root.add_command(ingest)
    root.add_command(evaluate)
    vocabulary_commands(vocabulary.vocab)


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
@kb_option
@json_option
@click.option("--recipe", "recipe_name", help="A recipe's name, or the path of a TOML file.")
@click.option("--collection", default="default", show_default=True)
@click.option(
    "--root",
    "base",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Identifiers are relative to this folder [default: the folder that is named].",
)
@click.option(
    "--ray",
    "ray_address",
    metavar="ADDRESS",
    help="Read, link, extract and embed on a Ray cluster: local, auto or HOST:PORT.",
)
@encoder_option
def ingest(
    paths: tuple[Path, ...],
    kb: Path,
    as_json: bool,
    recipe_name: str | None,
    collection: str,
    base: Path | None,
    ray_address: str | None,
    encoder: str | None,
) -> None:
    """Read the documents at PATH... into the kb, making it when it is not there.

    A file that cannot be read is refused in one line and stops no other; the exit code is then 1.
    """
    from kgrag.engine import Engine
    from kgrag_ingest.pipeline import ingest as run
    from kgrag_ingest.recipes import load

    began = time.perf_counter()
    recipe = load(recipe_name) if recipe_name else None
    settings = encoder_settings(kb, encoder)
    with (
        Engine.open(kb, mode="write", create=True, settings=settings) as engine,
        terminal_progress() as progress,
    ):
        options: Any = {
            "recipe": recipe,
            "collection": collection,
            "root": base,
            "progress": progress,
        }
        if ray_address is None:
            report = run(paths, engine.truth, engine.linker, **options)
        else:
            from kgrag_ingest.ray_pipeline import Embedding, ingest_on_ray

            report = ingest_on_ray(
                paths,
                engine.truth,
                engine.linker,
                address=ray_address,
                embedding=Embedding(
                    engine.settings.encoding.encoder, engine.encoder, engine.states
                ),
                **options,
            )
        for step, seconds in engine.catch_up(progress).items():
            report.seconds[step] += seconds
        generation = engine.truth.generation
    if not report.files and not report.skipped:
        raise DataError(f"there is no file to read at {', '.join(str(p) for p in paths)}")
    values = report.to_json() | {
        "generation": generation,
        "seconds_total": round(time.perf_counter() - began, 3),
    }
    if as_json:
        print_json(values)
    else:
        _say(values)
    for refusal in report.refusals:
        click.echo(f"refused: {refusal.uri}: {refusal.reason}", err=True)
    if report.refusals:
        raise click.exceptions.Exit(EXIT_REFUSED)


def _say(values: dict[str, Any]) -> None:
    counts = values["counts"]
    click.echo(
        f"{values['documents']:,} documents from {values['files']:,} files"
        f" ({values['new']:,} new, {values['unchanged']:,} files unchanged,"
        f" {len(values['refused']):,} refused) in {values['seconds_total']:.1f} s"
    )
    if counts:
        found = ("passages", "mentions", "assertions")
        click.echo("found " + ", ".join(f"{counts.get(name, 0):,} {name}" for name in found))
    doubts = values["doubts"]
    for doubt in doubts[:_DOUBTS]:
        page = "" if doubt["page"] is None else f" page {doubt['page']}:"
        click.echo(f"doubt: {doubt['uri']}:{page} {doubt['reason']}")
    if len(doubts) > _DOUBTS:
        click.echo(f"and {len(doubts) - _DOUBTS:,} more doubts; --json lists them all")
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in values["seconds"].items())
    click.echo(f"seconds by step: {steps}")
