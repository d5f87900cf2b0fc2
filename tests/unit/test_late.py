"""Late interaction: packing of states, MaxSim by hand, and the scorer with and without a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from kgrag.encoding.hashing import HashingEncoder, unit_rows
from kgrag.encoding.late import (
    WEAKEST_WEIGHT,
    StateCode,
    best_matches,
    encode_both,
    late_scores,
    maxsim,
    turning,
)
from kgrag.records.answer import CitedDocument, Hit
from kgrag.retrieval import late
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.index import open_states
from kgrag.retrieval.late import LateInteraction

ENCODER = HashingEncoder(64)


def rows(seed: int, count: int, dimensions: int) -> NDArray[np.float32]:
    made = np.random.default_rng(seed).standard_normal((count, dimensions))
    return unit_rows(made.astype(np.float32))


@pytest.mark.parametrize("dimensions", [7, 30, 64, 384])
def test_packing_keeps_directions_and_lengths(dimensions: int) -> None:
    code, states = StateCode(dimensions), rows(0, 200, dimensions)
    packed = code.pack(states)
    assert packed.shape == (200, -(-dimensions // 4))
    assert packed.dtype == np.uint8
    back = code.unpack(packed)
    assert back.shape == states.shape
    assert np.allclose(np.linalg.norm(back, axis=1), 1, atol=1e-5)
    cosines = (back * code.turned(states)).sum(axis=1)
    assert cosines.mean() > 0.92
    assert np.array_equal(StateCode(dimensions).pack(states), packed)


def test_a_state_on_one_axis_is_packed_as_well_as_any() -> None:
    axes = np.eye(384, dtype=np.float32)
    code = StateCode(384)
    assert ((code.unpack(code.pack(axes))) * code.turned(axes)).sum(axis=1).min() > 0.9


@pytest.mark.parametrize("dimensions", [1, 6, 384, 512])
def test_turning_is_orthogonal(dimensions: int) -> None:
    turn = turning(dimensions)
    assert np.allclose(turn @ turn.T, np.eye(dimensions), atol=1e-5)


def test_the_form_of_packing_is_the_same_on_every_machine() -> None:
    """What lies in kbs depends on it: another result needs another ``StateCode.name``."""
    state = unit_rows(np.array([[3, 1, 4, 1, 5, 9, 2, 6]], dtype=np.float32))
    assert StateCode(8).pack(state).tolist() == [[161, 208]]
    assert StateCode.name == "2bit-1"


def test_no_states_are_packed_as_none() -> None:
    code = StateCode(8)
    assert code.unpack(code.pack(np.zeros((0, 8), dtype=np.float32))).shape == (0, 8)


def test_best_matches_by_hand() -> None:
    question = np.array([[1, 0], [0, 1]], dtype=np.float32)
    tokens = np.array([[1, 0], [0.6, 0.8], [0, 1]], dtype=np.float32)
    found = best_matches(question, tokens, [2, 0, 1])
    assert np.allclose(found, np.array([[1, 0.8], [0, 0], [0, 1]]))
    assert np.allclose(maxsim(question, [tokens[:2], tokens[:0], tokens[2:]]), [0.9, 0, 0.5])
    assert best_matches(question[:0], tokens, [3]).shape == (1, 0)
    assert maxsim(question, []).shape == (0,)


def test_what_is_met_worst_counts_beside_the_mean() -> None:
    # Each token is as far from the two together, so that all weigh the same.
    even = np.full(8, 0.5, dtype=np.float32)
    uneven = np.array([0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.4, 0.0], dtype=np.float32)
    first, second, _ = late_scores(np.stack([even, uneven, 1.5 - even - uneven]))
    assert even.mean() == pytest.approx(uneven.mean())
    assert first == pytest.approx(0.5)
    assert second == pytest.approx((0.5 + WEAKEST_WEIGHT * 0.2) / (1 + WEAKEST_WEIGHT))
    assert late_scores(np.zeros((3, 0), dtype=np.float32)).tolist() == [0, 0, 0]
    assert late_scores(np.zeros((0, 4), dtype=np.float32)).shape == (0,)


def test_a_token_that_all_candidates_have_says_nothing() -> None:
    shared = np.array([[1, 0.8, 0.2], [1, 0.4, 0.6]], dtype=np.float32)
    # By hand: weights 0, 0.4 and 0.6, the lowest quarter of three tokens is one of them.
    wanted = [0.4 * 0.8 + 0.6 * 0.2 + 0.3 * 0.2, 0.4 * 0.4 + 0.6 * 0.6 + 0.3 * 0.4]
    assert np.allclose(late_scores(shared), np.array(wanted) / 1.3)


def test_candidates_that_have_everything_are_equal() -> None:
    assert late_scores(np.ones((2, 3), dtype=np.float32)).tolist() == [1, 1]


def test_vectors_and_states_are_those_of_the_encoder() -> None:
    vectors, states = encode_both(ENCODER, ["aspirin for pain", "rest"])
    assert np.array_equal(vectors, ENCODER.encode(["aspirin for pain", "rest"]))
    assert [len(s) for s in states] == [3, 1]


class Truth:
    """Titles of documents."""

    def info(self, document_id: str) -> Any:
        return SimpleNamespace(metadata=SimpleNamespace(title=TITLES.get(document_id)))


TITLES = {"doc_1": "Gout", "doc_2": None}


class Counting(HashingEncoder):
    """Notes what it reads."""

    def __init__(self) -> None:
        super().__init__(64)
        self.read: list[str] = []

    def encode_tokens(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        self.read.extend(texts)
        return super().encode_tokens(texts)


def hit(number: int, text: str, document: str = "doc_2", section: tuple[str, ...] = ()) -> Hit:
    cited = CitedDocument(document, "uri", "uri")
    return Hit(cited, f"pas_{number}", text, 0, len(text), 1.0, section)


HITS = [
    hit(1, "Colchicine eases an attack.", "doc_1", ("Treatment",)),
    hit(2, "Asthma needs an inhaler."),
    hit(3, "Treatment of gout is colchicine."),
]


def scorer(encoder: HashingEncoder, states: Any = None) -> LateInteraction:
    return LateInteraction(cast("Any", Truth()), encoder, states)


def test_a_passage_is_read_under_its_title_and_headings() -> None:
    encoder = Counting()
    asked = Asked("colchicine treatment of gout", encoder)
    scores = scorer(encoder).score(asked, HITS)
    assert "Gout > Treatment\nColchicine eases an attack." in encoder.read
    assert scores[2] > scores[0] > scores[1]
    assert (abs(scores) <= 1).all()
    assert scorer(encoder).score(asked, []).shape == (0,)


def test_kept_states_give_the_same_scores_and_nothing_is_read(tmp_path: Path) -> None:
    encoder = Counting()
    asked = Asked("colchicine treatment of gout", encoder)
    without = scorer(encoder).score(asked, HITS)
    code = StateCode(64)
    states = open_states(tmp_path, encoder, mode="write")
    texts = ["Gout > Treatment\nColchicine eases an attack.", HITS[1].text, HITS[2].text]
    packed = [code.pack(s) for s in encoder.encode_tokens(texts)]
    states.put((h.passage_id, h.document.id, p) for h, p in zip(HITS, packed, strict=True))
    states.commit(1)
    encoder.read.clear()
    assert scorer(encoder, states).score(asked, HITS) == pytest.approx(without)
    assert encoder.read == []
    # Those of one document are not there: it alone is read.
    states.delete_documents(["doc_1"])
    states.commit(2)
    assert scorer(encoder, states).score(asked, HITS) == pytest.approx(without)
    assert encoder.read == texts[:1]
    states.close()


def test_made_states_are_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late, "MADE_KEPT", 2)
    encoder = Counting()
    asked, part = Asked("gout", encoder), scorer(encoder)
    part.score(asked, HITS[:2])
    part.score(asked, HITS[:2])
    assert encoder.read.count(HITS[1].text) == 1
    part.score(asked, HITS)  # one more than are kept: the oldest goes
    part.score(asked, HITS[1:])
    assert encoder.read.count(HITS[1].text) == 1
    part.score(asked, HITS[:1])
    assert encoder.read.count("Gout > Treatment\nColchicine eases an attack.") == 2


def test_few_passages_are_read_for_a_question_and_the_others_are_not_told() -> None:
    encoder = Counting()
    hits = [hit(number, f"Gout attack number {number}.") for number in range(40)]
    asked, part = Asked("gout", encoder), scorer(encoder)
    encoder.read.clear()
    first = part.score(asked, hits)
    assert len(encoder.read) - 1 == late.MADE_AT_ONCE  # and the question
    assert np.isnan(first).tolist() == [n >= late.MADE_AT_ONCE for n in range(40)]
    assert not np.isnan(part.score(asked, hits)).any()  # those of before were kept


def test_a_token_weighs_by_all_candidates_however_they_are_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoder = HashingEncoder(64)
    words = ["gout", "attack", "colchicine", "inhaler", "rest"]
    hits = [hit(n, " ".join(words[: n % 5 + 1])) for n in range(20)]
    asked = Asked("colchicine for gout attack at rest", encoder)
    few = scorer(encoder).score(asked, hits)
    monkeypatch.setattr(late, "TOGETHER", 20)
    assert scorer(encoder).score(asked, hits) == pytest.approx(few, abs=1e-6)


class Plain:
    """An encoder without token states."""

    name, sha256, dimensions = "plain", "0" * 64, 64

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return ENCODER.encode(texts)


def test_an_encoder_without_token_states_cannot_tell() -> None:
    part = LateInteraction(cast("Any", Truth()), Plain())
    assert np.isnan(part.score(Asked("gout", Plain()), HITS)).all()
