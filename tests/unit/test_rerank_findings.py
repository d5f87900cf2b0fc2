"""What a study found comes before what it set out to find; guidelines are not mistaken for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kgrag.errors import BrokenInvariant
from kgrag.reasoning.answerable import LATE_OF_MAXSIM, USUAL_GAP, answer_features
from kgrag.records.text import Span
from kgrag.retrieval.context import Citable
from kgrag.retrieval.rerank import (
    ANSWER_FEATURES,
    FINDING_FEATURES,
    Ranked,
    Weights,
    probability,
    standard,
    tells_findings,
)
from kgrag.retrieval.rerank_features import (
    CHEAP,
    NAMES,
    asks_finding,
    cheap_features,
    late_rows,
)

AIM = "We aimed to determine whether warm baths relieve the pain of the broken toe."
FOUND = "Pain was significantly lower after warm baths (p < 0.01) than without them."
ADVICE = "Offer warm baths to adults with a painful toe."


def piece(number: int, text: str, **values: object) -> Citable:
    made = Citable(
        number, "doc_1", f"pas_{number}", 0, len(text), text, Span(0, len(text)), "paragraph",
        (), "", None,
    )  # fmt: skip
    return replace(made, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "question",
    [
        "Do warm baths relieve pain?",
        "Pain of the toe: is a warm bath enough?",
        "What is the effect of warm baths compared with rest on pain?",
        "Warm versus cold baths",
    ],
)
def test_what_a_study_could_answer(question: str) -> None:
    assert asks_finding(question)


@pytest.mark.parametrize(
    "question",
    [
        "Should warm baths be offered?",
        "What are the side effects of warm baths?",
        "Which baths are offered to adults?",
        "How long is a warm bath?",
    ],
)
def test_what_advice_or_a_textbook_answers(question: str) -> None:
    assert not asks_finding(question)


def test_an_aim_and_a_finding_are_told_apart() -> None:
    rows = cheap_features("Do warm baths relieve pain?", [piece(0, AIM), piece(1, FOUND)])
    aim, found = CHEAP.index("aim"), CHEAP.index("found")
    assert rows[:, aim].tolist() == [1.0, 0.0]
    assert rows[0, found] == 0.0 and rows[1, found] == pytest.approx(2 / 3)


def test_the_shipped_weights_put_the_finding_first() -> None:
    pieces = [piece(0, AIM), piece(1, FOUND), piece(2, ADVICE)]
    cheap = cheap_features("Do warm baths relieve pain?", pieces)
    rows = np.hstack([cheap, np.full((3, len(NAMES) - len(CHEAP)), 0.5)])
    assert tells_findings(rows)
    weights = np.array([Weights.load().finding[n] for n in NAMES])
    assert np.argmax(standard(rows) @ weights) == 1


def test_advice_alone_is_no_place_for_findings() -> None:
    pieces = [piece(at, ADVICE) for at in range(10)]
    assert not tells_findings(cheap_features("Do warm baths relieve pain?", pieces))


def test_a_token_that_all_pieces_have_tells_nothing() -> None:
    best = np.array([[1.0, 1.0], [1.0, 0.0]], dtype=np.float32)
    rows = late_rows(best, np.zeros(2))
    assert rows[:, 0].tolist() == [1.0, 0.5]
    assert rows[:, 3].tolist() == [1.0, 0.0]
    same = late_rows(np.ones((2, 3), dtype=np.float32), np.zeros(2))
    assert np.isfinite(same).all() and same[:, 3].tolist() == [1.0, 1.0]


def ranked(text: str, **values: object) -> Ranked:
    return Ranked(piece(0, text, **values), 1.0, {"maxsim": 0.5, "weakest": 0.2})


def test_what_tells_an_answer_is_read_from_the_whole_list() -> None:
    question = "Do warm baths relieve pain?"
    found = answer_features(question, [ranked(FOUND, best_late=0.7, best_gap=0.2)])
    assert set(found) == {*ANSWER_FEATURES, *FINDING_FEATURES}
    assert (found["passage_late"], found["passage_gap"]) == (0.7, 0.2)
    assert found["asks_finding"] == 1.0 and found["best_maxsim"] == 0.5
    assert found["subject_named"] == pytest.approx(3 / 4)  # all but "relieve"
    alone = answer_features(question, [ranked(FOUND)])
    assert alone["passage_late"] == pytest.approx(LATE_OF_MAXSIM * 0.5)
    assert alone["passage_gap"] == USUAL_GAP


def test_the_model_follows_the_kind_of_question() -> None:
    answer = Weights.load().answer
    found = answer_features("Do warm baths relieve pain?", [ranked(FOUND, best_late=0.7)])
    asked = {**found, "asks_finding": 0.0}
    stands_out = {"passage_gap": 0.4}
    assert probability(answer, found | stands_out) > probability(answer, found)
    assert probability(answer, asked | stands_out) == probability(answer, asked)


def test_weights_of_other_features_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from kgrag.retrieval.rerank import WEIGHTS

    path = tmp_path / "weights.json"
    path.write_text(WEIGHTS.read_text(encoding="utf-8").replace('"telling"', '"telling tales"'))
    with pytest.raises(BrokenInvariant, match="other features"):
        Weights.load(path)
