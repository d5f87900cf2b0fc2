"""A store that several threads use, one call at a time."""

from __future__ import annotations

from functools import wraps
from threading import RLock
from typing import Any, TypeVar, cast

T = TypeVar("T")


def in_turn(store: T, turn: RLock) -> T:
    """``store``, of which every call holds ``turn`` for its own time only.

    So what changes an index for minutes lets those who search it in between.
    """
    return cast("T", _InTurn(store, turn))


class _InTurn:
    def __init__(self, store: object, turn: RLock) -> None:
        self._store, self._turn = store, turn

    def __getattr__(self, name: str) -> Any:
        with self._turn:
            attribute = getattr(self._store, name)
        if not callable(attribute):
            return attribute

        @wraps(attribute)
        def waiting(*arguments: Any, **named: Any) -> Any:
            with self._turn:
                return attribute(*arguments, **named)

        return waiting
