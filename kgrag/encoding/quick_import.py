"""Importing the encoder's packages without the garbage collector.

Most of what a first question costs is the import of torch, transformers and
sentence-transformers, 3,600 modules. A fifth of that went to the collector, which looks at every
new object time and again.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_import() -> Iterator[None]:
    """Nothing is collected inside; the collector is as before afterwards."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
