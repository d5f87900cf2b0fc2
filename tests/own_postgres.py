"""A PostgreSQL server of a test's own, which it may stop, kill and start again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """The folder of the newest installed server; None without one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    return found[-1] if found else None


class OwnPostgres:
    """One server on 127.0.0.1; made by ``own_postgres``."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self._data, self._bin = folder / "data", bin_folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self._options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._options += f" -c unix_socket_directories='{folder}' -c max_connections=20"
        self._run("initdb", "-U", "kgrag", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql+pg8000://kgrag:secret@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        log = str(self._data / "log")
        self._run("pg_ctl", "-w", "-t", "60", "-l", log, "-o", self._options, "start")

    def stop(self, how: str = "fast") -> None:
        """``fast`` tells the clients, ``immediate`` is as good as a kill."""
        self._run("pg_ctl", "-w", "-m", how, "stop")

    def restart(self, how: str = "fast") -> None:
        self.stop(how)
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), "-D", str(self._data), *arguments]
        if os.getuid() == 0:  # the server refuses to run as root
            command = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups",
                       "--", *command]  # fmt: skip
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)  # fmt: skip


@contextmanager
def own_postgres(bin_folder: Path) -> Iterator[OwnPostgres]:
    """A server that runs; at the end it is stopped and its folder deleted."""
    folder = Path(tempfile.mkdtemp(prefix="kgrag-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    server = OwnPostgres(folder, bin_folder)
    try:
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder)
