"""What link and verify print for a reader: one line a mention, one line a check."""

from __future__ import annotations

from kgrag.render import mentions_text, verdict_text

MENTION = {
    "start": 3, "end": 10, "text": "aspirin", "concept": "MESH:D001241", "type": "drug",
    "score": 1.0, "flags": ["negated"],
}  # fmt: skip


def test_a_mention_is_a_line_with_its_place_name_and_flags() -> None:
    line = mentions_text([MENTION], {"MESH:D001241": "Aspirin"})
    assert line.split() == [
        "3-10", "aspirin", "MESH:D001241", "Aspirin,", "drug", "1.00", "(negated)"
    ]  # fmt: skip
    assert mentions_text([], {}) == "No concept was found."


def test_text_of_a_document_cannot_move_the_cursor() -> None:
    assert "\x1b" not in mentions_text([MENTION | {"text": "asp\x1b[2Jirin"}], {})


def test_a_verdict_tells_the_checks_that_applied() -> None:
    checks = [
        {"layer": "coverage", "result": "pass", "detail": ""},
        {"layer": "numbers", "result": "fail", "detail": "'5 mg' is not in the evidence"},
        {"layer": "graph", "result": "not_applicable", "detail": ""},
    ]
    said = verdict_text({"verdict": "not_enough_info", "checks": checks})
    assert said.splitlines() == [
        "not enough info", "  coverage pass", "  numbers fail: '5 mg' is not in the evidence"
    ]  # fmt: skip
