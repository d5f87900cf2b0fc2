"""What sentences and rows say, with mentions made by hand."""

from __future__ import annotations

import pytest
from mentions_by_hand import mentions

from kgrag.records.text import Block, Document, Source
from kgrag_ingest.extract import Extraction, extract


def read(text: str, kind: str = "paragraph") -> Extraction:
    document = Document(
        "doc_x", Source("c", "x"), "x", "text/plain", "0" * 64, "t/1", text,
        blocks=(Block(kind, 0, len(text)),),  # type: ignore[arg-type]
    )  # fmt: skip
    return extract(document, mentions(text))


def said(text: str, kind: str = "paragraph") -> set[str]:
    return {
        f"{a.subject[2:]} {'not ' if a.negated else ''}{a.predicate} {a.object[2:]}"
        for a in read(text, kind).assertions
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Amoxicillin is used for the treatment of pneumonia.", {"amoxicillin treats pneumonia"}),
        ("Amoxicillin is not recommended for bronchitis.", {"amoxicillin not treats bronchitis"}),
        ("Amoxicillin has no benefit in bronchitis.", {"amoxicillin not treats bronchitis"}),
        ("Avoid propranolol in asthma.", {"propranolol contraindicated_in asthma"}),
        (
            "Propranolol should not be used in patients with asthma.",
            {"propranolol contraindicated_in asthma"},
        ),
        ("Aspirin should not be used to prevent stroke.", {"aspirin not prevents stroke"}),
        ("Aspirin interacts with warfarin, and the pair worsens asthma.",
         {"aspirin interacts_with warfarin"}),
        ("Asthma is diagnosed by spirometry.", {"spirometry diagnoses asthma"}),
        (
            "Symptoms of pneumonia include fever and cough.",
            {"pneumonia has_phenotype fever", "pneumonia has_phenotype cough"},
        ),
        # Nothing is said, or not as so.
        ("Resistance to aspirin, warfarin and amoxicillin is a cause of pneumonia.", set()),
        ("There is no evidence that amoxicillin is effective for bronchitis.", set()),
        ("Is amoxicillin used for pneumonia?", set()),
        ("Amoxicillin is used for pneumonia, but its use in bronchitis is not established.", set()),
        ("Pneumonia is not an allergy to amoxicillin.", set()),
        ("Amoxicillin resistance is used for pneumonia.", set()),
    ],
)  # fmt: skip
def test_sentence(text: str, expected: set[str]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # What may stand after a mention depends on what was mentioned.
        ("Aspirin tablets are used to treat fever.", {"aspirin treats fever"}),
        ("Amoxicillin therapy is effective for pneumonia.", {"amoxicillin treats pneumonia"}),
        ("Spirometry testing is used to diagnose asthma.", {"spirometry diagnoses asthma"}),
        ("Aspirin may cause asthma attacks.", {"aspirin causes asthma"}),
        ("Colonoscopy is used for colorectal cancer screening.", set()),
        ("Colonoscopy is recommended for colorectal cancer testing.", set()),
        ("Aspirin is used for hepatitis B vaccination.", set()),
        ("Aspirin is used for colorectal cancer surgery.", set()),
        ("Aspirin is recommended for asthma drugs.", set()),
        ("Hepatitis B vaccine can cause fever.", set()),
        ("Aspirin is used to treat bleeding disorders.", set()),
        ("Amoxicillin surgery is used for pneumonia.", set()),
        # A dose form is a word, though vocabularies know it as a concept.
        ("Aspirin ophthalmic solution is indicated for fever.", {"aspirin treats fever"}),
        # What prevents does not treat.
        ("Aspirin is not indicated for the preventive treatment of stroke.",
         {"aspirin not prevents stroke"}),
        # What stands before a mention makes it another thing.
        ("Too much iodine can cause fever.", set()),
        ("Excess iodine can cause fever.", set()),
        ("Treatment for hyperkalemia includes removing potassium.", set()),
        ("Chlamydial infection may cause fever.", set()),
        ("A serious infection may cause fever.", {"infection causes fever"}),
        ("Aspirin can increase the risk of toxicity.", set()),
        ("These aspirin tablets are used to treat fever.", set()),
        ("Preliminary data suggest that aspirin can relieve fever.", set()),
        ("Machine-enabled spirometry detects asthma.", set()),
        # Together is not each.
        ("The use of aspirin and warfarin can result in bleeding.", set()),
        ("In combination with warfarin, aspirin can cause fever.", set()),
        ("Sitagliptin-metformin is used to treat asthma.", set()),
        ("Aspirin, warfarin, and metformin can cause fever.",
         {"aspirin causes fever", "warfarin causes fever", "metformin causes fever"}),
        # Titles announce, they do not state.
        ("Aspirin to prevent stroke: protocol for a randomised trial.", set()),
        ("Asthma is a risk factor for stroke: a case control study.", set()),
        ("Potassium and creatinine should be monitored in patients taking aspirin two weeks after.",
         {"aspirin monitored_by potassium", "aspirin monitored_by creatinine"}),
    ],
)  # fmt: skip
def test_words_around_mentions(text: str, expected: set[str]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Aspirin is contraindicated in pregnancy.", {}),
        ("Aspirin treats fever in adults, but in children it is avoided.",
         {"population": "adults"}),
        ("Aspirin treats fever, but children are not treated in pregnant women.", {}),
        ("Aspirin can cause asthma and should be stopped if wheezing occurs.", {}),
        ("Aspirin is contraindicated in severe asthma or pneumonia.", {"condition": "severe"}),
        ("Aspirin is contraindicated in asthma or severe pneumonia.", {}),
        ("Aspirin treats fever when rest has failed (strong recommendation).",
         {"condition": "when rest has failed"}),
    ],
)  # fmt: skip
def test_qualifiers_are_those_of_the_clause_and_the_mention(
    text: str, expected: dict[str, str]
) -> None:
    first = min(read(text).assertions, key=lambda a: a.evidence[0].object_span)
    assert dict(first.qualifiers) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("In patients with asthma, the dose of aspirin should not exceed 300 mg daily.",
         ("aspirin dosed_in asthma", "should not exceed 300 mg daily")),
        ("Reduce the dose of metformin in pneumonia.",
         ("metformin dosed_in pneumonia", "Reduce the dose")),
        ("The usual dose of amoxicillin for pneumonia is 500 mg three times daily for 5 days.",
         ("amoxicillin dosed_in pneumonia", "500 mg three times daily for 5 days")),
        ("For pneumonia, give amoxicillin 500 mg twice daily.",
         ("amoxicillin treats pneumonia", "500 mg twice daily")),
    ],
)  # fmt: skip
def test_a_dose_is_kept_as_it_is_stated(text: str, expected: tuple[str, str]) -> None:
    (found,) = read(text).assertions
    name = f"{found.subject[2:]} {found.predicate} {found.object[2:]}"
    assert (name, dict(found.qualifiers)["dose"]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The dose of aspirin for asthma is 300 mg or 500 mg.",  # which of the two is not said
        "In pneumonia, the dose of amoxicillin is not known.",
    ],
)
def test_no_dose_no_edge(text: str) -> None:
    assert not said(text)


@pytest.mark.parametrize(
    "text",
    [
        "Warfarin requires regular creatinine monitoring.",
        "Measure creatinine every three months in patients taking warfarin.",
        "Check creatinine before starting warfarin.",
        "Creatinine should be monitored in patients taking warfarin.",
    ],
)
def test_monitoring(text: str) -> None:
    assert said(text) == {"warfarin monitored_by creatinine"}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("Amoxicillin rather than aspirin is recommended for pneumonia.", "comparator", "aspirin"),
        ("Amoxicillin is used in combination with aspirin for the treatment of pneumonia.",
         "condition", "in combination with aspirin"),
        ("In the absence of asthma, aspirin is recommended for fever.",
         "condition", "In the absence of asthma"),
        ("Aspirin is used for mild to moderate fever.", "condition", "mild to moderate"),
        ("Aspirin is not indicated for fever in the first day.", "condition", "in the first day"),
        ("Give aspirin to prevent stroke within 48 hours of onset.", "timing",
         "within 48 hours of onset"),
        ("Amoxicillin is used for pneumonia in primary care.", "setting", "primary care"),
        ("Aspirin is used for fever in adults and pediatric patients.", "population",
         "adults and pediatric patients"),
    ],
)  # fmt: skip
def test_qualifiers_by_name(text: str, name: str, value: str) -> None:
    (found,) = read(text).assertions
    assert dict(found.qualifiers)[name] == value


def test_drugs_of_one_product_are_told_together() -> None:
    found = read("Aspirin and warfarin tablets are indicated for fever.").assertions
    assert [dict(a.qualifiers)["condition"] for a in found] == ["Aspirin and warfarin"] * 2
    apart = read("Aspirin and warfarin are indicated for fever.").assertions
    assert [a.qualifiers for a in apart] == [(), ()]


def test_row_relates_its_columns() -> None:
    found = read("Drug: amoxicillin; Indication: pneumonia; Dose: 500 mg", "table_row").assertions
    assert [(a.predicate, a.qualifiers) for a in found] == [("treats", (("dose", "500 mg"),))]


def test_row_with_a_denial_is_refused_with_its_reason() -> None:
    result = read("Drug: amoxicillin; Indication: not bronchitis", "table_row")
    assert not result.assertions
    assert "denial" in result.rejects[0]["reason"]


def test_unless_is_kept_as_a_condition() -> None:
    (found,) = read("Avoid propranolol in asthma unless a specialist agrees.").assertions
    assert dict(found.qualifiers)["condition"] == "unless a specialist agrees"


def test_evidence_is_the_whole_sentence() -> None:
    text = "Fever is common. Aspirin treats fever. Asthma is not."
    (found,) = read(text).assertions
    (evidence,) = found.evidence
    assert evidence.quote == "Aspirin treats fever." == text[evidence.start : evidence.end]
    assert text[slice(*evidence.subject_span)] == "Aspirin"


def test_headings_and_references_say_nothing() -> None:
    assert not said("Amoxicillin is used for the treatment of pneumonia.", "reference")
