"""Which pieces become statements: in what order, joined where they belong together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from kgrag.errors import BrokenInvariant, KgragError, SettingsError
from kgrag.reasoning.coverage import content_words, coverage
from kgrag.reasoning.keep_checks import made_whole, statement_of
from kgrag.reasoning.parts import Parts
from kgrag.reasoning.rounds import Draft, Strand, chance_of, guarded, overlap
from kgrag.records.answer import Statement
from kgrag.retrieval.context import Citable
from kgrag.retrieval.rerank import Ranked

MARGIN: Final = 3.0
"""A further statement scores at most this much less than the first (in log odds)."""
FOLLOWING: Final = 0.75
"""The share of the threshold that a further statement must reach: the first one carries the
question's subject, and what goes on from it often does not name it again."""
OFFERED: Final = 10
"""How many pieces the language model chooses from, when it chooses."""


def choose(draft: Draft, strand: Strand, parts: Parts) -> list[Ranked]:
    """The pieces in the order in which they may become statements, near repeats left out."""
    choice = draft.options.choice or parts.choice
    if draft.options.choice == "model" and parts.model is None:
        raise SettingsError(
            "no language model is loaded that could choose", hint='set generation.order = "model"'
        )
    pieces = _different(strand.ranked)
    if choice == "rerank" or parts.model is None:
        return [r for r in pieces if r.score >= pieces[0].score - MARGIN]
    offered = pieces[:OFFERED]
    with guarded("choice", passing=KgragError):
        chosen = parts.model.choose(
            strand.question, [r.citable.text for r in offered], count=draft.options.statements
        )
        if not all(type(i) is int for i in chosen):
            raise BrokenInvariant("the language model chose what is no place in the list")
        return [offered[i] for i in dict.fromkeys(chosen) if 0 <= i < len(offered)]


def _different(ranked: Sequence[Ranked], most: int = 30) -> list[Ranked]:
    """Best first, without pieces of other places that say an earlier one in the same words."""
    kept: list[Ranked] = []
    words: list[set[str]] = []
    for candidate in ranked:
        piece = candidate.citable
        mine = set(content_words(piece.text))
        repeats = any(
            min(coverage(mine, other), coverage(other, mine)) >= 0.8
            and not overlap(k.citable, piece)
            for k, other in zip(kept, words, strict=True)
        )  # fmt: skip
        if not repeats:
            kept.append(candidate)
            words.append(mine)
        if len(kept) == most:
            break
    return kept


def keep(
    draft: Draft, strand: Strand, parts: Parts, ordered: Sequence[Ranked], most: int
) -> list[Statement]:
    """At most ``most`` statements that passed every check, in order; the others are dropped.

    A piece is first made whole: extended over its own condition and strength, or refused. One that
    overlaps or follows one already kept becomes one quotation with it when both together fit the
    limit of words, so that a list or an argument is not quoted in shreds.
    """
    pieces: list[Citable] = []
    kept: list[Statement] = []
    limit = draft.options.words
    asked = draft.matter(strand.asked if strand.bridge else strand.question)

    def text_of(document_id: str) -> str:
        return parts.truth.document(document_id).text

    for candidate in ordered:
        # The chance of the question is that of its best piece; dropped, it takes that along.
        best = candidate == strand.ranked[0]
        chance = strand.chance if best else chance_of(asked, parts, [candidate])
        if not best and not chance >= FOLLOWING * draft.threshold:
            continue
        piece = made_whole(candidate.citable, parts, limit)
        if piece is None:
            continue
        with guarded("span"):
            at = next((i for i, p in enumerate(pieces) if _touch(p, piece, text_of)), None)
            joined = None if at is None else _joined(pieces[at], piece, text_of)
        if at is not None and joined is not None:
            whole = made_whole(joined, parts, limit) if joined.words <= limit else None
            if whole is not None:
                statement = statement_of(draft, strand, parts, whole, kept[at].confidence)
                if statement is not None:
                    pieces[at], kept[at] = whole, statement
                    continue
            if overlap(pieces[at], piece):
                continue
        if len(kept) == most:
            continue
        sure = _sure(parts, chance, asked=best and not kept)
        statement = statement_of(draft, strand, parts, piece, sure)
        if statement is not None:
            pieces.append(piece)
            kept.append(statement)
    return kept


def _sure(parts: Parts, chance: float, *, asked: bool) -> float | None:
    """What is told of how sure a quotation is to answer. Measured is the chance of a question, with
    its best piece; of further pieces nothing is known that could be told."""
    if parts.sure is None:
        return round(chance, 4)
    with guarded("calibration"):
        told = parts.sure(chance) if asked else None
        return None if told is None else round(float(told), 4)


def _touch(one: Citable, other: Citable, text_of: Callable[[str], str]) -> bool:
    """Whether the two overlap, or follow each other in one paragraph of one section."""
    if (one.document_id, one.section) != (other.document_id, other.section):
        return False
    first, second = sorted((one, other), key=lambda c: (c.start, c.end))
    if second.start <= first.end:
        return True
    between = text_of(one.document_id)[first.end : second.start]
    return not between.strip() and "\n" not in between


def _joined(one: Citable, other: Citable, text_of: Callable[[str], str]) -> Citable:
    """The one piece that holds both, from the first character to the last."""
    start, end = min(one.start, other.start), max(one.end, other.end)
    first = min(one, other, key=lambda c: c.start)
    text = text_of(one.document_id)[start:end]
    return replace(first, start=start, end=end, text=text, doubt=max(one.doubt, other.doubt))
