"""What must hold of a document before it is kept, and of one that is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from kgrag.errors import BrokenInvariant
from kgrag.ids import sha256
from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Mention
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document, Passage
from kgrag.stores.base import Ingested


def check_ingested(item: Ingested) -> None:
    """BrokenInvariant when ``item`` must not be committed; the message holds no text of it."""
    document = item.document
    problems = list(document_problems(document))
    if sha256(item.original) != document.original_sha256:
        problems.append("the original's bytes have another hash")
    problems += passage_problems(document, item.passages)
    problems += mention_problems(document, item.mentions)
    problems += assertion_problems(document, item.assertions)
    problems += recommendation_problems(document, item.recommendations)
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        raise BrokenInvariant(f"{document.id} was not kept: {problems[0]}{more}")


def document_problems(document: Document) -> Iterator[str]:
    """Structure that does not fit the stored text."""
    size = len(document.text)
    if "\0" in document.text:
        yield "the stored text holds a NUL"
    if not document.text.isascii():
        try:
            document.text.encode()
        except UnicodeEncodeError:
            yield "the stored text holds half a character (a lone surrogate)"
    spans = [("block", b.start, b.end) for b in document.blocks]
    spans += [("section", s.start, s.end) for s in document.sections]
    spans += [("table row", r.start, r.end) for t in document.tables for r in t.rows]
    for kind, start, end in spans:
        if not 0 <= start < end <= size:
            yield f"a {kind} at [{start}, {end}) does not fit {size} characters"
    for page in document.pages:  # a page without text is empty
        if not 0 <= page.start <= page.end <= size:
            yield f"page {page.number} at [{page.start}, {page.end}) does not fit"


def passage_problems(document: Document, passages: Sequence[Passage]) -> Iterator[str]:
    """Passages of other documents, that do not fit, or that share an id."""
    size = len(document.text)
    seen: set[str] = set()
    for passage in passages:
        if passage.document_id != document.id:
            yield f"{passage.id} belongs to {passage.document_id}"
        if not 0 <= passage.start < passage.end <= size:
            yield f"{passage.id} at [{passage.start}, {passage.end}) does not fit"
        if passage.id in seen:
            yield f"{passage.id} is there twice"
        seen.add(passage.id)


def mention_problems(document: Document, mentions: Sequence[Mention]) -> Iterator[str]:
    """Mentions whose text is not the text at their place."""
    text = document.text
    for mention in mentions:
        start, end = mention.start, mention.end
        if not 0 <= start < end or text[start:end] != mention.text:
            yield f"a mention at [{start}, {end}) is not the text there"


def assertion_problems(document: Document, assertions: Iterable[Assertion]) -> Iterator[str]:
    """Assertions without evidence, or with evidence that this document does not hold."""
    text = document.text
    for assertion in assertions:
        if not assertion.evidence:
            yield f"{assertion.id} has no evidence"
        for piece in assertion.evidence:
            if piece.document_id != document.id:
                yield f"{assertion.id} has evidence in {piece.document_id}"
            elif not 0 <= piece.start < piece.end or text[piece.start : piece.end] != piece.quote:
                yield f"evidence of {assertion.id} at [{piece.start}, {piece.end}) is not the text"
            for start, end in (piece.subject_span, piece.object_span):
                if not 0 <= start < end <= len(text):
                    yield f"evidence of {assertion.id} has a mention outside the text"


def recommendation_problems(
    document: Document, recommendations: Iterable[Recommendation]
) -> Iterator[str]:
    """Recommendations whose words are not the text, or that are there twice."""
    text = document.text
    seen: set[str] = set()
    for advice in recommendations:
        name = advice.id
        if advice.document_id != document.id:
            yield f"{name} belongs to {advice.document_id}"
        if not 0 <= advice.start < advice.end or text[advice.start : advice.end] != advice.quote:
            yield f"{name} at [{advice.start}, {advice.end}) is not the text"
        grades = [grade for grade in (advice.strength, advice.certainty) if grade is not None]
        spans = [advice.action, advice.population, advice.lead, *advice.exceptions]
        for start, end in [s for s in spans if s is not None] + [g.span for g in grades]:
            if not 0 <= start < end <= len(text):
                yield f"{name} has a part outside the text"
        for grade in grades:
            if text[slice(*grade.span)] != grade.raw:
                yield f"a grade of {name} at {grade.span} is not the text"
        if name in seen:
            yield f"{name} is there twice"
        seen.add(name)


def count_mentions(
    passages: Sequence[Passage], mentions: Iterable[Mention]
) -> dict[tuple[str, int], int]:
    """How often the passage at each position holds each concept: by (concept, position).

    A mention counts for every passage that holds it whole.
    """
    counted: Counter[tuple[str, int]] = Counter()
    order = sorted(range(len(passages)), key=lambda at: passages[at].start)
    open_: list[int] = []
    following = 0
    for mention in sorted(mentions, key=lambda m: m.start):
        while following < len(order) and passages[order[following]].start <= mention.start:
            open_.append(order[following])
            following += 1
        open_ = [at for at in open_ if passages[at].end > mention.start]
        for at in open_:
            if mention.end <= passages[at].end:
                counted[mention.concept, at] += 1
    return dict(counted)


def merged(assertions: Iterable[Assertion]) -> dict[str, Assertion]:
    """Assertions by id, those with the same id merged into one."""
    found: dict[str, list[Assertion]] = {}
    for assertion in assertions:
        found.setdefault(assertion.id, []).append(assertion)
    # Merging puts the evidence in order even of a single one, so equal input is stored equally.
    return {name: first.merged(*others) for name, (first, *others) in found.items()}
