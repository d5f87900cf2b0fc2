"""A whole run over one suite: baselines, the settings' retrieval, and every part by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from kgrag.errors import BadQuestion, SettingsError, UnknownName
from kgrag.evaluation.measures import library, measure
from kgrag.evaluation.once import Once
from kgrag.evaluation.report import (
    Part,
    Report,
    differences,
    figures_of,
    group_figures,
    made_with,
)
from kgrag.evaluation.run import BASELINES, Finder, baseline_finders, parts_finder, rank_all
from kgrag.evaluation.suite import Suite
from kgrag.progress import SILENT, Progress
from kgrag.retrieval.fusion import fitted
from kgrag.retrieval.parts import SCORERS, SOURCES

if TYPE_CHECKING:
    from kgrag.engine import Engine

DEFAULT = "default"


def chosen_parts(
    parts: Sequence[str], without: Sequence[str] = (), added: Sequence[str] = ()
) -> tuple[str, ...]:
    """``parts`` less ``without`` and with ``added``.

    UnknownName for one that is no part; SettingsError when no source is left, or when one is taken
    out that is not there.
    """
    _known((*without, *added))
    absent = [name for name in without if name not in parts]
    if absent:
        raise SettingsError(f"{absent[0]!r} is not among the parts: {', '.join(parts)}")
    kept = tuple(name for name in dict.fromkeys((*parts, *added)) if name not in without)
    if not any(name in SOURCES for name in kept):
        raise SettingsError("without a source nothing is found", hint=f"keep {', '.join(SOURCES)}")
    return kept


def evaluate(
    engine: Engine,
    suite: Suite,
    *,
    split: str = "all",
    without: Sequence[str] = (),
    added: Sequence[str] = (),
    tried: Sequence[str] | None = None,
    progress: Progress = SILENT,
) -> Report:
    """The report of ``suite`` (already of its ``split``) over the open kb.

    ``default`` is the retrieval of the settings less ``without`` and with ``added``. Each part of
    ``tried`` (None: all there are) is taken out where it is among them, and added where it is not.
    UnknownName for one that is no part.
    """
    library()  # said now, not after the questions were asked
    began = time.perf_counter()
    parts = chosen_parts(engine.settings.retrieval.parts, without, added)
    once = Once(engine)
    finders: dict[str, Finder] = dict(baseline_finders(once))
    finders[DEFAULT] = parts_finder(once, parts)
    fusion = fitted(engine.encoder.name)
    each: list[tuple[str, bool, str | None]] = []
    for name in (*SOURCES, *SCORERS) if tried is None else _known(tried):
        on = name in parts
        changed = tuple(p for p in parts if p != name) if on else (*parts, name)
        reason = None
        if not (fusion.weights.get(name) or fusion.second.get(name)):
            reason = f"no weight was fitted for it with {engine.encoder.name}"
        elif any(p in SOURCES for p in changed):
            try:
                finder = parts_finder(once, changed)
                with suppress(BadQuestion):
                    finder(suite.queries[0].text)  # what is loaded late is missed now
                finders[_way(name, on)] = finder
            except SettingsError as error:  # a model or an extra that is not here
                reason = error.message
        else:
            reason = "nothing else finds passages"
        each.append((name, on, reason))
    rankings = rank_all(engine, suite, finders, forget=once.forget, progress=progress)
    scores = {way: measure(suite, found) for way, found in rankings.items()}
    mine = scores[DEFAULT]
    report_parts = []
    for name, on, reason in each:
        gain = None
        if reason is None:
            other = scores[_way(name, on)]
            gain = differences(mine, other) if on else differences(other, mine)
        report_parts.append(Part(name, on, gain, reason))
    return Report(
        suite=suite.name,
        split=split,
        primary=suite.primary,
        questions=tuple(q.id for q in suite.queries),
        notes=suite.notes,
        parts_on=parts,
        figures=figures_of(scores),
        against={name: differences(mine, scores[name]) for name in BASELINES},
        parts=tuple(report_parts),
        groups=group_figures(suite, {w: scores[w] for w in (*BASELINES, DEFAULT)}),
        made_with=made_with(engine),
        seconds=round(time.perf_counter() - began, 1),
        scores={w: {m: v.tolist() for m, v in found.items()} for w, found in scores.items()},
    )


def _known(names: Sequence[str]) -> Sequence[str]:
    known = (*SOURCES, *SCORERS)
    for name in names:
        if name not in known:
            raise UnknownName("part of retrieval", name, known)
    return names


def _way(name: str, on: bool) -> str:
    return f"without {name}" if on else f"with {name}"
