"""What superseded what, told with its reasons; and the kb as of a day, to be asked like today's.

What supersedes is decided in ``kgrag.stores.standing``, on issuer, scope and date.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from kgrag.records.answer import CitedDocument, to_plain
from kgrag.stores.base import DocumentInfo, TruthStore
from kgrag.stores.past import PastTruth
from kgrag.stores.standing import edition_of

if TYPE_CHECKING:
    from kgrag.config import Settings
    from kgrag.encoding.base import Encoder
    from kgrag.generation.base import LanguageModel
    from kgrag.linking import Linker
    from kgrag.retrieval.passages import HybridRetriever
    from kgrag.stores.graph import Graph
    from kgrag.stores.tokens import TokenStates
    from kgrag.verification.entailment.base import Entailment
    from kgrag.vocabulary.lexicon import Lexicon


class Opened(Protocol):
    """What of an open engine a look back needs; ``kgrag.engine.Engine`` has it."""

    @property
    def truth(self) -> TruthStore: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def encoder(self) -> Encoder: ...
    @property
    def linker(self) -> Linker: ...
    @property
    def lexicon(self) -> Lexicon: ...
    @property
    def model(self) -> LanguageModel | None: ...
    @property
    def entailment(self) -> Entailment | None: ...
    @property
    def states(self) -> TokenStates | None: ...


class Past:
    """An engine as of a day, with what answers are made of: truth, retriever and graph of then.

    They are made when first needed, in memory, from what the kb holds (passages whose vectors are
    cached are not encoded again), and reflect the generation at which this was made.
    """

    def __init__(self, engine: Opened, as_of: str) -> None:
        """ValueError when ``as_of`` is no ISO date."""
        self._engine = engine
        self.truth = PastTruth(engine.truth, as_of)

    @property
    def as_of(self) -> str:
        """The day, as it was given."""
        return self.truth.as_of

    @property
    def settings(self) -> Settings:
        return self._engine.settings

    @property
    def encoder(self) -> Encoder:
        return self._engine.encoder

    @property
    def linker(self) -> Linker:
        return self._engine.linker

    @property
    def lexicon(self) -> Lexicon:
        return self._engine.lexicon

    @property
    def model(self) -> LanguageModel | None:
        return self._engine.model

    @property
    def entailment(self) -> Entailment | None:
        return self._engine.entailment

    @property
    def states(self) -> TokenStates | None:
        """Those of today's passages; a passage that is none of them has its states made."""
        return self._engine.states

    @cached_property
    def retriever(self) -> HybridRetriever:
        """Passages of the documents in force, by words and by meaning."""
        from kgrag.retrieval.index import catch_up
        from kgrag.retrieval.parts import retriever_of
        from kgrag.stores.memory_index import MemoryIndex

        index = MemoryIndex(dimensions=self.encoder.dimensions)
        if self.truth.valid.documents:
            catch_up(self.truth, index, self.encoder)
        return retriever_of(self, index)

    @cached_property
    def graph(self) -> Graph:
        """What the documents in force stated."""
        from kgrag.stores.graph import build_graph

        return build_graph(self.truth)

    def undated(self, collections: Collection[str] = ()) -> int:
        """How many live documents say no date of their own, and are therefore left out.

        Of the ``collections`` only, when any are given.
        """
        found = self.truth.valid.undated
        if not collections:
            return len(found)
        return sum(self.truth.info(key).source.collection in collections for key in found)

    def inexact(self, document_id: str) -> bool:
        """Whether the document's date is too coarse to be sure that it was in force."""
        return document_id in self.truth.valid.inexact


def standing_of(truth: TruthStore, document_id: str) -> Mapping[str, Any]:
    """The document's status with its reasons, as plain values; NotFound for an unknown id.

    ``issuer``, ``scope`` and ``dated`` are what supersession compares, None where the document does
    not say; ``superseded_by``, ``supersedes`` and ``replaced_by`` describe documents.
    """
    info = truth.info(document_id)
    found: dict[str, Any] = {"status": info.status}
    if info.status == "removed":
        return found
    advice = truth.recommendations(document_id=document_id, current=False)
    own = edition_of(info.id, info.source, info.metadata, advice)
    live = truth.current(info.source)
    replaced = live if live is not None and live.id != info.id else None
    return found | {
        "issuer": own.issuer,
        "scope": own.scope,
        "dated": own.dated,
        "claims": list(own.claims),
        "superseded_by": [_cited(truth.info(key)) for key in truth.superseders(document_id)],
        "supersedes": [_cited(truth.info(key)) for key in truth.superseded(document_id)],
        "replaced_by": _cited(replaced) if replaced is not None else None,
    }


def _cited(info: DocumentInfo) -> dict[str, Any]:
    plain: dict[str, Any] = to_plain(CitedDocument.of(info))
    return plain
