"""What holds for the rules of statements whatever the words are."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kgrag.verification.numbers_read import amounts
from kgrag.verification.verdict import judge_by_rules

SENTENCES = (
    "Give amoxicillin 500 mg three times a day for 5 days.",
    "Warfarin is not recommended in pregnancy.",
    "Women aged 50 to 74 years are offered screening every 2 years.",
    "Smoking is associated with poor wound healing.",
    "Refer the child if the fever lasts for more than a week.",
    "The drug does not reduce the risk of stroke.",
)
EVIDENCE = [" ".join(SENTENCES)]
UNITS = (
    ("mg", "g", 1000), ("hours", "minutes", 1 / 60), ("years", "months", 1 / 12),
    ("ml", "l", 1000), ("cm", "mm", 0.1), ("weeks", "days", 1 / 7),
)  # fmt: skip
NEW = st.text("bcdfghjklmnpqrtvwxz", min_size=5, max_size=9)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SENTENCES), NEW, st.data())
def test_a_word_that_no_source_has_is_never_supported(
    sentence: str, word: str, data: st.DataObject
) -> None:
    words = sentence.rstrip(".").split()
    at = data.draw(st.integers(0, len(words)))
    changed = " ".join([*words[:at], word, *words[at:]]) + "."
    assert judge_by_rules(changed, EVIDENCE).verdict != "supported"


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["Warfarin is not recommended in pregnancy.",
                        "The drug does not reduce the risk of stroke."]),
       st.sampled_from(["", " Rest helps.", " Other advice follows here."]))  # fmt: skip
def test_a_deleted_negation_changes_the_verdict(sentence: str, behind: str) -> None:
    evidence = [sentence + behind]
    assert judge_by_rules(sentence, evidence).verdict == "supported"
    assert judge_by_rules(sentence.replace(" not", ""), evidence).verdict == "contradicted"


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 5_000), st.sampled_from(UNITS))
def test_conversion_is_symmetric(value: int, units: tuple[str, str, float]) -> None:
    one, other, factor = units
    first = amounts(f"{value} {one}")[0]
    second = amounts(f"{value / factor:.10g} {other}")[0]
    assert len(first) == len(second) == 1
    assert first[0].fits(second[0]) and second[0].fits(first[0])
    wrong = amounts(f"{value} {other}")[0]
    assert not first[0].fits(wrong[0])


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.lists(st.text(max_size=120), max_size=3))
def test_a_pure_function_that_never_supports_without_a_passed_check(
    statement: str, evidence: list[str]
) -> None:
    if not statement.strip():
        return
    found = judge_by_rules(statement, evidence)
    assert found == judge_by_rules(statement, evidence)
    if found.verdict == "supported":
        assert any(c.result == "pass" for c in found.checks)
        assert not any(c.result == "fail" for c in found.checks)
