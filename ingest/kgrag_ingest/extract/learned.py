"""Assertions of titles and abstracts by learned weights: a chemical induces a disease.

The weights were fitted on abstracts (``bench/train_relations.py``), so that they are asked about
the title and abstract of an article only. An edge opens to the one sentence that speaks for it the
most; without a common sentence, or where none speaks for itself, there is no edge, and one that
holds a word of denial is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from kgrag.errors import SettingsError
from kgrag.paths import resource
from kgrag.records.assertions import Assertion, Certainty, Evidence, Tier
from kgrag.records.concepts import Mention
from kgrag.records.text import Document, Span
from kgrag.sentences import sentences
from kgrag_ingest.extract.check import assertion_problem
from kgrag_ingest.extract.headings import index_start
from kgrag_ingest.extract.induced import Common, Pair, pairs
from kgrag_ingest.extract.rules import Rules
from kgrag_ingest.extract.sentence import Found, reject

RULE: Final = "classifier.causes"
_READERS: Final = ("jats/", "medline/")
# What a sentence must add to the log odds by itself, so that it may stand as evidence.
_SPEAKS: Final = 0.5
# A longer text is no abstract, whatever its section is called.
_LONGEST: Final = 8000
_HEAD: Final = re.compile(r"# ([^:]+): (.*)")


@dataclass(frozen=True, slots=True)
class Weights:
    """Log odds by feature; a pair of ``candidate`` and more is said, of ``asserted`` asserted."""

    features: Mapping[str, float]
    intercept: float
    candidate: float
    asserted: float

    def score(self, pair: Pair) -> float:
        """The log odds of the pair."""
        get = self.features.get
        return self.intercept + sum(get(k, 0.0) * v for k, v in pair.features.items())

    def speaks(self, common: Common) -> float:
        """What the sentence's own words add to the log odds."""
        return sum(self.features.get(name, 0.0) for name in common.features)


@cache
def weights() -> Weights:
    """The shipped weights."""
    return read_weights(resource("ontologies", "relation_weights.tsv"))


def read_weights(path: Path) -> Weights:
    """The weights of a file; SettingsError names the line that is not well formed."""
    head: dict[str, str] = {}
    features: dict[str, float] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        named = _HEAD.fullmatch(line)
        name, tab, value = line.partition("\t")
        try:
            if named is not None:
                head[named.group(1)] = named.group(2)
            elif tab:
                features[name] = float(value)
            else:
                raise ValueError("neither a head nor a weight")
        except ValueError as error:
            raise SettingsError(f"{path.name}, line {number}: {error}") from error
    try:
        known = [float(head[k]) for k in ("intercept", "candidate from", "asserted from")]
    except (KeyError, ValueError) as error:
        raise SettingsError(f"{path.name}: the head lacks {error}") from error
    return Weights(features, *known)


def abstract(document: Document) -> Span | None:
    """Title and abstract of an article, without index headings; None of any other document."""
    if not document.reader.startswith(_READERS) or not document.text:
        return None
    end = index_start(document) or len(document.text)
    if document.reader.startswith("jats/"):
        parts = [s for s in document.sections if s.title.strip().lower() == "abstract"]
        if not parts:
            return None
        end = parts[0].end
    return Span(0, end) if end <= _LONGEST else None


def read_abstract(
    document: Document, mentions: Sequence[Mention], rules: Rules, known: Weights | None = None
) -> Found:
    """The assertions of the title and abstract, and the rejects. ``mentions`` are in order."""
    span = abstract(document)
    if span is None:
        return [], []
    known = known or weights()
    inside = [m for m in mentions if m.end <= span.end]
    if len(inside) < 2:
        return [], []
    spans = sentences(document.text, span.start, span.end)
    found: list[Assertion] = []
    rejects: list[Mapping[str, Any]] = []
    for pair in pairs(document.text, spans, inside, together=True):
        log_odds = known.score(pair)
        if log_odds < known.candidate:
            continue
        best = max(pair.common, key=lambda c: (known.speaks(c), -c.number))
        if known.speaks(best) < _SPEAKS:
            continue
        tier: Tier = "candidate"
        if log_odds >= known.asserted and _says_so(document.text, best, rules):
            tier = "asserted"
        made = _assertion(document, spans[best.number], best, tier, rules)
        reason = _problem(document.text, spans[best.number], best, rules)
        reason = reason or assertion_problem(
            made, document.text, (best.chemical.type, best.disease.type)
        )
        if reason is None:
            found.append(made)
        else:
            rejects.append(reject(made, reason))
    return found, rejects


def _says_so(text: str, best: Common, rules: Rules) -> bool:
    """Whether the words between the two say that the one brought the other about."""
    chemical, disease = best.chemical, best.disease
    if chemical.start < disease.start:
        between = text[chemical.end : disease.start].lower()
        return rules.learned["forward"].search(between) is not None
    between = text[disease.end : chemical.start].lower()
    return rules.learned["backward"].search(between) is not None


def _problem(text: str, sentence: Span, best: Common, rules: Rules) -> str | None:
    if best.disease.negated or best.disease.absent or best.disease.family:
        return "the mention is negated"
    low = min(best.chemical.start, best.disease.start)
    high = max(best.chemical.end, best.disease.end)
    denial = rules.denial.search(text[low:high].lower())
    if denial is not None:
        return f"a denial that the weights do not read: {denial.group()}"
    folded = sentence.of(text).lower()
    if rules.not_said.search(folded) or folded.endswith("?"):
        return "not said to be so"
    if rules.learned["relieves"].search(folded):
        return "words of relief, of comparison or of use"
    if not rules.learned["hints"].search(folded):
        return "no word of bringing about"
    return None


def _assertion(
    document: Document, sentence: Span, best: Common, tier: Tier, rules: Rules
) -> Assertion:
    quote = sentence.of(document.text)
    possible = rules.possible.search(quote.lower()) is not None
    certainty: Certainty = "possible" if possible else "probable"
    return Assertion(
        best.chemical.concept,
        "causes",
        best.disease.concept,
        tier=tier,
        certainty=certainty,
        evidence=(
            Evidence(
                document.id,
                sentence.start,
                sentence.end,
                quote,
                (best.chemical.start, best.chemical.end),
                (best.disease.start, best.disease.end),
                RULE,
            ),
        ),
    )
