"""The predicates: their signatures, and that a malformed file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrag.errors import SettingsError, UnknownName
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.relations import read_relations, relation, relations


def test_every_predicate_of_the_plan_is_there() -> None:
    assert set(relations()) == {
        "treats", "prevents", "causes", "contraindicated_in", "interacts_with", "diagnoses",
        "has_phenotype", "risk_factor_for", "monitored_by", "dosed_in", "subclass_of",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "subject", "object_", "allowed"),
    [
        ("treats", "drug", "disease", True),
        ("treats", "procedure", "phenotype", True),
        ("treats", "disease", "drug", False),
        ("interacts_with", "drug", "chemical", True),
        ("interacts_with", "drug", "disease", False),
        ("monitored_by", "drug", "analyte", True),
        ("subclass_of", "disease", "disease", True),
        ("subclass_of", "disease", "drug", False),
    ],
)
def test_signatures(name: str, subject: ConceptType, object_: ConceptType, allowed: bool) -> None:
    assert relation(name).allows(subject, object_) is allowed


def test_an_unknown_predicate_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'treats'"):
        relation("treat")


GOOD = 'label = "a"\ninverse = "b"\ndefinition = "c"\nsubject = ["drug"]\nobject = ["disease"]\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[x]\n" + GOOD.replace('["drug"]', '["gene"]'), "gene"),
        ("[x]\n" + GOOD.replace('inverse = "b"\n', ""), "inverse"),
        ("[x]\n" + GOOD + "subjects = []\n", "unknown keys"),
        ("[x]\n" + GOOD + 'biolink = "biolink:treats"\n', "both biolink and match"),
        ("[x]\n" + GOOD.replace('["disease"]', "[]"), "none given"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "relations.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=reason):
        read_relations(path)
