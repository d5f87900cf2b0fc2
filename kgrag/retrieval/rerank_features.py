"""What the reranker knows of a citable piece with regard to a question.

All features are about [0, 1] or a logarithm, so that weights can be read beside one another.
``NAMES`` fixes their order; ``weights.json`` is written with the same names.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.reasoning.coverage import content_words, coverage, weights
from kgrag.retrieval.context import Citable
from kgrag.retrieval.rerank_states import EncodesTokens
from kgrag.verification.units import has_dose, quantities

NAMES: Final = (
    "bm25",  # BM25 of the piece over the highest of all pieces
    "covered",  # weight of the question's words found in the piece
    "covered_before",  # the same, found in the piece, the four sentences before, section or title
    "new_words",  # log(1 + content words beyond the question's), over log 31
    "length",  # log(1 + words) / log 61
    "passage_bm25",  # the passage's score over the highest
    "passage_cosine",  # the passage's cosine
    "passage_rank",  # 1 / (1 + rank of the passage)
    "amount",  # the question asks for an amount or time and the piece names one
    "list",  # the question asks for several and the piece is a list
    "evidence",  # the piece states an assertion that the graph found for the question
    "negation_asked",  # the question asks what not to do and the piece negates
    "passage_score",  # of the passage, as retrieval joined it
    "rank",  # of the passage over 20
    "aim",  # the piece says what was to be found out
    "found",  # how much of a study's findings the piece tells, up to three signs of them
    "maxsim",  # mean over the question's tokens of the highest cosine to a token of piece or place
    "cosine",  # of the mean token states of question and piece
    "weakest",  # as maxsim, over the quarter of the question's tokens that is matched worst
    "telling",  # as maxsim, a token weighing by how far the pieces are from all having it
)
CHEAP: Final = NAMES[:16]

_ASKS_AMOUNT: Final = re.compile(
    r"\b(?:how (?:much|many|often|long|soon|old|frequently)|dos(?:e|es|age|ing)|what age|at which "
    r"age|threshold|cut-?off|percentage|rate|frequency|duration|interval|what level)\b",
    re.IGNORECASE,
)
_ASKS_DOSE: Final = re.compile(r"\b(?:dos(?:e|es|age|ing)|how much)\b", re.IGNORECASE)
_ASKS_SEVERAL: Final = re.compile(
    r"\b(?:what are|which are|list|symptoms|signs|causes|risk factors|side effects|examples|types|"
    r"steps|options|treatments|complications|criteria|who (?:is|are))\b",
    re.IGNORECASE,
)
_ASKS_NOT: Final = re.compile(
    r"\b(?:not|avoid\w*|contraindicat\w*|should(?:n't| not)|unsafe|caution\w*)\b", re.IGNORECASE
)
_NEGATES: Final = re.compile(
    r"\b(?:not|avoid\w*|contraindicat\w*|never|no|caution\w*|without)\b", re.IGNORECASE
)
_ASKS_FINDING: Final = re.compile(
    r"(?:^|[:;,.?\u2014\u2013-])\s*(?:is|are|do|does|did|can|could|has|have|will|would|may|might)\b"
    r"|(?<!side )(?<!adverse )\beffects? of\b|\bversus\b|\bvs\.?\b"
    r"|\b(?:differences?|compared?|comparison) (?:with|to|between|of)\b",
    re.IGNORECASE,
)
_AIM: Final = re.compile(
    r"\b(?:aim(?:s|ed)?|objectives?|purpose|goals?|hypothes\w+|we (?:sought|investigat\w+|examin\w+"
    r"|evaluat\w+|assess\w+|compar\w+|studied|tested|determin\w+|explor\w+)|(?:is|was|were|are) "
    r"(?:to|unclear|unknown|investigated|evaluated|examined|assessed|studied)|to (?:determine"
    r"|investigate|evaluate|assess|examine|compare|explore|test|identify|describe|establish"
    r"|analy[sz]e|study|ascertain|review)|whether|this (?:study|trial|review|paper|article|report"
    r"|section|chapter) (?:aim\w*|was|will|investigat\w*|examin\w*|evaluat\w*|describ\w*))\b",
    re.IGNORECASE,
)
_FOUND: Final = re.compile(
    r"\b[pP]\s*(?:[<=>\u2264\u2265]|-?values?)|\b(?:CI|confidence intervals?|odds ratios?"
    r"|hazard ratios?|relative risks?|risk ratios?|OR|HR|RR|SD|SMD)\b\s*[\[(:=,;0-9]"
    r"|(?i:\bsignificant(?:ly)?\b|\bstatistical\w*"
    r"|\b(?:were|was) (?:\w+ )?(?:associated|correlated|higher|lower|greater|similar|reduced"
    r"|increased|decreased|improved|found|observed|seen|detected)\b"
    r"|\bno (?:\w+ )?(?:differences?|effects?|associations?|changes?|correlations?)\b"
    r"|\b(?:did|does) not (?:\w+ )?(?:differ|change|improve|affect|increase|decrease|reduce|show)\b"
    r"|\b(?:showed|revealed|demonstrated|indicated|resulted in|increased|decreased|improved"
    r"|reduced) )"
)
_SIGNS: Final = 3


def asks_finding(question: str) -> bool:
    """Whether a study could answer: does it work, is it so, what is the effect."""
    return _ASKS_FINDING.search(question) is not None


@dataclass(frozen=True, slots=True)
class Pool:
    """The pieces of one question with the words of each, read once."""

    question: tuple[str, ...]
    pieces: tuple[tuple[str, ...], ...]
    around: tuple[frozenset[str], ...]
    weight: Mapping[str, float]

    @classmethod
    def of(cls, question: str, citables: Sequence[Citable]) -> Pool:
        """Content words of the question, of every piece and of what stands around each."""
        cache: dict[str, tuple[str, ...]] = {}

        def words(text: str) -> tuple[str, ...]:
            if text not in cache:
                cache[text] = tuple(content_words(text))
            return cache[text]

        pieces = tuple(words(c.text) for c in citables)
        around = tuple(
            frozenset((*words(c.before), *words(c.title), *words(" ".join(c.section))))
            for c in citables
        )
        return cls(words(question), pieces, around, weights(pieces))


def cheap_features(
    question: str,
    citables: Sequence[Citable],
    *,
    evidence: Collection[tuple[str, int, int]] = (),
    pool: Pool | None = None,
) -> NDArray[np.float64]:
    """Shape (pieces, len(CHEAP)); ``evidence``: (document, start, end) of quotes of assertions."""
    pool = pool or Pool.of(question, citables)
    asked = set(pool.question)
    bm25 = _bm25(pool)
    top_bm25 = max(bm25, default=0.0) or 1.0
    top_passage = max((c.passage_bm25 for c in citables), default=0.0) or 1.0
    amount, dose = bool(_ASKS_AMOUNT.search(question)), bool(_ASKS_DOSE.search(question))
    several, negative = bool(_ASKS_SEVERAL.search(question)), bool(_ASKS_NOT.search(question))
    stated = _by_document(evidence)
    rows = np.zeros((len(citables), len(CHEAP)))
    for at, citable in enumerate(citables):
        words = set(pool.pieces[at])
        text = citable.text
        rows[at] = (
            bm25[at] / top_bm25,
            coverage(asked, words, pool.weight),
            coverage(asked, words | pool.around[at], pool.weight),
            math.log1p(len(words - asked)) / math.log(31),
            math.log1p(citable.words) / math.log(61),
            citable.passage_bm25 / top_passage,
            citable.passage_cosine,
            1 / (1 + citable.rank),
            float(amount and (has_dose(text) if dose else bool(quantities(text)))),
            float(several and (citable.kind == "list_item" or text.count(",") >= 2)),
            float(_states(citable, stated)),
            float(negative and bool(_NEGATES.search(text))),
            citable.passage_score,
            citable.rank / 20,
            float(bool(_AIM.search(text))),
            min(_SIGNS, len(_FOUND.findall(text))) / _SIGNS,
        )
    return rows


def _bm25(pool: Pool, k1: float = 1.2, b: float = 0.75) -> list[float]:
    lengths = [len(words) for words in pool.pieces]
    mean = sum(lengths) / len(lengths) if lengths else 1.0
    asked = set(pool.question)
    scores: list[float] = []
    for words, length in zip(pool.pieces, lengths, strict=True):
        counts = Counter(w for w in words if w in asked)
        norm = k1 * (1 - b + b * length / (mean or 1.0))
        scores.append(
            sum(pool.weight[w] * n * (k1 + 1) / (n + norm) for w, n in counts.items())
        )  # fmt: skip
    return scores


def _by_document(
    evidence: Collection[tuple[str, int, int]],
) -> dict[str, list[tuple[int, int]]]:
    grouped: dict[str, list[tuple[int, int]]] = {}
    for document, start, end in evidence:
        grouped.setdefault(document, []).append((start, end))
    return grouped


def _states(citable: Citable, evidence: Mapping[str, list[tuple[int, int]]]) -> bool:
    spans = evidence.get(citable.document_id, ())
    return any(start < citable.core.end and citable.core.start < end for start, end in spans)


def late_features(
    question: str, citables: Sequence[Citable], encoder: EncodesTokens
) -> NDArray[np.float64]:
    """Shape (pieces, 4): the last four of ``NAMES``, from one forward pass.

    A token of the question may be met by the piece or by its place, the title and headings that it
    stands under: guidelines name their subject in the heading and not again below it.
    """
    if not citables:
        return np.zeros((0, 4))
    places = list(dict.fromkeys(c.place for c in citables))
    asked, *states = encoder.encode_tokens([question, *(c.text for c in citables), *places])
    if not len(asked):
        return np.zeros((len(citables), 4))
    pieces = states[: len(citables)]
    met = dict(zip(places, (_met(asked, s) for s in states[len(citables) :]), strict=True))
    mean = _mean(asked)
    best = np.zeros((len(pieces), len(asked)), dtype=np.float32)
    cosine = np.zeros(len(pieces))
    for at, (citable, piece) in enumerate(zip(citables, pieces, strict=True)):
        if len(piece):
            best[at] = np.maximum(_met(asked, piece), met[citable.place])
            cosine[at] = float(mean @ _mean(piece))
    return late_rows(best, cosine)


def late_rows(best: NDArray[np.float32], cosine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape (pieces, 4), of the matches of each token of the question, and the cosines."""
    telling = np.maximum(1 - best.mean(axis=0, dtype=np.float64), 0)
    total = telling.sum()
    weight = telling / total if total > 1e-9 else np.full(len(telling), 1 / len(telling))
    return np.column_stack(
        [best.mean(axis=1), cosine, [weakest(row) for row in best], best @ weight]
    )


def _met(asked: NDArray[np.float32], text: NDArray[np.float32]) -> NDArray[np.float32]:
    """For each token of the question the highest cosine to a token of the text; 0 without any."""
    best: NDArray[np.float32] = (
        (asked @ text.T).max(axis=1) if len(text) else np.zeros(len(asked), dtype=np.float32)
    )
    return best


def weakest(best: NDArray[np.float32]) -> float:
    """The mean of the lowest quarter of ``best``, at least one of its values."""
    return float(np.sort(best)[: max(1, len(best) // 4)].mean())


def _mean(tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    if not len(tokens):
        return np.zeros(tokens.shape[-1], dtype=np.float32)
    mean: NDArray[np.float32] = tokens.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return mean / length if length else mean
