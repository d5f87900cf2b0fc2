"""Pairs are read whole or refused by line, and no passage is both learnt and judged by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrag.errors import DataError, UnreadableFile
from kgrag.training.pairs import MIN_HELD_OUT, read_pairs, read_questions, split


def _file(path: Path, rows: list[object]) -> Path:
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
    return path


def test_lines_of_one_question_are_joined(tmp_path: Path) -> None:
    rows = [
        {"question": "How is  gout treated?", "passage_id": "pas_1"},
        "",
        {"question": "how is gout treated?", "passage_id": "pas_2", "answer": "With colchicine."},
        {"question": "How is gout treated?", "passage_id": "pas_1"},
        {"question": "What is sepsis?", "passage": "Sepsis is\u2028a syndrome."},
    ]
    gout, sepsis = read_pairs(_file(tmp_path / "pairs.jsonl", rows))
    assert gout.question == "How is gout treated?"
    assert [(r.line, r.passage_id) for r in gout.right] == [(1, "pas_1"), (3, "pas_2")]
    assert gout.answer == "With colchicine."
    assert sepsis.right[0].text == "Sepsis is\u2028a syndrome." and sepsis.answer is None


def test_bad_lines_are_named_and_their_text_is_not(tmp_path: Path) -> None:
    rows = [
        {"question": "Fine?", "passage": "Fine."},
        "{secret",
        {"question": "Both secret?", "passage": "a", "passage_id": "b"},
        {"question": "Neither secret?"},
        {"question": "   ", "passage": "a"},
        {"question": "Empty secret?", "passage": "  "},
        {"question": "More secret?", "passage": "a", "secret": 1},
        ["secret"],
        "[" * 100_000,
    ]
    with pytest.raises(UnreadableFile) as caught:
        read_pairs(_file(tmp_path / "pairs.jsonl", rows))
    said = str(caught.value)
    for line in ("line 2: is not JSON", "line 3: needs either", "line 4: needs either"):
        assert line in said
    assert "line 5: the question is empty" in said and "line 6: the passage is empty" in said
    assert "and 3 more" in said and "Fine" not in said
    assert "secret?" not in said and "{secret" not in said


def test_files_that_hold_no_pairs(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="holds no pairs"):
        read_pairs(_file(tmp_path / "empty.jsonl", ["", ""]))
    (tmp_path / "latin.jsonl").write_bytes(b'{"question": "d\xe9j\xe0"}')
    with pytest.raises(UnreadableFile, match="not UTF-8"):
        read_pairs(tmp_path / "latin.jsonl")


def test_questions_to_keep(tmp_path: Path) -> None:
    path = _file(tmp_path / "keep.jsonl", [{"question": "A?", "id": 3}, {"question": "A?"}])
    assert read_questions(path) == ("A?",)
    with pytest.raises(UnreadableFile, match="line 2: question: Field required"):
        read_questions(_file(tmp_path / "bad.jsonl", [{"question": "A?"}, {}]))


@given(
    st.lists(st.lists(st.integers(0, 150), min_size=1, max_size=3), min_size=60, max_size=200),
    st.floats(0.01, 0.4),
    st.integers(0, 5),
)
def test_no_passage_is_in_two_parts(about: list[list[int]], share: float, seed: int) -> None:
    passages = [[str(p) for p in some] for some in about]
    try:
        parts = split(passages, share, seed)
    except DataError:
        return
    three = (parts.learn, parts.stop, parts.judge)
    assert sorted(i for part in three for i in part) == list(range(len(passages)))
    seen = [{p for i in part for p in passages[i]} for part in three]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
    assert len(parts.stop) >= MIN_HELD_OUT and len(parts.judge) >= MIN_HELD_OUT
    assert parts == split(passages, share, seed)


def test_shares_are_as_asked_for() -> None:
    parts = split([[str(i // 2)] for i in range(1000)], 0.1, 0)
    assert (len(parts.learn), len(parts.stop), len(parts.judge)) == (800, 100, 100)
    assert parts != split([[str(i // 2)] for i in range(1000)], 0.1, 1)


def test_questions_about_one_passage_cannot_be_held_out() -> None:
    with pytest.raises(DataError, match="1 separate groups"):
        split([["same"]] * 500, 0.1, 0)
    with pytest.raises(DataError, match="too few"):
        split([[str(i)] for i in range(25)], 0.1, 0)
