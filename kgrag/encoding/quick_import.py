"""Importing the encoder's packages in two thirds of the time.

Two thirds of what a first question costs is the import of torch, transformers and
sentence-transformers: 3,600 modules. A fifth of that went to the garbage collector, which looks at
every new object again and again, and a sixth to modules that only evaluation and training use.
"""

from __future__ import annotations

import gc
import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

# Imported by sentence-transformers for functions that encoding never calls.
_LATER: Final = ("sklearn", "sklearn.metrics", "scipy.stats")


@contextmanager
def quick_import() -> Iterator[None]:
    """What is imported inside costs less; the collector is as before afterwards.

    Where no other thread can import at the same time, functions of scikit-learn's metrics and
    scipy's statistics that are imported by name inside are taken from those packages when they are
    first called. Afterwards both packages can be imported as ever.
    """
    collecting = gc.isenabled()
    gc.disable()
    alone = threading.active_count() == 1 and not any(name in sys.modules for name in _LATER)
    standing_in = {name: _StandIn(name) for name in _LATER} if alone else {}
    sys.modules.update(standing_in)
    try:
        yield
    finally:
        for name, module in standing_in.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
        if collecting:
            gc.enable()


class _StandIn(ModuleType):
    """A module of which every public name is a function that the real module has."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None, is_package=True)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> _Later:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Later(self.__name__, name)


class _Later:
    """Calls a function of a module that is imported by the first call."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self.__name__ = module, name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(self._module), self.__name__)(*arguments, **named)
