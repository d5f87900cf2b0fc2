"""Loading without the progress bars of other libraries: kgrag shows its own, or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet_loading() -> Iterator[None]:
    """transformers shows no bars inside; its setting is as before afterwards."""
    from transformers.utils import logging as untyped

    logging: Any = untyped

    before = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if before:
            logging.enable_progress_bar()
