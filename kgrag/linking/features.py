"""What is known of a name, and of a place where a text writes it, when it is weighed.

Training and reading call the same functions, so a weight means the same in both. A feature is a
short readable text; those that begin with ``S`` were seen among the labels, with ``U`` not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log, log1p
from typing import Final

from kgrag.vocabulary.lexicon import GENERATED, Candidate

Features = list[tuple[str, float]]

_MOST_WORDS: Final = 4
_MOST_LETTERS: Final = 8


def name_features(
    name: str,
    candidates: Sequence[Candidate],
    other_types: Iterable[str],
    *,
    labelled: int,
    seen: int,
    variant: bool,
    stopped: bool,
    concept_labelled: int,
) -> Features:
    """The features of a folded name as one kind (condition, substance).

    ``candidates`` are those of the kind, best first; ``labelled`` and ``seen`` count the labels
    with this name and the places where the labelled texts write it; ``concept_labelled`` the
    labels with its concept, by whatever name.
    """
    features: Features = []
    known = "S" if seen or labelled else "U"
    if known == "S":
        other = max(seen - labelled, 0)
        features += [
            ("seen", 1.0),
            ("log odds", log((labelled + 0.3) / (other + 0.3))),
            ("log labelled", log1p(labelled)),
            ("log unlabelled", log1p(other)),
        ]
        if not labelled:
            features += [("never labelled", 1.0), (f"never labelled of {min(other, 4)}", 1.0)]
    if variant:
        features.append(("variant", 1.0))
    if candidates:
        best = candidates[0]
        features += [
            (f"{known} kind {best.kind}", 1.0),
            (f"{known} prefix {best.curie.partition(':')[0]}", 1.0),
            (f"{known} type {best.type}", 1.0),
            (f"{known} candidates {min(len(candidates), 3)}", 1.0),
        ]
        if best.cased:
            features.append((f"{known} cased", 1.0))
    else:
        features.append((f"{known} not in the lexicon", 1.0))
    features += [(f"{known} also {other}", 1.0) for other in other_types]
    words = name.split(" ")
    features += [
        (f"{known} words {min(len(words), _MOST_WORDS)}", 1.0),
        (f"{known} letters {min(len(name), _MOST_LETTERS)}", 1.0),
        (f"{known} head {words[-1]}", 1.0),
        (f"{known} first {words[0]}", 1.0),
        (f"{known} ending {words[-1][-3:]}", 1.0),
        (f"{known} ending {words[-1][-4:]}", 1.0),
        (f"concept labelled {min(concept_labelled, 3)}", 1.0),
        ("log concept labelled", log1p(max(concept_labelled, 0))),
    ]
    if stopped:
        features.append(("stop name", 1.0))
    return features


def place_features(
    surface: str, previous: str, following: str, before: str, after: str, *, known: bool
) -> list[str]:
    """The features of a place: the folded words and the characters on both sides, and capitals."""
    tag = "S" if known else "U"
    features = [f"< {previous}", f"> {following}", f"[ {before}", f"] {after}"]
    if after == "-":
        features.append(f"- {following}")
    if before == "-":
        features.append(f"{previous} -")
    if before == "(" and after == ")":
        features.append("in brackets")
    if surface.isupper():
        features.append(f"{tag} upper")
        if len(surface) <= 4:
            features.append(f"{tag} short upper")
    elif sum(char.isupper() for char in surface) >= 2:
        features.append(f"{tag} capitals")
    elif surface[0].isupper():
        features.append(f"{tag} capital")
    return features


class PlaceWeights:
    """The weights of a model's place features, kept by what they look at.

    ``sum`` is the sum of the weights of ``place_features`` for the same arguments, without making
    the features: a place is weighed for every doubtful name of a text.
    """

    __slots__ = ("_after", "_all", "_before", "_following", "_previous")

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._all = weights
        self._previous = _under("< ", weights)
        self._following = _under("> ", weights)
        self._before = _under("[ ", weights)
        self._after = _under("] ", weights)

    def sum(
        self, surface: str, previous: str, following: str, before: str, after: str, *, known: bool
    ) -> float:
        """The log odds that the place adds."""
        odds = (
            self._previous.get(previous, 0.0)
            + self._following.get(following, 0.0)
            + self._before.get(before, 0.0)
            + self._after.get(after, 0.0)
        )
        if before in ("-", "(") or after == "-" or not surface.islower():
            features = place_features(surface, previous, following, before, after, known=known)
            odds += sum([self._all.get(feature, 0.0) for feature in features[4:]])
        return odds


def _under(prefix: str, weights: Mapping[str, float]) -> dict[str, float]:
    size = len(prefix)
    return {name[size:]: weight for name, weight in weights.items() if name.startswith(prefix)}


def is_solid(candidate: Candidate) -> bool:
    """Whether a vocabulary writes the name or its other number, without asking for capitals."""
    return candidate.kind <= GENERATED and not candidate.cased
