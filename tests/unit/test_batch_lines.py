"""Lines of a batch that no text can be are refused one by one; the others are answered."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from kgrag.cli.batch import run

GOOD = '{"id": "good", "text": "\\ud83d\\ude00 gout"}'


@pytest.mark.parametrize(
    "bad",
    [
        '{"id": "bad", "text": "gout \\ud800"}',
        '{"id": "bad", "text": "gout", "\\uDFFF": 1}',
        '{"id": "bad\\ud83d", "text": "gout"}',
        '{"id": "bad", "text": ' + "[" * 100_000 + "}",
    ],
)
def test_half_a_character_or_endless_nesting_is_one_bad_line(tmp_path: Path, bad: str) -> None:
    (tmp_path / "in.jsonl").write_text(f"{GOOD}\n{bad}\n{GOOD}\n", encoding="utf-8")

    def answer(record: dict[str, str]) -> dict[str, str]:
        return {"text": record["text"].encode().decode()}  # as models do: only whole characters

    with pytest.raises(click.exceptions.Exit):
        run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", ("text",), answer)
    out = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    first, refused, last = (json.loads(line) for line in out)
    assert first == last == {"id": "good", "text": "\U0001f600 gout"}
    assert set(refused) == {"id", "error"}
