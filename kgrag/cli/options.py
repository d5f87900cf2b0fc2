"""Options that commands share, and how they print."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

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


def json_option(function: F) -> F:
    """``--json``: one JSON object on standard output instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def print_json(value: Any) -> None:
    """``value`` as indented JSON on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
