"""An engine of which each question's costly parts are made once, however many ways ask for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder
from kgrag.records.answer import Hit
from kgrag.records.concepts import Mention
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.base import Scorer, Source
from kgrag.retrieval.parts import retriever_of
from kgrag.retrieval.passages import HybridRetriever
from kgrag.stores.base import Filters, IndexHit, VectorIndex

if TYPE_CHECKING:
    from kgrag.engine import Engine


class Once:
    """``index``, ``encoder``, ``linker`` and parts of an engine that remember until ``forget``."""

    def __init__(self, engine: Engine) -> None:
        self._kept: dict[Any, Any] = {}
        self._parts: dict[str, Any] = {}
        self.encoder: Encoder = _remembering(engine.encoder, self._kept)
        self.index: VectorIndex = cast(VectorIndex, _Index(engine.index, self._kept))
        self._view = _View(engine, self.encoder, _Linker(engine, self._kept))

    def forget(self) -> None:
        """The question is done with."""
        self._kept.clear()

    def retriever(self, parts: Sequence[str]) -> HybridRetriever:
        """The retriever that the engine would have with these parts in its settings.

        A part of several retrievers is one: what it found for a question it finds for all.
        """
        # One view for all, so that what parts keep by engine is kept once.
        settings = self._view.settings
        changed = settings.retrieval.model_copy(update={"parts": tuple(parts)})
        self._view.settings = settings.model_copy(update={"retrieval": changed})
        made = retriever_of(cast("Engine", self._view), self.index)
        # The retriever's own names: exchanging parts is no business of anybody but measuring.
        made._sources = tuple(self._part(s.name, _Source, s) for s in made._sources)
        made._scorers = tuple(self._part(s.name, _Scorer, s) for s in made._scorers)
        return made

    def _part(self, name: str, kind: Callable[[Any, dict[Any, Any]], Any], part: Any) -> Any:
        if name not in self._parts:
            self._parts[name] = kind(part, self._kept)
        return self._parts[name]


class _View:
    """The engine with other settings, encoder and linker; all else is the engine's own."""

    def __init__(self, engine: Engine, encoder: Encoder, linker: Any) -> None:
        self.settings, self.encoder, self.linker = engine.settings, encoder, linker
        self._engine = engine

    @cached_property
    def states(self) -> Any:
        """Those of the kb, where a part that is tried has use for them and the settings have not.

        Asked for only by such parts, when the settings of the view name them.
        """
        return type(self._engine).__dict__["states"].func(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


class _Source:
    def __init__(self, source: Source, kept: dict[Any, Any]) -> None:
        self.name, self._source, self._kept = source.name, source, kept

    def find(self, asked: Asked, *, limit: int, filters: Filters) -> Sequence[IndexHit]:
        """See ``Source``."""
        key = ("find", self.name, asked.text, limit, filters)
        if key not in self._kept:
            self._kept[key] = self._source.find(asked, limit=limit, filters=filters)
        found: Sequence[IndexHit] = self._kept[key]
        return found


class _Scorer:
    def __init__(self, scorer: Scorer, kept: dict[Any, Any]) -> None:
        self.name, self._scorer, self._kept = scorer.name, scorer, kept

    def score(self, asked: Asked, hits: Sequence[Hit]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        # What a scorer says may depend on all that it is shown, so only the same hits are the same.
        key = ("score", self.name, asked.text, tuple((h.passage_id, h.score) for h in hits))
        if key not in self._kept:
            self._kept[key] = self._scorer.score(asked, hits)
        scores: NDArray[np.float64] = self._kept[key]
        return scores


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
