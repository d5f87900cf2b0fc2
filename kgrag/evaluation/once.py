"""An engine of which each question's costly parts are made once, however many ways ask for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgrag.config import Settings
from kgrag.encoding.base import Encoder
from kgrag.records.concepts import Mention
from kgrag.stores.base import Filters, IndexHit, VectorIndex

if TYPE_CHECKING:
    from kgrag.engine import Engine


class Once:
    """``index``, ``encoder`` and ``linker`` of an engine that remember until ``forget``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: dict[Any, Any] = {}
        self.encoder: Encoder = _remembering(engine.encoder, self._kept)
        self.index = _Index(engine.index, self._kept)
        self.linker = _Linker(engine, self._kept)

    def forget(self) -> None:
        """The question is done with."""
        self._kept.clear()

    def view(self, parts: Sequence[str]) -> _View:
        """The engine with other parts of retrieval; all else is the engine's own."""
        settings = self._engine.settings
        changed = settings.retrieval.model_copy(update={"parts": tuple(parts)})
        return _View(self, self._engine, settings.model_copy(update={"retrieval": changed}))


class _View:
    def __init__(self, once: Once, engine: Engine, settings: Settings) -> None:
        self.settings, self.encoder, self.linker = settings, once.encoder, once.linker
        self.index = once.index
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


class _Encoder:
    def __init__(self, encoder: Encoder, kept: dict[Any, Any]) -> None:
        self._encoder, self._kept = encoder, kept
        self.name, self.sha256, self.dimensions = encoder.name, encoder.sha256, encoder.dimensions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)


def _remembering(encoder: Encoder, kept: dict[Any, Any]) -> Any:
    """``encoder`` with every way to encode that it has, and no other, so that it fits the same
    protocols."""

    def remembered(name: str) -> Callable[..., Any]:
        def encode(self: _Encoder, texts: Sequence[str]) -> Any:
            key = (name, tuple(texts))
            if key not in kept:
                kept[key] = getattr(encoder, name)(texts)
            return kept[key]

        return encode

    ways = [name for name in dir(encoder) if name.startswith("encode")]
    made = type("Remembering", (_Encoder,), {name: remembered(name) for name in ways})
    return made(encoder, kept)


class _Index:
    def __init__(self, index: VectorIndex, kept: dict[Any, Any]) -> None:
        self._index, self._kept = index, kept

    def dense(self, vector: NDArray[np.float32], *, limit: int, filters: Filters) -> list[IndexHit]:
        """See ``VectorIndex``."""
        key = ("dense", vector.tobytes(), limit, filters)
        if key not in self._kept:
            self._kept[key] = self._index.dense(vector, limit=limit, filters=filters)
        return list(self._kept[key])

    def sparse(self, terms: Mapping[int, float], *, limit: int, filters: Filters) -> list[IndexHit]:
        """See ``VectorIndex``."""
        key = ("sparse", tuple(sorted(terms.items())), limit, filters)
        if key not in self._kept:
            self._kept[key] = self._index.sparse(terms, limit=limit, filters=filters)
        return list(self._kept[key])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)


class _Linker:
    def __init__(self, engine: Engine, kept: dict[Any, Any]) -> None:
        self._engine, self._kept = engine, kept

    def link(self, text: str) -> tuple[Mention, ...]:
        """See ``Linker``."""
        key = ("link", text)
        if key not in self._kept:
            self._kept[key] = self._engine.linker.link(text)
        found: tuple[Mention, ...] = self._kept[key]
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine.linker, name)
