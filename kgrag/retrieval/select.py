"""The end of the list: repeats, too many of one document, what is far behind, who comes first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from kgrag.records.answer import Hit
from kgrag.records.question import Selection

# Of how far the best one stands out: "about as good", when one's own come first.
_ABOUT_AS_GOOD: Final = 0.6
_WORD: Final = re.compile(r"\w+")


def select(hits: Sequence[Hit], selection: Selection, *, limit: int) -> list[Hit]:
    """At most ``limit`` of ``hits`` (best first) as ``selection`` wants them listed."""
    if not hits:
        return []
    near: Sequence[Hit] = hits
    if selection.prefer:
        near = _preferred(hits, {name.casefold() for name in selection.prefer})
    if selection.cutoff:
        floor = _floor(hits, selection.cutoff)
        near = [h for h in near if h.score >= floor]
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


def _floor(hits: Sequence[Hit], share: float) -> float:
    """The score that stands out from the average candidate by ``share`` of what the best one does.

    Scores have no zero of their own: what parts them is how far they are from the middle.
    """
    middle = sum(h.score for h in hits) / len(hits)
    return middle + share * (hits[0].score - middle)


def _preferred(hits: Sequence[Hit], names: Collection[str]) -> list[Hit]:
    """Among the hits about as good as the best, those of ``names`` first; the rest as they were."""
    floor = _floor(hits, _ABOUT_AS_GOOD)
    near = [h for h in hits if h.score >= floor]
    rest = hits[len(near) :]
    own = [h for h in near if _is_of(h, names)]
    return [*own, *(h for h in near if not _is_of(h, names)), *rest]


def _is_of(hit: Hit, names: Collection[str]) -> bool:
    of = (hit.document.collection, hit.document.publisher)
    return any(name is not None and name.casefold() in names for name in of)
