"""Token states that workers made, kept beside the kb as their documents are committed."""

from __future__ import annotations

from kgrag.retrieval.index import STATES_EVERY
from kgrag.stores.base import TruthStore
from kgrag.stores.tokens import Codes, TokenStates


class ArrivingStates:
    """Puts the states of committed documents into ``states``, as a catch-up would.

    Where a document became current whose states did not arrive, no more are committed: the next
    catch-up makes them from where the stamp stands. ``states`` None keeps nothing.
    """

    def __init__(self, truth: TruthStore, states: TokenStates | None) -> None:
        self._truth = truth
        whole = states is not None and states.stamp == truth.generation
        self._states = states if whole else None
        self._seen = truth.generation
        self._waiting = 0

    def add(self, arrived: dict[str, list[tuple[str, Codes]]]) -> None:
        """By document, (passage, packed states): after the documents were committed."""
        if self._states is None:
            return
        changes = list(self._truth.changes(self._seen))
        last = {change.document_id: change.op for change in changes}
        current = [one for one, op in last.items() if op == "add"]
        if any(one not in arrived for one in current):
            self._states = None
            return
        self._states.delete_documents(sorted({c.document_id for c in changes if c.op == "retire"}))
        rows = [(passage, one, codes) for one in current for passage, codes in arrived[one]]
        self._states.put(rows)
        self._waiting += len(rows)
        self._seen = changes[-1].generation if changes else self._seen
        if self._waiting >= STATES_EVERY:
            self.commit()

    def commit(self) -> None:
        """What was added is durable."""
        if self._states is not None and self._states.stamp != self._seen:
            self._states.commit(self._seen)
            self._waiting = 0
