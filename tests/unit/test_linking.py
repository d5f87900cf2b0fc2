"""Linking on a small lexicon: what is found, what it means, and what is not read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kgrag.errors import NotFound, SettingsError
from kgrag.linking import Linker, link_batch
from kgrag.linking.abbreviations import definitions
from kgrag.linking.context import read_rules, rules
from kgrag.linking.normalise import fold, key, variants
from kgrag.testing.lexicon import small_lexicon
from kgrag.vocabulary.compile import write_lexicon
from kgrag.vocabulary.lexicon import Lexicon
from kgrag.vocabulary.registry import listing


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lexicon]:
    with small_lexicon(tmp_path_factory.mktemp("lexicon") / "lexicon.sqlite") as lexicon:
        yield lexicon


@pytest.fixture(scope="module")
def linker(lexicon: Lexicon) -> Linker:
    return Linker(lexicon)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Metformin", {"Metformin": "MESH:D008687"}),
        ("in type 2 diabetes", {"type 2 diabetes": "MESH:D003924"}),
        ("type-2 diabetes mellitus", {"type-2 diabetes mellitus": "MESH:D003924"}),
        ("Oedema and anaemia", {"Oedema": "MESH:D004487", "anaemia": "MESH:D000740"}),
        ("β-alanine", {"β-alanine": "CHEBI:1"}),
        ("Alzheimer disease", {"Alzheimer disease": "MESH:D000544"}),
        ("Alzheimer’s disease", {"Alzheimer’s disease": "MESH:D000544"}),
        ("serum sodium level", {"sodium": "LOINC:2951-2"}),
        ("sodium intake", {"sodium": "MESH:D012964"}),
        ("ASA was given", {"ASA": "MESH:D001241"}),
        ("asa was given", {}),
        ("colonoscopies", {"colonoscopies": "KGRAG:colonoscopy"}),
        # whole words, and no name over the end of a sentence or of a line
        ("aspirinate", {}),
        ("heart. Failure", {}),
        ("heart\nfailure", {}),
        ("non-diabetes", {}),
    ],
)  # fmt: skip
def test_what_is_found(linker: Linker, text: str, found: dict[str, str]) -> None:
    assert {m.text: m.concept for m in linker.link(text)} == found


def test_a_short_form_means_what_the_document_says(linker: Linker) -> None:
    text = "Heart failure (HF) is common. HF was treated. In heart failure, HFs differ."
    assert [m.text for m in linker.link(text)] == [
        "Heart failure", "HF", "HF", "heart failure", "HFs"
    ]  # fmt: skip
    assert {m.concept for m in linker.link(text)} == {"MESH:D006333"}


def test_a_short_form_with_another_meaning_is_not_read(linker: Linker) -> None:
    text = "The anterior spinal artery (ASA) was occluded; ASA flow was absent."
    assert linker.link(text) == ()


def test_a_range_gives_offsets_of_the_whole_text(linker: Linker) -> None:
    text = "Aspirin. Warfarin and metformin. Aspirin."
    mentions = linker.link(text, 9, 32)
    assert [(m.start, m.text) for m in mentions] == [(9, "Warfarin"), (22, "metformin")]


FLAGS = [
    ("There was no evidence of heart failure.", "heart failure", "negated"),
    ("This is not anemia.", "anemia", "negated"),
    ("Heart failure was ruled out.", "Heart failure", "negated"),
    ("Aspirin should not be used in anemia.", "Aspirin", "against"),
    ("Avoid warfarin in anemia.", "warfarin", "against"),
    ("Patients with heart failure should not receive metformin.", "metformin", "against"),
    ("The task force recommends against aspirin for hypertension.", "aspirin", "against"),
    ("Metformin is contraindicated in heart failure.", "Metformin", "against"),
    ("Treat in the absence of heart failure.", "heart failure", "absent"),
    ("Adults without diabetes should be screened.", "diabetes", "absent"),
    ("If hypertension develops, stop.", "hypertension", "hypothetical"),
    ("The risk of anemia is small.", "anemia", "hypothetical"),
    ("A family history of diabetes", "diabetes", "family"),
    ("She has a history of heart failure.", "heart failure", "historical"),
]


@pytest.mark.parametrize(("text", "mention", "flag"), FLAGS)
def test_flags(linker: Linker, text: str, mention: str, flag: str) -> None:
    flagged = {m.text: _flags(m) for m in linker.link(text)}
    assert flagged[mention] == {flag}
    assert all(flags == set() for name, flags in flagged.items() if name != mention)


@pytest.mark.parametrize(
    "text",
    [
        "There was no difference in anemia between the groups.",
        "Not only hypertension but also edema was seen.",
        "No bleeding. Anemia was found.",
        "Aspirin is not contraindicated in anemia.",
        "Do not delay aspirin in heart failure.",
        "Warfarin should not be stopped.",
        "Warfarin is used; avoid delay. Hypertension is treated.",
        "Aspirin reduces the rate of edema",
    ],
)
def test_no_flags(linker: Linker, text: str) -> None:
    mentions = linker.link(text)
    assert mentions
    assert all(not _flags(m) for m in mentions)


def _flags(mention: object) -> set[str]:
    names = ("negated", "hypothetical", "family", "historical", "absent", "against")
    return {name for name in names if getattr(mention, name)}


def test_batch(linker: Linker) -> None:
    rows = list(link_batch(linker, [{"id": 1, "text": "no aspirin"}, {"id": 2}]))
    assert rows[0]["id"] == 1
    assert rows[0]["mentions"][0]["concept"] == "MESH:D001241"
    assert rows[0]["mentions"][0]["flags"] == ["negated"]
    assert rows[1] == {"id": 2, "error": "the row has no text"}


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("chronic kidney disease (CKD)", "CKD", "chronic kidney disease"),
        ("CKD (chronic kidney disease)", "CKD", "chronic kidney disease"),
        ("the Food and Drug Administration (FDA)", "FDA", "Food and Drug Administration"),
        ("hemoglobin A1c (HbA1c)", "HbA1c", "hemoglobin A1c"),
    ],
)
def test_definitions(text: str, short: str, long: str) -> None:
    found = definitions(text)
    assert list(found) == [short]
    assert found[short].long.of(text) == long
    assert found[short].at.of(text) == short


@pytest.mark.parametrize("text", ["aspirin (81 mg)", "the result (see below)", "it was (XQZ)"])
def test_brackets_that_define_nothing(text: str) -> None:
    assert definitions(text) == {}


def test_names_are_folded_and_spelled_out() -> None:
    assert key("TNF-α  (Serum)") == "tnf alpha serum"
    assert fold("ﬁbrosis Straße").text == "fibrosis strasse"
    assert set(variants("Carcinoma, Renal Cell")) >= {
        "renal cell carcinoma",
        "renal cell carcinomas",
    }
    assert set(variants("Edema")) >= {"edema", "oedema"}
    assert set(variants("Hemorrhages")) >= {"hemorrhage", "haemorrhage", "haemorrhages"}
    assert set(variants("co-trimoxazole")) >= {"co trimoxazole", "cotrimoxazole"}


def test_the_lexicon_answers_for_itself(lexicon: Lexicon) -> None:
    assert lexicon.concept("MESH:D003924").parents == ("MESH:D003920",)
    assert lexicon.concept("DOID:9351").curie == "MESH:D003920"
    assert [c.type for c in lexicon.names("sodium")] == ["analyte", "chemical"]
    assert lexicon.counts["concepts"] == 14
    assert "MESH:D006333" in lexicon and "MESH:none" not in lexicon
    with pytest.raises(NotFound):
        lexicon.concept("MESH:none")
    assert listing(lexicon.path) == ({"id": "small", "version": "1"},)


def test_equal_content_has_an_equal_hash(tmp_path: Path, lexicon: Lexicon) -> None:
    with small_lexicon(tmp_path / "again.sqlite") as again:
        assert again.sha256 == lexicon.sha256
    other = write_lexicon(tmp_path / "other.sqlite", [], {})
    assert other != lexicon.sha256


def test_what_is_no_lexicon_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="kgrag vocab build"):
        Lexicon.open(tmp_path / "none.sqlite")
    path = tmp_path / "text.sqlite"
    path.write_text("this is no database, and it is long enough to look like a file of one")
    with pytest.raises(SettingsError, match="no lexicon"):
        Lexicon.open(path)


def test_the_shipped_rules_are_well_formed_and_bad_ones_are_refused(tmp_path: Path) -> None:
    assert rules()
    path = tmp_path / "rules.toml"
    for text, reason in (
        ('[[rule]]\nflag="gone"\nside="after"\nreach=1\nphrases=["no"]', "no flag"),
        ('[[rule]]\nflag="negated"\nside="after"\nphrases=["no"]', "has the keys"),
        ('[[rule]]\nflag="negated"\nside="after"\nreach=1\nphrases=["No"]', "not folded"),
    ):
        path.write_text(text)
        with pytest.raises(SettingsError, match=reason):
            read_rules(path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Finding: MESH:D004487; seen", {"MESH:D004487": "MESH:D004487"}),
        ("(DOID:9351).", {"DOID:9351": "MESH:D003920"}),  # an id of the concept in use
        ("LOINC:2951-2, then", {"LOINC:2951-2": "LOINC:2951-2"}),
        # unknown, longer, of another prefix, or of other spelling
        ("MESH:D999999", {}),
        ("MESH:D0044870", {}),
        ("XMESH:D004487", {}),
        ("MESH:D004487x", {}),
        ("mesh:D004487", {}),
        ("at 10:30 and 1:2, see doi:10.1000/1", {}),
    ],
)
def test_an_id_is_read_as_it_is_written(linker: Linker, text: str, found: dict[str, str]) -> None:
    mentions = linker.link(text)
    assert {m.text: m.concept for m in mentions} == found
    assert all(m.score == 1.0 and text[m.start : m.end] == m.text for m in mentions)


def test_names_and_ids_stand_in_text_order(linker: Linker) -> None:
    text = "Aspirin (MESH:D001241) for edema, β-alanine: CHEBI:1, aspirin"
    assert [m.text for m in linker.link(text)] == [
        "Aspirin", "MESH:D001241", "edema", "β-alanine", "CHEBI:1", "aspirin",
    ]  # fmt: skip
