"""Belief by hand: what counts once, what repeats, and what a table may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrag.errors import SettingsError
from kgrag.paths import resource
from kgrag.reasoning.belief import Origin, belief, error_rates, read_rates
from kgrag.records.assertions import Assertion, Evidence, Tier

TABLE = """
systematic_share = 0.5
systematic_provenance = "test"
[mean]
read = 10
wrong = 1
weight = 10
provenance = "test"
[kinds]
sentence = ["treats"]
row = ["row"]
[[rate]]
kind = "sentence"
predicate = "treats"
read = 10
wrong = 3
provenance = "test"
[[rate]]
kind = "row"
wrong_share = 0.1
provenance = "test"
[[rate]]
kind = "unknown"
wrong_share = 0.4
provenance = "test"
[candidate]
wrong_share = 0.3
provenance = "test"
[[reading]]
suffixes = [".pdf"]
wrong_share = 0.5
provenance = "test"
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "rates.toml"
    path.write_text(TABLE)
    return path


def piece(document: str, rule: str = "treats.verb", quote: str = "") -> Evidence:
    return Evidence(document, 0, 9, quote or f"words of {document}", (0, 1), (2, 3), rule)


def treats(*evidence: Evidence, tier: Tier = "asserted") -> Assertion:
    return Assertion("X:a", "treats", "X:b", tier=tier, evidence=evidence)


def test_one_source_is_believed_as_far_as_its_rule_is_right(table: Path) -> None:
    rates = read_rates(table)
    # (3 wrong + 10 at the mean of 0.1) of (10 read + 10)
    assert rates.of("treats.verb", "treats").wrong == pytest.approx(0.2)
    assert belief(treats(piece("a")), rates) == pytest.approx(0.8)
    assert belief(treats(piece("a", "row.dose")), rates) == pytest.approx(0.9)
    assert belief(treats(piece("a", "of.nobody")), rates) == pytest.approx(0.6)
    assert belief(treats(), rates) == 0.0


def test_sources_of_one_family_leave_the_part_that_repeats(table: Path) -> None:
    rates = read_rates(table)
    assert belief(treats(piece("a"), piece("b")), rates) == pytest.approx(1 - (0.1 + 0.1**2))
    many = belief(treats(*(piece(str(n)) for n in range(50))), rates)
    assert many == pytest.approx(0.9)
    both = belief(treats(piece("a"), piece("b", "row.dose")), rates)
    assert both == pytest.approx(1 - 0.2 * 0.1)


def test_a_document_a_source_and_equal_words_count_once(table: Path) -> None:
    rates = read_rates(table)
    one = belief(treats(piece("a")), rates)
    assert belief(treats(piece("a"), piece("a", quote="other words")), rates) == one
    versions = {"a": Origin("guide"), "b": Origin("guide")}
    assert belief(treats(piece("a"), piece("b")), rates, versions) == one
    copied = treats(piece("a", quote="A treats B."), piece("b", quote="a  treats b"))
    assert belief(copied, rates) == one
    # The best of a group counts.
    assert belief(treats(piece("a"), piece("a", "row.dose", "A; B")), rates) == pytest.approx(0.9)


def test_candidates_and_files_that_are_hard_to_read_are_believed_less(table: Path) -> None:
    rates = read_rates(table)
    assert belief(treats(piece("a"), tier="candidate"), rates) == pytest.approx(0.7)
    origins = {"a": Origin("guide", "file:///Guide.PDF#page=3")}
    got = belief(treats(piece("a")), rates, origins)
    assert got == pytest.approx(1 - (0.1 + (1 - 0.9 * 0.5)))


def test_the_shipped_table_says_where_every_rate_is_from() -> None:
    text = resource("ontologies", "error_rates.toml").read_text()
    for rate in error_rates():
        assert rate.provenance.startswith("measured:" if rate.measured else "assumed:")
        assert 0 < rate.wrong <= 0.5
        assert rate.provenance in text
    assert {r.measured for r in error_rates()} == {True, False}


def test_the_shipped_table_knows_every_rule_that_extracts() -> None:
    from kgrag_ingest.extract.rules import rules

    known = rules()
    for said in [(r.id, r.predicate) for r in known.sentence] + [
        (r.id, r.predicate) for r in known.rows
    ]:
        assert error_rates().of(*said).family != "unknown", said


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("wrong_share = 0.4", "wrong_share = 0.6", "0.5"),
        ("wrong = 3\n", "", "read and wrong"),
        ('kind = "unknown"', 'kind = "other"', "unknown kind"),
        ("weight = 10\n", "", "weight"),
        ("[mean]", "[mean", "rates.toml"),
        ("[candidate]", "[candidates]", "candidate"),
    ],
)
def test_a_table_that_says_what_it_cannot_is_refused(
    table: Path, old: str, new: str, word: str
) -> None:
    assert old in TABLE
    table.write_text(TABLE.replace(old, new))
    with pytest.raises(SettingsError, match=word):
        read_rates(table)
