"""The advised world as a kb on disk, with a small lexicon: commands run on it without any model."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from advised_world import guideline
from click.testing import CliRunner

from kgrag.cli import exit_code, inspect, root
from kgrag.engine import Engine
from kgrag.errors import KgragError
from kgrag.stores.base import Ingested
from kgrag.testing.lexicon import small_lexicon

inspect.register(root)


class Kept:
    """A kb in ``folder / "kb"`` and the cache beside it that its commands use."""

    def __init__(self, folder: Path) -> None:
        self.kb = folder / "kb"
        self.cache = folder / "cache"
        path = self.cache / "lexicon" / "lexicon.sqlite"
        path.parent.mkdir(parents=True)
        small_lexicon(path).close()
        self.kb.mkdir()
        (self.kb / "kgrag.toml").write_text('[encoding]\nencoder = "hashing"\n')

    def put(self, *items: Ingested) -> None:
        """Commit the documents and bring the index up to date."""
        with Engine.open(self.kb, mode="write", create=True) as engine:
            for item in items or (guideline(),):
                engine.truth.put(item)
            engine.catch_up()

    def run(self, *arguments: object, expect: int = 0) -> str:
        """What ``kgrag`` with these arguments prints on this kb, or its error when one is expected.

        In this process, because starting one takes longer than the command.
        """
        done = CliRunner().invoke(root, [str(a) for a in arguments], env=self._env)
        error = done.exception
        if isinstance(error, KgragError):
            assert exit_code(error) == expect, error
            return str(error)
        assert done.exit_code == expect, (done.output, error)
        return done.stderr if expect else done.stdout

    @property
    def _env(self) -> dict[str, str]:
        return {"KGRAG_CACHE": str(self.cache), "KGRAG_KB": str(self.kb)}

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """The command, running."""
        return subprocess.Popen(
            [sys.executable, "-m", "kgrag", *map(str, arguments)],
            env={**os.environ, **self._env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
