"""``kgrag serve``."""

from __future__ import annotations

from pathlib import Path

import click

from kgrag.cli.options import kb_option


def commands(root: click.Group) -> None:
    """Add the commands of this root to ``root``."""
    root.add_command(serve)


@click.command()
@kb_option
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8321, show_default=True)
def serve(kb: Path, host: str, port: int) -> None:
    """Answer over HTTP: /v1/ask, search, verify, link and documents; /healthz and /readyz.

    The kb is held as its writer while it is served; `kgrag ask` and `kgrag search` on the same
    machine then talk to this server by themselves.
    """
    import uvicorn

    from kgrag.engine import Engine
    from kgrag_services.api import create_app

    reachable = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared only
    with Engine.open(kb, mode="write") as engine:
        engine.announce(f"http://{reachable}:{port}")
        click.echo(f"kgrag answers at http://{host}:{port} (stop it with Ctrl-C)", err=True)
        # Access logs would hold nothing of a question, but they hold who asked when.
        uvicorn.run(create_app(engine), host=host, port=port, log_level="warning", access_log=False)
