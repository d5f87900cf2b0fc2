"""What stands above what, over all vocabularies together: no concept is above itself."""

from __future__ import annotations

from kgrag_ingest.ontologies.merge import Merged


def parents(merged: Merged) -> tuple[dict[str, tuple[str, ...]], int]:
    """The parents of each concept, sorted, and the number of links left out.

    Vocabularies disagree on what is broader; a link that would close a circle is left out, in
    the order of the ids, so that the outcome depends on the content alone.
    """
    above = {
        curie: sorted(
            {p for parent in entry.parents if (p := merged.curie(parent)) is not None} - {curie}
        )
        for curie, entry in merged.entries.items()
    }
    left_out = _break_circles(above)
    return {curie: tuple(its) for curie, its in above.items() if its}, left_out


def _break_circles(above: dict[str, list[str]]) -> int:
    """Every link to a concept whose own ancestors are being looked at is removed."""
    done: set[str] = set()
    removed = 0
    for start in sorted(above):
        if start in done:
            continue
        path = [start]
        on_path = {start}
        waiting = [list(reversed(above[start]))]
        while path:
            if waiting[-1]:
                parent = waiting[-1].pop()
                if parent in on_path:
                    above[path[-1]].remove(parent)
                    removed += 1
                elif parent not in done:
                    path.append(parent)
                    on_path.add(parent)
                    waiting.append(list(reversed(above[parent])))
            else:
                waiting.pop()
                finished = path.pop()
                on_path.discard(finished)
                done.add(finished)
    return removed
