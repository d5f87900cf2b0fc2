"""What can be said of a sentence of a clinical note beside the rest of the note: features.

The sentence that may be wrong is looked for by form alone: the last one that asserts a diagnosis,
an order or an organism. It is held against what the rest tells: how likely a language model finds
it there, how near its concept is in meaning, and whether the kb's passages about such findings
speak of that concept. None of these knows medicine well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from kgrag.reasoning.coverage import content_words
from kgrag.retrieval.hypotheses_findings import read_findings

if TYPE_CHECKING:
    from kgrag.engine import Engine
    from kgrag.records.concepts import Mention

_ASSERTS: Final = re.compile(
    r"\b(?:diagnos\w+|suspect\w*|suspicion|consistent with|prescri\w+|recommend\w*|administ\w+|"
    r"order(?:ed)?|start(?:ed)?|given|gave|require\w*|requiring|indicated|schedule\w*|scheduling|"
    r"plan|planned|treat\w*|"
    r"initiat\w+|began|begun|therapy|referred|performed|advised|due to|secondary to|cultures?|"
    r"grows?|grew|confirm\w*|reveal\w+ the presence|caused? by|likely|counsel\w*|perscri\w+|trial|"
    r"received|placed on|obtained|undergo\w*|taken to|consult\w*|screen\w*|vaccin\w*)\b",
    re.IGNORECASE,
)
# What a sentence is chiefly about, by type.
_WORTH: Final = ("disease", "drug", "chemical", "procedure", "phenotype", "other")
_MOST_CHARS: Final = 3500
_PASSAGES: Final = 20
NAMES: Final = (
    "lm_given", "lm_alone", "lm_gain", "cosine", "name_cosine", "kb_rank", "kb_share",
    "kb_covered",
)  # fmt: skip


def suspected(sentences: Sequence[str]) -> int:
    """The place of the last sentence that asserts something, else of the last one."""
    asserting = [i for i, text in enumerate(sentences) if _ASSERTS.search(text)]
    return asserting[-1] if asserting else len(sentences) - 1


def features(sentences: Sequence[str], at: int, engine: Engine) -> Mapping[str, float]:
    """The values of ``NAMES`` for the sentence ``at``: zeros where there is nothing beside it.

    ``lm_given`` and ``lm_alone`` are mean natural log likelihoods of its tokens, after the rest
    and alone; ``lm_gain`` is their difference. ``cosine`` and ``name_cosine`` are of the sentence
    and of its chief concept's name to the findings. ``kb_rank`` is the reciprocal rank of the first
    passage found by the rest that names the concept, ``kb_share`` the share of them that do, and
    ``kb_covered`` the most findings that a passage about concept and findings has.
    """
    text = sentences[at]
    rest = " ".join(s for i, s in enumerate(sentences) if i != at)[:_MOST_CHARS]
    found = dict.fromkeys(NAMES, 0.0)
    if rest.strip() and text.strip():
        found |= {**_likelihood(text, rest, engine), **_beside(text, rest, engine)}
    return found


def _likelihood(text: str, rest: str, engine: Engine) -> Mapping[str, float]:
    model = engine.model
    if model is None:
        return {}
    given, alone = model.query_likelihood(text, [rest, "A clinical note."])
    return {"lm_given": given, "lm_alone": alone, "lm_gain": given - alone}


def _beside(text: str, rest: str, engine: Engine) -> Mapping[str, float]:
    findings = read_findings(rest, engine.linker.link(rest)).text or rest
    chief = _chief(engine.linker.link(text))
    name = engine.name_of(chief.concept) if chief else text
    vectors = engine.encoder.encode([text, findings, name])
    words = set(content_words(chief.text if chief else text))
    names = set(content_words(name))
    hits = engine.search(rest, limit=_PASSAGES)
    told = [set(content_words(f"{h.document.title} {h.text}")) for h in hits]
    named = [i for i, have in enumerate(told) if words <= have or (names and names <= have)]
    asked = set(content_words(findings))
    covered = [
        len(asked & set(content_words(h.text))) / max(1, len(asked))
        for h in engine.search(f"{name}. {findings}"[:_MOST_CHARS], limit=5)
        if words <= set(content_words(f"{h.document.title} {h.text}"))
    ]
    return {
        "cosine": float(vectors[0] @ vectors[1]),
        "name_cosine": float(vectors[2] @ vectors[1]),
        "kb_rank": 1.0 / (1 + named[0]) if named else 0.0,
        "kb_share": len(named) / max(1, len(hits)),
        "kb_covered": max(covered, default=0.0),
    }


def _chief(mentions: Sequence[Mention]) -> Mention | None:
    """The mention that the sentence is about: by type, the longest of those."""
    of_worth = [m for m in mentions if m.type in _WORTH]
    return min(of_worth, key=lambda m: (_WORTH.index(m.type), -len(m.text)), default=None)
