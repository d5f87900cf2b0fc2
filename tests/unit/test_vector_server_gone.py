"""A vector server that is not there is an error to try again after, by its address."""

from __future__ import annotations

import socket
import threading

import pytest

from kgrag.errors import RetryableError
from kgrag.stores.qdrant import open_index


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(RetryableError, match=f"127.0.0.1:{port} does not answer"):
        open_index(f"http://127.0.0.1:{port}/kgrag", dimensions=4, encoder="e", mode="read")


def test_the_server_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def fail() -> None:
            for _ in range(2):
                taken, _ = server.accept()
                with taken:
                    taken.recv(65_536)
                    taken.sendall(
                        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    )

        threading.Thread(target=fail, daemon=True).start()
        with pytest.raises(RetryableError, match=f"127.0.0.1:{port}"):
            open_index(f"http://127.0.0.1:{port}/kgrag", dimensions=4, encoder="e", mode="read")


def test_a_password_in_the_address_is_not_told() -> None:
    with pytest.raises(RetryableError) as told:
        open_index("http://me:secret@127.0.0.1:9/kgrag", dimensions=4, encoder="e", mode="read")
    assert "secret" not in str(told.value)
