"""Addresses of servers that are none, and replies that break a reader."""

from __future__ import annotations

import pytest

pytest.importorskip("httpx", reason="needs httpx")

from kgrag.errors import SettingsError
from kgrag.generation.server_guides import GUIDES
from kgrag.generation.server_http import Access, Server


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999/v1", "http://127.0.0.1:x/v1", "http://[::1/v1", "http:///v1",
     "ftp://127.0.0.1/v1", "127.0.0.1:8000/v1", ""],
)  # fmt: skip
def test_what_is_no_address_is_a_setting_to_mend(url: str) -> None:
    with pytest.raises(SettingsError, match="no address"):
        Server(url, Access())


@pytest.mark.parametrize(
    "url",
    ["http://me:hushhush@127.0.0.1/v1", "ftp://me:hushhush@host/v1",
     "http://127.0.0.1:99999/?key=hushhush", "http://me:hushhush@[::1"],
)  # fmt: skip
def test_a_key_in_an_address_is_never_repeated(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Server(url, Access())
    assert "hushhush" not in str(caught.value) and "hushhush" not in repr(caught.value)


def test_a_reply_nested_without_end_says_nothing() -> None:
    deep = "[" * 200_000
    assert all(guide.read(deep) in (None, deep) for guide in GUIDES)
