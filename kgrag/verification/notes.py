"""A note held against a kb: each sentence supported, contradicted or not covered, with evidence.

A sentence is looked up like a question; what may be quoted of the passages is the closed set of
``build_context``, as for an answer. ``supported`` needs one piece, with its title and headings,
that passes every check of the ``Judge`` and names what the sentence names. Everything else
that is not clearly contradicted is ``not_covered``: a note is full of what no source knows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Final, Protocol

from kgrag.errors import BadQuestion
from kgrag.ids import make_id, sha256
from kgrag.progress import SILENT, Progress
from kgrag.reasoning.coverage import content_words, coverage, weights
from kgrag.records.answer import Check, Citation
from kgrag.records.notes import CheckedSentence, NoteCheck, NoteEvidence
from kgrag.records.question import Selection
from kgrag.retrieval.context import Citable, Context, Found, build_context
from kgrag.retrieval.scope import Scope
from kgrag.stores.base import TruthStore
from kgrag.verification.judge import Judge
from kgrag.verification.names import Links
from kgrag.verification.notes_graph import Opposed, check_graph
from kgrag.verification.notes_sentences import NoteSentence, note_sentences
from kgrag.verification.quotes import check_span

MAX_NOTE_CHARS: Final = 200_000
LEAST_ABOUT: Final = 0.4
"""The least share of a sentence's content words that a piece and its place have, to be judged."""
LEAST_AGAINST: Final = 0.6
"""The same for a piece that is to contradict the sentence."""
LEAST_OF_PIECE: Final = 0.22
"""The least share of the content words of a contradicting piece that the sentence has."""
_MOST_CHARS: Final = 1_500  # of one sentence; what is longer is no sentence
_HALF: Final = re.compile("[\ud800-\udfff]")
_REFERENCE: Final = re.compile(r"\[[\d,;\s–-]{1,30}\]")
_NUMBER: Final = re.compile(r"\d+")
_NAMED: Final = frozenset({"drug", "chemical", "disease"})


class Searches(Protocol):
    """Passages for a text: ``HybridRetriever``."""

    def candidates(
        self, question: str, *, limit: int = 20, selection: Selection | None = None
    ) -> Sequence[Found]: ...


@dataclass(frozen=True, slots=True)
class NoteOptions:
    """The limits of one note. ``passages`` are looked at for a sentence and ``pieces`` of them are
    judged; ``seconds`` bounds the whole (None: no bound), ``sentences`` how many are looked up."""

    passages: int = 6
    pieces: int = 8
    sentences: int = 500
    seconds: float | None = None
    selection: Selection = field(default_factory=Selection)


def check_note(
    note: str,
    truth: TruthStore,
    searches: Searches,
    linker: Links,
    options: NoteOptions | None = None,
    *,
    id: str | None = None,
    progress: Progress = SILENT,
    turn: AbstractContextManager[object] | None = None,
    judge: Judge | None = None,
) -> NoteCheck:
    """Every sentence of the note with its verdict and evidence.

    ``judge`` is who compares a sentence with a piece: the rules with ``linker`` when it is None.
    ``turn`` is held while a sentence is looked up, and given back between two. BadQuestion when
    the note is empty, no text, or longer than ``MAX_NOTE_CHARS``. A check that breaks ends the
    call: no sentence is called supported by what could not be checked.
    """
    began = time.perf_counter()
    _check(note)
    limits = options or NoteOptions()
    found = list(
        checked(note, truth, searches, linker, limits, progress=progress, turn=turn, judge=judge)
    )
    whole = all(s.reason not in (_NO_TIME, _TOO_MANY) for s in found)
    return NoteCheck(
        id or make_id("note", sha256(note.encode())),
        note,
        tuple(found),
        complete=whole,
        warnings=() if whole else ("the note was not checked to its end",),
        timings_ms={"total": round((time.perf_counter() - began) * 1000, 2)},
    )


_NO_TIME: Final = "the time was up before it was looked up"
_TOO_MANY: Final = "the note has more sentences than are looked up"
_NOT_JUDGED: Final = {
    "question": "a question says nothing that could be checked",
    "heading": "a heading says nothing that could be checked",
    "patient": "it tells of this patient, whom no document knows",
}


def checked(
    note: str,
    truth: TruthStore,
    searches: Searches,
    linker: Links,
    options: NoteOptions,
    *,
    progress: Progress = SILENT,
    turn: AbstractContextManager[object] | None = None,
    judge: Judge | None = None,
) -> Iterator[CheckedSentence]:
    """The sentences of ``check_note`` one by one, as each is done."""
    _check(note)
    checker = _Checker(truth, searches, linker, options, judge or Judge(linker))
    parts = list(note_sentences(note))
    progress.stage("checking", len(parts), "sentences")
    until = None if options.seconds is None else time.monotonic() + options.seconds
    before: list[str] = []
    for number, sentence in enumerate(parts):
        if number >= options.sentences:
            yield _uncovered(sentence, _TOO_MANY)
        elif until is not None and time.monotonic() > until:
            yield _uncovered(sentence, _NO_TIME)
        else:
            with turn or nullcontext():
                one = checker.check(sentence, before)
            yield one
        before = [] if sentence.kind == "heading" else [*before[-1:], sentence.text]
        progress.advance()


def _check(note: str) -> None:
    if not any(c.isalnum() for c in note):
        raise BadQuestion("the note is empty")
    if len(note) > MAX_NOTE_CHARS:
        raise BadQuestion(f"the note is longer than {MAX_NOTE_CHARS:,} characters")
    if _HALF.search(note):
        raise BadQuestion("the note holds half of a character")


def _uncovered(
    sentence: NoteSentence,
    reason: str,
    nearest: Citation | None = None,
    checks: tuple[Check, ...] = (),
) -> CheckedSentence:
    return CheckedSentence(
        sentence.start, sentence.end, sentence.text, sentence.kind, "not_covered",
        nearest=nearest, checks=checks, reason=reason,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Judged:
    """A piece, what it was found to say, and the share of the sentence that it covers."""

    evidence: NoteEvidence
    covered: float


class _Checker:
    """What the sentences of one note are checked with."""

    def __init__(
        self,
        truth: TruthStore,
        searches: Searches,
        linker: Links,
        options: NoteOptions,
        judge: Judge,
    ) -> None:
        self._truth, self._searches, self._linker = truth, searches, linker
        self._options, self._judge = options, judge
        self._scope = Scope(truth, options.selection)

    def check(self, sentence: NoteSentence, before: Sequence[str]) -> CheckedSentence:
        """The sentence, after those of ``before``, with its verdict."""
        if reason := _NOT_JUDGED.get(sentence.kind):
            return _uncovered(sentence, reason)
        text = " ".join(sentence.text.split())
        if len(text) > _MOST_CHARS:
            return _uncovered(sentence, "it is too long to be one sentence")
        mentions = self._linker.link(text)
        graph = check_graph(text, mentions, self._scope)
        if sentence.kind == "plan" and sentence.of_one:
            return self._by_graph(sentence, graph, "it tells what is done with this patient")
        named = {m.concept: m.text for m in mentions if m.type in _NAMED}
        asked = text
        if sentence.refers:
            earlier = [m for part in before for m in self._linker.link(part) if m.type in _NAMED]
            if not earlier:
                return _uncovered(sentence, "it refers to something that was not recognised")
            named |= {earlier[-1].concept: earlier[-1].text}
            asked = f"{earlier[-1].text}: {text}"
        if len(set(content_words(text))) < 2 and not named:
            return _uncovered(sentence, "it has too few words to look up")
        judged, nearest = self._judged(text, asked, named)
        return self._conclude(sentence, judged, graph, nearest)

    def _judged(
        self, text: str, asked: str, named: dict[str, str]
    ) -> tuple[list[_Judged], Citation | None]:
        """What the pieces nearest to the sentence say of it, best first, and the nearest piece."""
        options = self._options
        listed = self._searches.candidates(
            asked, limit=options.passages, selection=options.selection
        )
        context = build_context(listed, self._truth, words=120)
        found: list[_Judged] = []
        nearest: Citation | None = None
        for covered, piece in _nearest(text, context.citables, options.pieces):
            if covered < LEAST_ABOUT:
                break
            citation = _citation(piece, context)
            span = check_span(citation, piece.text, self._truth)
            if span.result != "pass":
                continue
            nearest = nearest or citation
            if not self._names(named, piece):
                continue
            result = self._judge(text, [piece.text, piece.place])
            if result.verdict == "not_enough_info":
                continue
            if result.verdict == "contradicted" and not _may_contradict(
                text, piece, covered, result.checks
            ):
                continue
            evidence = NoteEvidence(
                citation, result.verdict, result.confidence, (span, *result.checks)
            )
            found.append(_Judged(evidence, covered))
        return found, nearest

    def _names(self, named: dict[str, str], piece: Citable) -> bool:
        """Whether the piece, or its place, names every drug and disease of the sentence."""
        around = f"{piece.place}. {piece.text}"
        words = _words(around)
        said = {m.concept for m in self._linker.link(around)}
        return all(c in said or _words(t) <= words for c, t in named.items())

    def _by_graph(self, sentence: NoteSentence, graph: Opposed, reason: str) -> CheckedSentence:
        if graph.citation is None:
            return _uncovered(sentence, reason, checks=(graph.check,))
        span = check_span(graph.citation, graph.citation.quote, self._truth)
        if span.result != "pass":
            return _uncovered(sentence, reason, checks=(span,))
        evidence = NoteEvidence(graph.citation, "contradicted", None, (span, graph.check))
        return CheckedSentence(
            sentence.start, sentence.end, sentence.text, sentence.kind, "contradicted",
            (evidence,), checks=(graph.check,),
        )  # fmt: skip

    def _conclude(
        self,
        sentence: NoteSentence,
        judged: Sequence[_Judged],
        graph: Opposed,
        nearest: Citation | None,
    ) -> CheckedSentence:
        place = sentence.start, sentence.end, sentence.text, sentence.kind
        support = [j.evidence for j in judged if j.evidence.verdict == "supported"]
        against = [j.evidence for j in sorted(judged, key=_plainness) if not _supports(j)]
        if support:
            # What holds for other people, or says another thing too, is nothing against it.
            clear = tuple(e for e in against if _failed(e) & _CLEAR and not _failed(e) - _CLEAR)
            return CheckedSentence(
                *place, "supported", tuple(support[:3]), clear[:3], checks=(graph.check,)
            )
        if against:
            return CheckedSentence(
                *place, "contradicted", tuple(against[:3]), checks=(graph.check,)
            )  # fmt: skip
        reason = "no document says it in words that could be checked"
        if nearest is None:
            reason = "no document is about it"
        if graph.citation is not None:
            return self._by_graph(sentence, graph, reason)
        return _uncovered(sentence, reason, nearest, (graph.check,))


def _words(text: str) -> frozenset[str]:
    """Content words and numbers, since type 1 is not type 2; marks of references are neither."""
    plain = _REFERENCE.sub(" ", text)
    return frozenset(content_words(plain)) | frozenset(_NUMBER.findall(plain))


def _may_contradict(text: str, piece: Citable, covered: float, checks: Sequence[Check]) -> bool:
    """Whether the piece is about the sentence's matter enough to be held against it.

    A list, or a long sentence that has the words among many others, speaks of something else, and
    so does a sentence that lacks one of the words.
    """
    if any(c.layer == "coverage" and c.result == "fail" for c in checks):
        return False
    own = set(content_words(piece.text))
    shared = own & set(content_words(text))
    return (
        covered >= LEAST_AGAINST
        and len(shared) >= LEAST_OF_PIECE * len(own)
        and "\n" not in piece.text
    )


# Layers that tell another thing of the same people.
_CLEAR: Final = frozenset({"numbers", "units", "dose", "negation", "direction"})


def _supports(judged: _Judged) -> bool:
    return judged.evidence.verdict == "supported"


def _failed(evidence: NoteEvidence) -> frozenset[str]:
    return frozenset(c.layer for c in evidence.checks if c.result == "fail")


def _plainness(judged: _Judged) -> tuple[float, int, str]:
    """The plainest contradiction first: the same words but for one thing, and the latest."""
    date = judged.evidence.citation.document.date or "0"
    newest = "".join(chr(255 - ord(c)) for c in date if ord(c) < 255)
    return -round(judged.covered, 1), len(_failed(judged.evidence)), newest


def _nearest(text: str, pieces: Sequence[Citable], most: int) -> list[tuple[float, Citable]]:
    """The pieces that, with their place, cover most of the sentence's words; ties as they came."""
    words = [content_words(f"{piece.place} {piece.text}") for piece in pieces]
    weight = weights(words)
    wanted = content_words(text)
    scored = [
        (coverage(wanted, having, weight), piece)
        for having, piece in zip(words, pieces, strict=True)
    ]
    # Of two pieces that cover as much, the shorter says it more plainly.
    scored.sort(key=lambda pair: (-round(pair[0], 3), pair[1].words))
    return scored[:most]


def _citation(piece: Citable, context: Context) -> Citation:
    return Citation(
        context.documents[piece.document_id], piece.passage_id, piece.section,
        piece.page, piece.start, piece.end, piece.text,
    )  # fmt: skip
