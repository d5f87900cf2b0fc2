"""What a statement and its evidence have in common, in numbers: the input of the claims model.

For free paraphrase, where rules on words say little. Kept apart from the slot rules: these numbers
are weighed by a fitted model, which would no longer fit if the rules under it were bettered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.late import best_matches, encode_both
from kgrag.reasoning.coverage import content_words, coverage, weights
from kgrag.sentences import sentences

if TYPE_CHECKING:
    from kgrag.encoding.base import TokenEncoder

NEAREST: Final = 6
"""Sentences of the evidence that are read closely: those that cover most of the statement."""
VERSION: Final = 1
"""Of what the numbers mean; a model fitted to another version does not fit."""
FEATURES: Final = (
    "met", "met_worst", "covered", "cosine", "negation", "no_effect", "direction", "number",
)  # fmt: skip
"""How well the evidence's tokens meet those of the statement, in the mean and in the quarter met
worst; the share of its words that are covered; the best cosine of a sentence. Then whether, beside
the sentence that meets it best, the statement negates, tells an effect, or goes in a direction
where that does otherwise; and whether it has a number that the evidence lacks."""

_NOT: Final = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|n't|fail\w*|lack\w*|absen\w+|"
    r"un(?:able|affected|changed|related|likely)|independent of|ineffective|rather than|refut\w+|"
    r"den(?:y|ied))\b"
)
_NULL: Final = re.compile(
    r"\b(?:no (?:significant|evidence|difference|association|effect|benefit|change|increase)\w*|"
    r"(?:did|does|do|was|were|is|are) not|not (?:significant\w*|associated|differ\w*|affect\w*|"
    r"improve\w*|reduce\w*|increase\w*)|similar|comparable|unchanged|equivalent)\b"
)
_RISE: Final = re.compile(
    r"\b(?:increas\w+|rais\w+|higher|great\w+|more|elevat\w+|ris(?:e|es|ing|en)|rose|enhanc\w+|"
    r"promot\w+|activat\w+|induc\w+|up-?regulat\w+|stimulat\w+|accelerat\w+|facilitat\w+|gain\w*|"
    r"long(?:er|est)|improv\w+|augment\w+|exacerbat\w+|worse\w*|boost\w*|strengthen\w*|high)\b"
)
_FALL: Final = re.compile(
    r"\b(?:decreas\w+|reduc\w+|lower\w*|less\w*|fewer|declin\w+|fall\w*|fell|diminish\w*|inhibit\w+|"
    r"suppress\w+|impair\w+|down-?regulat\w+|attenuat\w+|block\w*|prevent\w*|abolish\w*|abrogat\w+|"
    r"loss|shorter|smaller|weaken\w*|limit\w*|deplet\w+|protect\w*|mitigat\w+|low)\b"
)
_NUMBER: Final = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Near:
    """A statement and the sentences of its evidence that are nearest by their words, best first.

    ``covered`` has each one's share of the statement's words; ``all_covered`` and ``pair_covered``
    those of all the evidence and of the best two together.
    """

    statement: str
    lines: tuple[str, ...]
    covered: tuple[float, ...]
    all_covered: float
    pair_covered: float
    evidence: str


def near(statement: str, evidence: Sequence[str], limit: int = NEAREST) -> Near:
    """The sentences of ``evidence`` that cover most of ``statement``; none of empty evidence."""
    lines = [span.of(text) for text in evidence for span in sentences(text)]
    words = [content_words(line) for line in lines]
    weight = weights(words)
    wanted = content_words(statement)
    shares = [coverage(wanted, having, weight) for having in words]
    order = sorted(range(len(lines)), key=lambda at: -shares[at])[:limit]
    two = [word for at in order[:2] for word in words[at]]
    return Near(
        statement,
        tuple(lines[at] for at in order),
        tuple(shares[at] for at in order),
        coverage(wanted, [w for having in words for w in having], weight) if lines else 0.0,
        coverage(wanted, two, weight) if lines else 0.0,
        "\n".join(evidence),
    )


def features(
    pairs: Sequence[tuple[str, Sequence[str]]], encoder: TokenEncoder
) -> NDArray[np.float64]:
    """Shape (pairs, FEATURES) of statements, each with the texts it is held against."""
    read = [near(statement, evidence) for statement, evidence in pairs]
    texts = sorted({t for n in read for t in (n.statement, *n.lines)}, key=lambda t: (len(t), t))
    vectors, states = encode_both(encoder, texts) if texts else (np.zeros((0, 0)), [])
    place = {text: at for at, text in enumerate(texts)}
    rows = [
        _row(
            n,
            vectors[place[n.statement]],
            np.stack([vectors[place[line]] for line in n.lines]),
            states[place[n.statement]],
            [states[place[line]] for line in n.lines],
        )
        if n.lines
        else [0.0] * len(FEATURES)
        for n in read
    ]
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))


def _row(
    read: Near,
    vector: NDArray[np.float32],
    lines: NDArray[np.float32],
    states: NDArray[np.float32],
    line_states: Sequence[NDArray[np.float32]],
) -> list[float]:
    met = best_matches(states, np.concatenate(line_states), [len(s) for s in line_states])
    pooled = np.sort(met.max(axis=0)) if met.size else np.zeros(1)
    best = _plain(read.lines[int(met.mean(axis=1).argmax())] if met.size else read.lines[0])
    said = _plain(read.statement)
    numbers = set(_NUMBER.findall(read.evidence))
    return [
        float(pooled.mean()),
        float(pooled[: max(1, len(pooled) // 4)].mean()),
        read.all_covered,
        float((lines @ vector).max()),
        float(len(_NOT.findall(said)) % 2 != len(_NOT.findall(best)) % 2),
        float(bool(_NULL.search(said)) != bool(_NULL.search(best))),
        float(_opposed(said, best)),
        float(any(n not in numbers for n in _NUMBER.findall(read.statement))),
    ]


def _plain(text: str) -> str:
    return text.lower().replace("’", "'").replace("n't", " not")


def _opposed(one: str, other: str) -> bool:
    """Whether one tells of a rise alone and the other of a fall alone."""
    first = bool(_RISE.search(one)), bool(_FALL.search(one))
    second = bool(_RISE.search(other)), bool(_FALL.search(other))
    return first != second and sum(first) == sum(second) == 1
