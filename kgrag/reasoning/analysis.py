"""What a question asks, of whom and in which parts, without a language model."""

from __future__ import annotations

from collections.abc import Sequence

from kgrag.reasoning.intents import intents
from kgrag.reasoning.paths import asks_for_connection
from kgrag.reasoning.patient import patient_of
from kgrag.reasoning.sub_questions import sub_questions
from kgrag.reasoning.times import time_of
from kgrag.records.analysis import Analysis
from kgrag.records.answer import Seed
from kgrag.retrieval.seeds import Links, Names, find_seeds


def analyse(
    question: str,
    linker: Links | None = None,
    names: Names | None = None,
    *,
    seeds: Sequence[Seed] | None = None,
) -> Analysis:
    """The question taken apart; the same question gives the same analysis.

    Without a ``linker`` and ``names`` there are no seeds, medicines or conditions. ``seeds`` saves
    finding them again. Every ``Stated`` holds the exact characters of ``question``.
    """
    mentions = linker.link(question) if linker is not None else ()
    if seeds is None:
        seeds = (
            find_seeds(question, linker, names) if linker is not None and names is not None else ()
        )
    return Analysis(
        question,
        intents=intents(question),
        seeds=tuple(seeds),
        patient=patient_of(question, mentions),
        time=time_of(question),
        parts=sub_questions(question, seeds),
        connects=asks_for_connection(question),
    )
