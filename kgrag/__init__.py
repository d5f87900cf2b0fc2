"""kgrag: answers to medical questions that open to the characters of their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kgrag.engine import Engine

__version__ = "0.1.0"
__all__ = ["Engine", "__version__"]


def __getattr__(name: str) -> object:
    # Importing the engine costs a database library; importing kgrag must not.
    if name == "Engine":
        from kgrag.engine import Engine

        return Engine
    raise AttributeError(f"module 'kgrag' has no attribute {name!r}")
