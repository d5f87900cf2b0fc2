"""CURIEs: one spelling, form and check digits."""

from __future__ import annotations

import pytest

from kgrag.vocabulary.prefixes import canonical, flaw, from_iri, is_kin, luhn, prefixes, verhoeff


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("mesh:D003920", "MESH:D003920"), ("MSH:D003920", "MESH:D003920"),
        ("SNOMEDCT_US_2025_09_01:38341003", "SNOMEDCT:38341003"), ("MIM:612921", "OMIM:612921"),
        ("UMLS_CUI:C0020538", "UMLS:C0020538"), ("CHEBI:CHEBI:15365", "CHEBI:15365"),
        ("doid:9351", "DOID:9351"), ("Orphanet:1", "ORPHA:1"), ("nobody:1", None), ("plain", None),
        ("MESH:", None),
    ],
)  # fmt: skip
def test_one_spelling(said: str, written: str | None) -> None:
    assert canonical(said) == written


@pytest.mark.parametrize("identifier", ["38341003", "73211009", "22298006", "900000000000003001"])
def test_real_snomed_ct_ids_pass(identifier: str) -> None:
    assert verhoeff(identifier)


def test_every_wrong_digit_of_a_snomed_ct_id_is_found() -> None:
    good = "900000000000003001"
    for at in range(len(good)):
        for digit in "0123456789":
            changed = good[:at] + digit + good[at + 1 :]
            assert verhoeff(changed) == (changed == good)


@pytest.mark.parametrize("code", ["2345-7", "4548-4", "718-7", "2951-2", "33914-3"])
def test_real_loinc_codes_pass(code: str) -> None:
    assert luhn(code)
    assert not luhn(code[:-1] + str((int(code[-1]) + 1) % 10))


@pytest.mark.parametrize(
    "good",
    ["MESH:D003920", "MESH:C535306", "HP:0000822", "ICD10CM:E11.9", "ICD10CM:QA0.0101",
     "DRUGBANK:DB00945", "UNII:R16CO5Y76E", "ATC:A10BA02", "ICD11:5A11", "RXNORM:6809",
     "LOINC:LP14635-4", "OMIM:PS176670", "UNHEARD:anything"],
)  # fmt: skip
def test_good_ids(good: str) -> None:
    assert flaw(good) is None


@pytest.mark.parametrize(
    "bad",
    ["MESH:3920", "HP:822", "SNOMEDCT:38341004", "LOINC:2345-6", "UNII:R16CO5Y76", "ATC:A1",
     "DRUGBANK:945", "DOID:x", "SNOMEDCT:9.00000000003E+17"],
)  # fmt: skip
def test_bad_ids(bad: str) -> None:
    assert flaw(bad) is not None


def test_iris() -> None:
    assert from_iri("http://purl.obolibrary.org/obo/HP_0000822") == "HP:0000822"
    assert from_iri("http://snomed.info/id/38341003") == "SNOMEDCT:38341003"
    assert from_iri("https://example.org/1") is None


def test_every_prefix_of_the_registry_has_an_iri_and_kin_are_told() -> None:
    assert all(prefix.iri.startswith("http") for prefix in prefixes().values())
    assert is_kin("UMLS:C1")
    assert not is_kin("MESH:D1")
