"""The ``kgrag`` command. Subcommands of the other roots join by entry point.

Exit codes: 0 done (an abstention is an answer); 1 done, but part of the input was refused, or a
sentence of a checked note is contradicted; 2 wrong usage; 3 settings or installation; 4 the input;
5 try again later; 70 a defect of kgrag.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from typing import Any

import click

from kgrag import __version__, errors

EXIT_REFUSED = 1
EXIT_SETTINGS = 3
EXIT_DATA = 4
EXIT_RETRY = 5
EXIT_DEFECT = 70


class _Group(click.Group):
    """Loads the other roots' subcommands when the command line is looked at."""

    _joined = False

    def _join(self) -> None:
        if not self._joined:
            self._joined = True
            for entry in sorted(entry_points(group="kgrag.commands"), key=lambda e: e.name):
                entry.load()(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._join()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._join()
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kgrag")
def root() -> None:
    """Answers to medical questions from your guidelines, each opened at its source."""


def main() -> None:
    """Run the command line; errors of kgrag end as one line on standard error."""
    from kgrag.cli import batch, inspect, models, question, train, verify, vocabulary

    for module in (question, inspect, models, vocabulary, batch, verify, train):
        module.register(root)
    try:
        # Without its standalone mode click gives back the code of an Exit instead of raising it.
        code = root(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except errors.KgragError as error:
        click.echo(f"kgrag: {error}", err=True)
        sys.exit(exit_code(error))
    except ModuleNotFoundError as error:
        package = (error.name or "a package").partition(".")[0]
        click.echo(
            f"kgrag: this command needs the package {package!r}, which is not installed"
            " (pip install 'kgrag[all]')",
            err=True,
        )
        sys.exit(EXIT_SETTINGS)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"kgrag: {where}{error.strerror or error}", err=True)
        sys.exit(EXIT_DATA)
    except Exception as error:  # the last line: a trace could show text of documents
        if os.environ.get("KGRAG_DEBUG"):
            raise
        click.echo(
            f"kgrag: a defect of kgrag: {type(error).__name__} (KGRAG_DEBUG=1 shows where)",
            err=True,
        )
        sys.exit(EXIT_DEFECT)


def exit_code(error: errors.KgragError) -> int:
    """The exit code of an error, by its family."""
    families: tuple[tuple[Any, int], ...] = (
        (errors.SettingsError, EXIT_SETTINGS),
        (errors.DataError, EXIT_DATA),
        (errors.RetryableError, EXIT_RETRY),
    )
    return next((code for family, code in families if isinstance(error, family)), EXIT_DEFECT)
