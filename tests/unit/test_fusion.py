"""Lists are joined as their weights and scales say, and the shipped weights are read."""

import json

import numpy as np
import pytest

from kgrag.errors import BrokenInvariant
from kgrag.records.answer import CitedDocument, Hit
from kgrag.retrieval.fusion import FITTED, Fusion, fitted, fuse, rescore, scaled
from kgrag.stores.base import IndexHit


def listed(**scores):
    found = [IndexHit(name, "d", score) for name, score in scores.items()]
    return sorted(found, key=lambda h: -h.score)


def hits(*scores):
    document = CitedDocument("doc_1", "u", "t", None, None, None, None)
    return [Hit(document, f"p{i}", "text", 0, 4, s, (), None) for i, s in enumerate(scores)]


def test_plain_and_share_keep_how_far_apart_passages_are():
    near = {"bm25": listed(a=10.0, b=9.9), "dense": listed(b=0.6, a=0.5)}
    weights, scales = {"bm25": 1.0, "dense": 1.0}, {"bm25": "share", "dense": "plain"}
    assert [i for i, _ in fuse(near, weights, scales)] == ["b", "a"]
    far = {**near, "bm25": listed(a=10.0, b=5.0)}
    assert [i for i, _ in fuse(far, weights, scales)] == ["a", "b"]
    # Standard scores see no difference between the two.
    assert np.allclose([s for _, s in fuse(near, weights)], [s for _, s in fuse(far, weights)])


def test_shares_of_a_list_are_of_its_largest():
    assert scaled(np.array([8.0, 4.0, 0.0]), "share").tolist() == [1.0, 0.5, 0.0]
    assert scaled(np.zeros(3), "share").tolist() == [0.0, 0.0, 0.0]
    assert scaled(np.array([]), "share").tolist() == []


def test_a_passage_that_a_list_lacks_has_its_lowest_score():
    lists = {"bm25": listed(a=4.0, b=2.0), "dense": listed(c=0.5)}
    joined = dict(fuse(lists, {"bm25": 1.0, "dense": 1.0}, {"bm25": "share", "dense": "plain"}))
    assert joined == {"a": 1.5, "b": 1.0, "c": 1.0}


def test_a_source_without_weight_brings_nothing_up():
    lists = {"bm25": listed(a=4.0), "other": listed(z=9.0)}
    assert [i for i, _ in fuse(lists, {"bm25": 1.0})] == ["a"]


def test_scorers_add_to_the_joined_score_and_the_rest_stays_below():
    fusion = Fusion(second={"late": 10.0}, scales={"late": "plain"})
    again = rescore(hits(3.0, 2.5, 2.0, 1.9), {"late": np.array([0.1, 0.3, np.nan])}, fusion)
    assert [h.passage_id for h in again] == ["p1", "p0", "p2", "p3"]
    assert [round(h.score, 6) for h in again[:3]] == [5.5, 4.0, 3.0]
    assert again[3].score < again[2].score


def test_a_scorer_without_weight_changes_no_order():
    before = hits(3.0, 2.0, 1.0)
    after = rescore(before, {"other": np.array([0.0, 5.0, 9.0])}, Fusion())
    assert [h.passage_id for h in after] == [h.passage_id for h in before]


def test_the_shipped_weights_are_of_the_default_encoder_and_tell_what_they_were_fitted_on():
    own, other = fitted("all-minilm-l6-v2"), fitted("an encoder of yours")
    assert {"bm25", "dense"} <= set(own.weights)
    assert all(w > 0 for w in own.weights.values())
    assert own.scales["dense"] == "plain"
    assert not other.scales, "cosines of an unknown encoder have a scale that nobody knows"
    assert json.loads(FITTED.read_text())["provenance"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("sources", {"bm25": float("nan")}), ("scales", {"bm25": "logarithm"})],
)
def test_a_file_that_was_not_written_by_the_fit_is_refused(tmp_path, key, value):
    values = json.loads(FITTED.read_text())
    values["any"][key] = value
    path = tmp_path / "fusion.json"
    path.write_text(json.dumps(values))
    with pytest.raises(BrokenInvariant, match="joined"):
        fitted("some encoder", path)


def test_a_kind_of_question_has_weights_of_its_own():
    fusion = Fusion(
        weights={"bm25": 1.0, "dense": 1.0}, second={"late": 2.0},
        kinds={"message": {"dense": 3.0, "late": 0.5}},
    )  # fmt: skip
    assert fusion.of("question") is fusion
    of_message = fusion.of("message")
    assert of_message.weights == {"bm25": 1.0, "dense": 3.0}
    assert of_message.second == {"late": 0.5}
