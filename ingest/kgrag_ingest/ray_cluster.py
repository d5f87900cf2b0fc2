"""A Ray cluster to work on: one that runs, or one started here for as long as it is needed.

Ray's own reporting of its use is off, and nothing that workers print is brought here. The cluster
must be one that you trust: whoever reaches it can run programs on it. One started here demands a
secret that only its own processes have, and its folder, where Ray may set documents aside, is
deleted at the end.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kgrag.errors import MissingExtra, RetryableError, SettingsError

LOCAL: Final = "local"
_ADDRESS: Final = re.compile(r"auto|[\w.-]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}")
# Bytes of shared memory in which a cluster that is started here holds what is on its way.
_OBJECT_STORE: Final = 1 << 30
# Seconds in which a cluster must take a connection.
_PATIENCE_S: Final = 10.0


@contextmanager
def cluster(address: str) -> Iterator[int]:
    """Connected to the cluster at ``address``; gives its processors.

    ``local`` starts one here; ``HOST:PORT`` and ``auto`` find one that this machine is part of.
    A connection that the process already has is used and left. RetryableError when the cluster
    does not answer; SettingsError for another form of address, or when its Ray or Python is not
    the one here.
    """
    if address != LOCAL and _ADDRESS.fullmatch(address) is None:
        raise SettingsError(
            "no address of a Ray cluster: give local, auto or HOST:PORT",
            hint="this machine joins a cluster by: ray start --address=HOST:PORT",
        )
    _settle(address)
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtra("ray", extra="ray", purpose="ingesting on a Ray cluster") from error
    if ray.is_initialized():
        yield _processors()
        return
    with _started_here() if address == LOCAL else _joined(address):
        try:
            yield _processors()
        finally:
            ray.shutdown()


def _settle(address: str) -> None:
    """What Ray reads from the environment when it is imported, and never again."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address != LOCAL or os.environ.get("RAY_AUTH_MODE") == "token":
        return
    if "ray" in sys.modules:
        if sys.modules["ray"].is_initialized():
            return
        raise SettingsError(
            "Ray was imported before kgrag could give its cluster a secret",
            hint="start it with ray.init() first, and that cluster is used",
        )
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def _processors() -> int:
    import ray

    resources = ray.cluster_resources()  # type: ignore[no-untyped-call]  # ray types it nowhere
    return max(1, int(resources.get("CPU", 1)))


@contextmanager
def _joined(address: str) -> Iterator[None]:
    import ray

    try:
        if address != "auto":
            # Ray itself would try for minutes.
            host, _, port = address.rpartition(":")
            socket.create_connection((host.strip("[]"), int(port)), _PATIENCE_S).close()
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, OverflowError, ray.exceptions.RpcError) as error:
        raise RetryableError(
            f"no Ray cluster answers at {address}",
            hint="is it started, and is this machine one of its nodes?",
        ) from error
    except (RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise SettingsError(
            f"the Ray cluster at {address} cannot be joined ({type(error).__name__})",
            hint="its nodes need the same versions of Ray and Python, and its secret",
        ) from error
    yield


@contextmanager
def _started_here() -> Iterator[None]:
    import ray

    folder = Path(tempfile.mkdtemp(prefix="kgrag-ray-"))
    try:
        ray.init(
            num_cpus=os.cpu_count() or 1,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=_OBJECT_STORE,
            _node_ip_address="127.0.0.1",
            _temp_dir=str(folder),
        )
        yield
    finally:
        shutil.rmtree(folder, onerror=_gone_already)


def _gone_already(_call: object, _path: str, caught: tuple[object, BaseException, object]) -> None:
    """Ray's processes delete files of their own while they end; all else is told."""
    error = caught[1]
    if not isinstance(error, FileNotFoundError):
        raise error
