"""Options that commands share, and how they print."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from kgrag.config import Settings

F = TypeVar("F", bound=Callable[..., Any])


def kb_option(function: F) -> F:
    """``--kb DIR``, or the environment variable KGRAG_KB."""
    return click.option(
        "--kb",
        "kb",
        type=click.Path(path_type=Path),
        envvar="KGRAG_KB",
        required=True,
        help="The knowledge base folder.",
    )(function)


def encoder_option(function: F) -> F:
    """``--encoder NAME_OR_FOLDER``; ``encoder_settings`` makes settings of it."""
    return click.option(
        "--encoder",
        metavar="NAME_OR_FOLDER",
        help="This encoder instead of the one in the settings, for this call.",
    )(function)


def encoder_settings(kb: Path, encoder: str | None) -> Settings | None:
    """The kb's settings with ``encoder``; None without one: the kb's settings as they are.

    A folder is a model of sentence-transformers or what ``kgrag train retriever`` made. UnknownName
    when it is neither a folder nor the name of an encoder.
    """
    if encoder is None:
        return None
    from kgrag.config import load_settings
    from kgrag.encoding import resolver
    from kgrag.encoding.adapted import PREFIX
    from kgrag.errors import UnknownName
    from kgrag.paths import user_path

    known = resolver.names()
    if encoder.partition(":")[0] in known:
        name = encoder
    elif user_path(encoder).is_dir():
        name = f"{PREFIX}:{user_path(encoder).resolve()}"
    else:
        raise UnknownName("encoder", encoder, (*known, "a folder that exists"))
    settings = load_settings(kb / "kgrag.toml")
    return settings.model_copy(
        update={"encoding": settings.encoding.model_copy(update={"encoder": name})}
    )


def json_option(function: F) -> F:
    """``--json``: one JSON object on standard output instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


_NAMES: Final = {
    "collection": ("collections", "Only from this collection (repeatable)."),
    "publisher": ("publishers", "Only from this publisher (repeatable)."),
    "edition": ("versions", "Only from documents of this version (repeatable)."),
    "language": ("languages", "Only in this language (repeatable)."),
    "grade": ("grades", "Only advice so graded, such as B, USPSTF:B or strong (repeatable)."),
    "prefer": ("prefer", "A collection or publisher whose passages come first among equals."),
}


def selection_options(function: F) -> F:
    """The options that say what may be found; ``selection_of`` makes plain values of them."""
    given = [click.option(f"--{n}", multiple=True, help=help) for n, (_, help) in _NAMES.items()]
    given += [
        click.option("--since", metavar="DATE", help="Only dated on or after (ISO date)."),
        click.option("--until", metavar="DATE", help="Only dated on or before (ISO date)."),
        click.option("--age", type=click.FloatRange(0, 130), help="Advice for this age, in years."),
        click.option("--sex", type=click.Choice(["female", "male"]), help="Advice for this sex."),
    ]
    for option in reversed(given):
        function = option(function)
    return function


def selection_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a ``Selection`` that ``options`` give; empty when they give none."""
    found = {field: list(options[name]) for name, (field, _) in _NAMES.items() if options[name]}
    rest = ("since", "until", "age", "sex", "cutoff", "per_document", "repeats")
    return found | {n: options[n] for n in rest if options.get(n) not in (None, False)}


def format_option(function: F) -> F:
    """``--format``: how the result is written; ``--json`` is short for the format ``json``."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "markdown", "json", "html"]),
        default=None,
        help="How to print it (text).",
    )(function)


def format_of(form: str | None, as_json: bool) -> str:
    """The format that the options ask for; a usage error when they contradict each other."""
    if as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} contradict each other")
    return "json" if as_json else form or "text"


def print_json(value: Any) -> None:
    """``value`` as indented JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
