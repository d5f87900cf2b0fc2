"""The end of the list: repeats, too many of one document, what is far behind, who comes first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from kgrag.records.answer import Hit
from kgrag.records.question import Selection

# Of the best score: passages from here upward are "about as good" when one's own come first.
_ABOUT_AS_GOOD: Final = 0.6
_WORD: Final = re.compile(r"\w+")


def select(hits: Sequence[Hit], selection: Selection, *, limit: int) -> list[Hit]:
    """At most ``limit`` of ``hits`` (best first) as ``selection`` wants them listed."""
    if not hits:
        return []
    near = [h for h in hits if h.score >= selection.cutoff * hits[0].score or not selection.cutoff]
    if selection.prefer:
        near = _preferred(near, {name.casefold() for name in selection.prefer})
    kept: list[Hit] = []
    said: set[str] = set()
    of_document: Counter[str] = Counter()
    for hit in near:
        if len(kept) == limit:
            break
        if selection.per_document is not None:
            of_document[hit.document.id] += 1
            if of_document[hit.document.id] > selection.per_document:
                continue
        if not selection.repeats:
            # Nearly the same is not the same: one number may differ, and it may be the dose.
            mine = " ".join(_WORD.findall(hit.text.casefold()))
            if mine in said:
                continue
            said.add(mine)
        kept.append(hit)
    return kept


def _preferred(hits: Sequence[Hit], names: Collection[str]) -> list[Hit]:
    """Among the hits about as good as the best, those of ``names`` first; the rest as they were."""
    floor = _ABOUT_AS_GOOD * hits[0].score
    near = [h for h in hits if h.score >= floor]
    rest = hits[len(near) :]
    own = [h for h in near if _is_of(h, names)]
    return [*own, *(h for h in near if not _is_of(h, names)), *rest]


def _is_of(hit: Hit, names: Collection[str]) -> bool:
    of = (hit.document.collection, hit.document.publisher)
    return any(name is not None and name.casefold() in names for name in of)
