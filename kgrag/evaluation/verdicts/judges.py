"""Who judges: baselines with thresholds fitted on the dev half, and the product's own rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from kgrag.errors import UnreadableFile
from kgrag.evaluation.data import parsed
from kgrag.evaluation.verdicts.pairs import Gold, Pair
from kgrag.evaluation.verdicts.scoring import Judged
from kgrag.reasoning.coverage import content_words, coverage, weights
from kgrag.sentences import sentences

if TYPE_CHECKING:
    from kgrag.encoding.base import Encoder
    from kgrag.verification.entailment import Entailment
    from kgrag.verification.verdict import Verification

NEAREST: Final = 6
"""Sentences of the evidence, those that cover most of the statement, that cosines are taken of."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A name, what it judges with, and whether its scores are probabilities."""

    name: str
    judge: Callable[[Sequence[Pair]], list[Judged]]
    chance: bool = False


def majority(fitted_on: Sequence[Pair]) -> Judge:
    """The commonest verdict of the pairs it was fitted on, for all."""
    golds = [p.gold for p in fitted_on]
    most: Gold = max(sorted(set(golds)), key=golds.count) if golds else "not_enough_info"
    return Judge("majority", lambda pairs: [Judged(most, 1.0) for _ in pairs])


def every_one_flagged(labels: Sequence[Gold]) -> Judge:
    """Nothing is ever supported."""
    flag: Gold = "unsupported" if "unsupported" in labels else "not_enough_info"
    if "contradicted" in labels and "not_enough_info" not in labels:
        flag = "contradicted"
    return Judge("all flagged", lambda pairs: [Judged(flag, 1.0) for _ in pairs])


Scorer = Callable[[Sequence[Pair]], list[float]]


def scored(name: str, scorer: Scorer, fitted_on: Sequence[Pair], labels: Sequence[Gold]) -> Judge:
    """Supported above the threshold that gave the best macro-F1 on the pairs it was fitted on.

    Below it the commonest other verdict of those pairs.
    """
    others: list[Gold] = [p.gold for p in fitted_on if p.gold != "supported"]
    below: Gold = max(sorted(set(others)), key=others.count) if others else "not_enough_info"
    at = _best_threshold(scorer(fitted_on), [p.gold for p in fitted_on], below, labels)

    def judge(pairs: Sequence[Pair]) -> list[Judged]:
        return [
            Judged("supported" if score >= at else below, abs(score - at), score)
            for score in scorer(pairs)
        ]

    return Judge(name, judge)


def _best_threshold(
    scores: Sequence[float], golds: Sequence[Gold], below: Gold, labels: Sequence[Gold]
) -> float:
    if not scores:
        return 0.5
    values, gold = np.asarray(scores), np.asarray(golds)
    best, found = -1.0, 0.5
    for at in np.unique(np.quantile(values, np.linspace(0, 1, 101))):
        said = np.where(values >= at, "supported", below)
        f1 = [
            2 * ((said == v) & (gold == v)).sum() / max(1, (said == v).sum() + (gold == v).sum())
            for v in labels
        ]
        if np.mean(f1) > best:
            best, found = float(np.mean(f1)), float(at)
    return found


def lexical(pairs: Sequence[Pair]) -> list[float]:
    """The share of the statement's words that the evidence has, rarer ones of it weighing more."""
    found = []
    for pair in pairs:
        lines = [content_words(line) for line in evidence_lines(pair.evidence)]
        having = [word for line in lines for word in line]
        found.append(coverage(content_words(pair.statement), having, weights(lines)))
    return found


def cosine(encoder: Encoder) -> Scorer:
    """The best cosine of the statement with a sentence of the evidence, of the nearest few."""
    vectors: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = {}

    def score(pairs: Sequence[Pair]) -> list[float]:
        near = [nearest(p.statement, evidence_lines(p.evidence)) for p in pairs]
        texts = {t for p, lines in zip(pairs, near, strict=True) for t in (p.statement, *lines)}
        new = sorted(texts - vectors.keys(), key=lambda t: (len(t), t))
        if new:
            vectors.update(zip(new, encoder.encode(new), strict=True))
        return [
            max((float(vectors[p.statement] @ vectors[line]) for line in lines), default=-1.0)
            for p, lines in zip(pairs, near, strict=True)
        ]

    return score


def evidence_lines(evidence: Sequence[str]) -> list[str]:
    """The sentences of all texts, in order."""
    return [span.of(text) for text in evidence for span in sentences(text)]


def nearest(statement: str, lines: Sequence[str], limit: int = NEAREST) -> list[str]:
    """The sentences that cover most of the statement's words, best first, ties by place."""
    words = [content_words(line) for line in lines]
    weight = weights(words)
    wanted = content_words(statement)
    shares = [coverage(wanted, having, weight) for having in words]
    order = sorted(range(len(lines)), key=lambda at: -shares[at])
    return [lines[at] for at in order[:limit]]


def product(verify: Callable[[str, Sequence[str]], Verification], name: str) -> Judge:
    """``kgrag verify`` as it stands: ``kgrag.verification.judge.Judge``."""

    def judge(pairs: Sequence[Pair]) -> list[Judged]:
        found = []
        for pair in pairs:
            verdict = verify(pair.statement, pair.evidence)
            sure = verdict.confidence
            found.append(Judged(verdict.verdict, sure or 0.0, stated=sure))
        return found

    return Judge(name, judge)


def entailed(checker: Entailment, fitted_on: Sequence[Pair], labels: Sequence[Gold]) -> Judge:
    """A checker of the user's: the best probability of any text of the evidence, or of all."""

    def score(pairs: Sequence[Pair]) -> list[float]:
        return [entailment_score(checker, p.statement, p.evidence) for p in pairs]

    return scored("entailment", score, fitted_on, labels)


def entailment_score(checker: Entailment, statement: str, evidence: Sequence[str]) -> float:
    """The probability of support by the text, or all together, that supports best; in [0, 1]."""
    premises = [*evidence, "\n".join(evidence)] if len(evidence) > 1 else list(evidence)
    return max(
        (e.supported for e in checker.judge([(p, statement) for p in premises])), default=0.0
    )


def told_before(name: str, verdicts: Mapping[str, Gold]) -> Judge:
    """Verdicts that were written down, by id of the pair; KeyError for one that is missing."""
    return Judge(name, lambda pairs: [Judged(verdicts[p.id], 1.0) for p in pairs])


def read_verdicts(path: Path) -> dict[str, Gold]:
    """By id, the verdicts of a file that ``kgrag verify --batch`` wrote."""
    found: dict[str, Gold] = {}
    for row in parsed(path.read_bytes(), str(path)):
        if row.get("verdict") not in ("supported", "contradicted", "not_enough_info"):
            raise UnreadableFile(str(path), "a line without a verdict")
        found[str(row["id"])] = row["verdict"]
    return found
