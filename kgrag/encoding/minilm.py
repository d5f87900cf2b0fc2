"""The default encoder, of which all is known before it is loaded.

Loading it costs seconds, and a command that embeds nothing need not wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.quick_import import quick_import
from kgrag.errors import BrokenInvariant, MissingExtra
from kgrag.ids import canonical, sha256
from kgrag.models.catalogue import model_path, spec_of

if TYPE_CHECKING:
    from kgrag.encoding.sentence_transformer import SentenceTransformerEncoder

_NAME: Final = "all-minilm-l6-v2"
_MAX_TOKENS: Final = 256


class MiniLM:
    """all-MiniLM-L6-v2, loaded by the first call that encodes; MissingModel when not fetched."""

    name = _NAME
    dimensions = 384
    sha256 = sha256(canonical([spec_of(_NAME).sha256, _MAX_TOKENS]))

    def __init__(self) -> None:
        model_path(_NAME)
        self._loading = threading.Lock()
        self._loaded: SentenceTransformerEncoder | None = None

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Encoder``."""
        return self._encoder().encode(texts)

    def encode_tokens(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """See ``TokenEncoder``."""
        return self._encoder().encode_tokens(texts)

    def encode_both(
        self, texts: Sequence[str]
    ) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        """What ``encode`` and ``encode_tokens`` give, from one pass over the texts."""
        return self._encoder().encode_both(texts)

    def _encoder(self) -> SentenceTransformerEncoder:
        with self._loading:
            if self._loaded is None:
                try:
                    with quick_import():
                        from kgrag.encoding.sentence_transformer import load_minilm

                        loaded = load_minilm()
                except ModuleNotFoundError as error:
                    missing = error.name or "sentence-transformers"
                    raise MissingExtra(missing, extra="models", purpose="encoding") from error

                # What was said before loading must be what was loaded, or vectors would be mixed.
                if (loaded.sha256, loaded.dimensions) != (self.sha256, self.dimensions):
                    raise BrokenInvariant("the default encoder is not what the catalogue says")
                self._loaded = loaded
            return self._loaded
