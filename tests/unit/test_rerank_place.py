"""A piece is read in its place: the title and headings that it stands under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from kgrag.records.text import Span
from kgrag.retrieval.context import Citable
from kgrag.retrieval.rerank import LinearReranker
from kgrag.retrieval.rerank_features import NAMES, late_features

QUESTION = "what causes pulmonary oedema"
PIECE = Citable(
    0, "doc_1", "pas_1", 0, 39, "congestion of the lungs causes this one", Span(0, 39),
    "paragraph", (), "", None,
)  # fmt: skip


class WordEncoder:
    """Each different word is a direction of its own, so that cosines are worked out by hand."""

    name, sha256, dimensions = "words", "0" * 64, 64

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise NotImplementedError("late interaction reads token states alone")

    def encode_tokens(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        made = []
        for text in texts:
            rows = [self.known.setdefault(w, len(self.known)) for w in text.lower().split()]
            made.append(np.eye(64, dtype=np.float32)[rows].reshape(-1, 64))
        return made


def values(piece: Citable) -> dict[str, float]:
    row = late_features(QUESTION, [piece], WordEncoder())[0]
    return dict(zip(NAMES[-4:], map(float, row), strict=True))


def test_words_of_the_heading_count_as_words_of_the_piece() -> None:
    alone = values(PIECE)
    under = values(replace(PIECE, section=("Pulmonary oedema",)))
    assert alone["maxsim"] == pytest.approx(1 / 4)  # "causes", of four words
    assert under["maxsim"] == pytest.approx(3 / 4)
    assert (alone["weakest"], under["weakest"]) == (0.0, 0.0)  # "what" is met by neither
    assert values(replace(PIECE, title="What pulmonary oedema is"))["weakest"] == 1.0


def test_the_cosine_is_of_the_piece_alone() -> None:
    assert values(PIECE)["cosine"] == values(replace(PIECE, title="Oedema"))["cosine"]


def test_the_piece_under_the_right_heading_comes_first() -> None:
    wrong = replace(PIECE, section=("Pulmonary fibrosis",))
    right = replace(PIECE, number=1, section=("Pulmonary oedema",))
    ranked = LinearReranker(WordEncoder()).rank(QUESTION, [wrong, right])
    assert [r.citable.number for r in ranked] == [1, 0]


def test_an_empty_question_or_piece_has_no_value() -> None:
    assert not late_features("", [PIECE], WordEncoder()).any()
    assert not late_features(QUESTION, [replace(PIECE, text="")], WordEncoder()).any()
    assert late_features(QUESTION, [], WordEncoder()).shape == (0, 4)


def test_a_place_names_each_heading_once() -> None:
    piece = replace(PIECE, title="Cholera", section=("Cholera", "Treatment"))
    assert piece.place == "Cholera. Treatment"
