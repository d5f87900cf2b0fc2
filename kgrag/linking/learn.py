"""Learning from labelled documents: names, concepts, and the weights of a logistic model.

A name is judged in each document by what the *other* documents say of it, so that the weights
learn what counts are worth and not the labels themselves. Needs scipy.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.linking.disambiguate import stop_names
from kgrag.linking.features import place_features
from kgrag.linking.learned import KINDS, PLAIN, Kind, Learned, LearnedName, Weights
from kgrag.linking.linker import crosses
from kgrag.linking.match import Found, Matcher, Words
from kgrag.linking.normalise import Folded, fold, numbers
from kgrag.linking.weigh import Option, option
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import WEAK, Candidate, Lexicon

_AGREE: Final = 0.6  # of the labels of a lexicon's concept must call it by one other id
_RARE: Final = 3  # features seen less often are left out
_SMALL: Final = 0.02  # and weights below this


@dataclass(frozen=True, slots=True)
class Label:
    """A labelled span; ``concepts`` are CURIEs, none when the label names no usable one."""

    start: int
    end: int
    kind: Kind
    concepts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A document with all its labels of the kinds that are learned from it."""

    id: str
    text: str
    labels: tuple[Label, ...]


class _Read:
    """A labelled document, folded and split."""

    def __init__(self, document: Labelled) -> None:
        self.id, self.text, self.labels = document.id, document.text, document.labels
        self.folded: Folded = fold(document.text)
        self.words = Words(self.folded.text)
        self.found: list[Found] = []

    def place(self, at: int, count: int) -> tuple[int, int, str]:
        """The span in the text, and the folded name."""
        first, last = self.words.span(at, count)
        return self.folded.start(first), self.folded.end(last), self.folded.text[first:last]


def learn(
    lexicon: Lexicon,
    documents: Sequence[Labelled],
    *,
    about: Mapping[str, object] | None = None,
    l2: float = 1.0,
    least_documents: int = 1,
) -> Learned:
    """What the labels of ``documents`` teach beside ``lexicon``; the same for the same input.

    A kind that has no label in any document is not learned. ``l2`` is the weight of the penalty.
    Names that fewer than ``least_documents`` write are weighed with but not given back.
    """
    read = [_Read(document) for document in sorted(documents, key=lambda d: d.id)]
    kinds = sorted({label.kind for document in read for label in document.labels})
    counts = {kind: _Counts(lexicon, read, kind) for kind in kinds}
    spelled = sorted({name for c in counts.values() for name in c.bases})
    matcher = Matcher(lexicon, spelled)
    for document in read:
        document.found = matcher.find(document.words)
    names: list[LearnedName] = []
    weights: dict[Kind, Weights] = {}
    same: dict[str, str] = {}
    concepts: Counter[str] = Counter()
    for kind, its in counts.items():
        its.count_seen(read)
        rows, right = its.instances(read)
        weights[kind] = _fit(rows, right, l2)
        names += its.names(least_documents)
        same.update(its.same(None))
        concepts.update(its.concepts)
    return Learned(tuple(names), weights, same, dict(concepts), dict(about or {}))


class _Counts:
    """All counts of one kind, in all documents and in each."""

    def __init__(self, lexicon: Lexicon, read: Iterable[_Read], kind: Kind) -> None:
        self.lexicon, self.kind = lexicon, kind
        self.never, _ = stop_names()
        self.labels: dict[str, Counter[str | None]] = defaultdict(Counter)
        self.labels_in: dict[str, dict[str, Counter[str | None]]] = {}
        self.concepts: Counter[str] = Counter()
        self.concepts_in: dict[str, Counter[str]] = {}
        self.calls: Counter[tuple[str, str]] = Counter()
        self.calls_in: dict[str, Counter[tuple[str, str]]] = {}
        self.seen: Counter[str] = Counter()
        self.seen_in: dict[str, Counter[str]] = {}
        self._candidates: dict[str, tuple[Candidate, ...]] = {}
        for document in read:
            self._count(document)
        self.bases: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.labels):
            for spelled in numbers(name, plural=len(name) > 4):
                self.bases[spelled].append(name)

    def _count(self, document: _Read) -> None:
        labels: dict[str, Counter[str | None]] = defaultdict(Counter)
        concepts: Counter[str] = Counter()
        calls: Counter[tuple[str, str]] = Counter()
        for label in document.labels:
            if label.kind != self.kind:
                continue
            concepts.update(label.concepts)
            name = fold(document.text[label.start : label.end]).text.strip()
            if len(name) < 2 or len(label.concepts) > 1:
                continue
            concept = label.concepts[0] if label.concepts else None
            labels[name][concept] += 1
            its = [c for c in self.candidates(name) if KINDS.get(c.type) == self.kind]
            if concept and its and its[0].kind < WEAK:
                known = any(c.curie == concept for c in its)
                calls[its[0].curie, its[0].curie if known else concept] += 1
        for name, its_labels in labels.items():
            self.labels[name].update(its_labels)
        self.concepts.update(concepts)
        self.calls.update(calls)
        self.labels_in[document.id] = labels
        self.concepts_in[document.id] = concepts
        self.calls_in[document.id] = calls

    def candidates(self, name: str) -> tuple[Candidate, ...]:
        if name not in self._candidates:
            self._candidates[name] = self.lexicon.names(name)
        return self._candidates[name]

    def count_seen(self, read: Iterable[_Read]) -> None:
        """Count where the texts write each name, but for places inside a longer label."""
        for document in read:
            seen: Counter[str] = Counter()
            spans = [(x.start, x.end) for x in document.labels if x.kind == self.kind]
            for at, names in document.found:
                for count, _ in names:
                    start, end, name = document.place(at, count)
                    if count > 1 and crosses(document.text[start:end]):
                        continue
                    if any(a <= start and end <= b and (a, b) != (start, end) for a, b in spans):
                        continue
                    if name in self.bases or self._of_kind(name):
                        seen[name] += 1
            self.seen.update(seen)
            self.seen_in[document.id] = seen

    def _of_kind(self, name: str) -> bool:
        return any(KINDS.get(c.type) == self.kind for c in self.candidates(name))

    def same(self, without: str | None) -> dict[str, str]:
        """A concept of the lexicon to the id that labels call it by; ``without`` one document."""
        calls = self.calls if without is None else self.calls - self.calls_in[without]
        by_concept: dict[str, Counter[str]] = defaultdict(Counter)
        for (own, called), times in calls.items():
            by_concept[own][called] += times
        found = {}
        for own, called_by in by_concept.items():
            called, times = min(called_by.items(), key=lambda item: (-item[1], item[0]))
            if called != own and times >= _AGREE * called_by.total():
                found[own] = called
        return found

    def entry(self, name: str, without: str | None) -> LearnedName | None:
        """What the labels say of a name; ``without`` those of one document."""
        seen, labels, variant = self.seen[name], self.labels.get(name, Counter()), False
        if without is not None:
            seen -= self.seen_in[without][name]
            labels = labels - self.labels_in[without].get(name, Counter())
        if not labels:
            for base in self.bases.get(name, ()):
                if base != name:
                    its = self.labels[base]
                    if without is not None:
                        its = its - self.labels_in[without].get(base, Counter())
                    labels = labels + its
            variant = bool(labels)
        if not labels and not seen:
            return None
        named = [(times, concept) for concept, times in labels.items() if concept]
        right, concept = min(((-t, c) for t, c in named), default=(0, None))
        labelled = labels.total()
        candidates = [c for c in self.candidates(name) if KINDS.get(c.type) == self.kind]
        type_: ConceptType = candidates[0].type if candidates else PLAIN[self.kind]
        if variant:
            seen += labelled
        return LearnedName(name, self.kind, concept, type_, -right, labelled, seen, variant)

    def names(self, least_documents: int) -> Iterator[LearnedName]:
        """The entries of all names that were labelled or seen, without their other numbers."""
        written = Counter(
            name
            for document in self.labels_in
            for name in {*self.labels_in[document], *self.seen_in[document]}
        )
        for name in sorted({*self.labels, *self.seen}):
            if written[name] < least_documents:
                continue
            entry = self.entry(name, None)
            if entry is not None and not entry.variant:
                yield entry
            elif entry is not None and self.seen[name]:
                yield LearnedName(
                    name, self.kind, None, entry.type, 0, 0, self.seen[name]
                )  # fmt: skip

    def instances(self, read: Iterable[_Read]) -> tuple[list[dict[str, float]], list[bool]]:
        """The features of each place of a name, and whether a label says that it is meant."""
        rows: list[dict[str, float]] = []
        answers: list[bool] = []
        for document in read:
            same, free = self.same(document.id), 0
            concepts = self.concepts - self.concepts_in[document.id]
            cache: dict[str, Option | None] = {}
            for at, names in document.found:
                if at < free:
                    continue
                for count, _ in names:
                    start, end, name = document.place(at, count)
                    if count > 1 and crosses(document.text[start:end]):
                        continue
                    if name not in cache:
                        cache[name] = option(
                            name,
                            self.kind,
                            self.candidates(name),
                            self.entry(name, document.id),
                            same=same,
                            concepts=concepts,
                            stopped=name in self.never,
                        )
                    choice = cache[name]
                    if choice is None:
                        continue
                    row = dict(choice.features)
                    for feature in place_of(document.text, document.words, at, count, start, end,
                                            known=choice.known):  # fmt: skip
                        row[feature] = 1.0
                    meant = self._meant(document, start, end, choice.concept)
                    rows.append(row)
                    answers.append(meant)
                    if meant:
                        free = at + count
                        break
        return rows, answers

    def _meant(self, document: _Read, start: int, end: int, concept: str) -> bool:
        return any(
            (label.start, label.end) == (start, end) or concept in label.concepts
            for label in document.labels
            if label.kind == self.kind and label.start <= start and end <= label.end
        )


def place_of(
    text: str, words: Words, at: int, count: int, start: int, end: int, *, known: bool
) -> list[str]:
    """The features of the place ``text[start:end]``, which is ``count`` words from word ``at``."""
    tokens = words.words
    return place_features(
        text[start:end],
        tokens[at - 1] if at else "",
        tokens[at + count] if at + count < len(tokens) else "",
        text[start - 1] if start else "",
        text[end : end + 1],
        known=known,
    )


def _fit(rows: Sequence[Mapping[str, float]], right: Sequence[bool], l2: float) -> Weights:
    """The weights of the logistic model with the least loss and penalty."""
    from scipy.optimize import minimize
    from scipy.sparse import csr_array

    times = Counter(feature for row in rows for feature in row)
    columns = {f: at for at, f in enumerate(sorted(f for f, n in times.items() if n >= _RARE))}
    pointers, indices, values = [0], [], []
    for row in rows:
        for feature, value in row.items():
            if feature in columns:
                indices.append(columns[feature])
                values.append(value)
        pointers.append(len(indices))
    matrix = csr_array((values, indices, pointers), shape=(len(rows), len(columns)))
    signs = np.where(np.array(right, dtype=bool), 1.0, -1.0)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = signs * (matrix @ weights[:-1] + weights[-1])
        slope = -signs / (1.0 + np.exp(np.clip(margins, -500, 500)))
        value = float(np.logaddexp(0.0, -margins).sum() + l2 / 2 * weights[:-1] @ weights[:-1])
        return value, np.append(matrix.T @ slope + l2 * weights[:-1], slope.sum())

    found = minimize(
        loss, np.zeros(len(columns) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 200}
    ).x
    weights = {f: round(float(found[at]), 3) for f, at in columns.items()}
    return Weights(
        round(float(found[-1]), 3), {f: w for f, w in weights.items() if abs(w) >= _SMALL}
    )
