"""The collector rests while packages are imported, and goes on as before afterwards."""

from __future__ import annotations

import gc

import pytest

from kgrag.encoding.quick_import import quick_import


def test_nothing_is_collected_inside() -> None:
    with quick_import():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_error() -> None:
    with pytest.raises(ImportError), quick_import():
        raise ImportError("no such package")
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with quick_import():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
