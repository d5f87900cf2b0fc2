"""Short forms and other names of one thing, and what must never pass as another name of it."""

from __future__ import annotations

import pytest

from kgrag.records.concepts import Mention
from kgrag.verification.names import by_initials, same_kind, short_forms, written_out
from kgrag.verification.verdict import judge_by_rules

# A small lexicon of its own: names and the concepts that they mean.
LEXICON = {
    "acetaminophen": ("X:1", "drug"), "tylenol": ("X:1", "drug"), "ibuprofen": ("X:2", "drug"),
    "pertussis": ("X:3", "disease"), "whooping cough": ("X:3", "disease"),
    "amphotericin b": ("X:4", "drug"), "liposomal amphotericin b": ("X:4", "drug"),
    "type 2 diabetes": ("X:5", "disease"), "type 1 diabetes": ("X:5", "disease"),
    "lung cancer of small cells": ("X:6", "disease"),
    "lung cancer not of small cells": ("X:6", "disease"),
    "gastroesophageal reflux disease": ("X:7", "disease"), "gerd": ("X:7", "disease"),
}  # fmt: skip


class Lexicon:
    """Links the longest names of ``LEXICON``; two of its concepts are wrong on purpose."""

    def link(self, text: str, start: int = 0, end: int | None = None) -> tuple[Mention, ...]:
        low, found, free = text.lower(), [], 0
        for at in range(len(low)):
            for name in sorted(LEXICON, key=len, reverse=True):
                if at >= free and low.startswith(name, at):
                    concept, kind = LEXICON[name]
                    free = at + len(name)
                    found.append(Mention(at, free, text[at:free], concept, kind, 0.95))  # type: ignore[arg-type]
        return tuple(found)


SAME = [
    ("Chronic kidney disease (CKD) is common. Dialysis is used in late CKD.",
     "Dialysis is used in late chronic kidney disease."),
    ("Heart failure (HF) is common. Diuretics help patients with heart failure.",
     "Diuretics help patients with HF."),
    ("MRXD (mild remitting xanthous disease) fades. MRXD needs no care.",
     "Mild remitting xanthous disease needs no care."),
    ("The World Health Organization recommends iron.", "WHO recommends iron."),
    ("WHO recommends iron.", "The World Health Organization recommends iron."),
    ("In acute lymphocytic leukemia (ALL), cells divide.",
     "In acute lymphocytic leukaemia (ALL), cells divide."),
    ("Tylenol is used for fever.", "Acetaminophen is used for fever."),
    ("Whooping cough is treated with azithromycin.", "Pertussis is treated with azithromycin."),
    ("GERD causes heartburn.", "Gastroesophageal reflux disease causes heartburn."),
]  # fmt: skip
OTHER = [
    ("Multiple sclerosis (MS) is common.", "Morphine sulfate (MS) is common."),
    ("Mitral stenosis (MS) needs surgery. Multiple sclerosis (MS) needs drugs.",
     "Multiple sclerosis needs surgery."),
    ("Hepatitis B virus (HBV) spreads by blood.", "HCV spreads by blood."),
    ("Hepatitis B virus (HBV) spreads by blood.", "Hepatitis C virus (HBV) spreads by blood."),
    ("Non-small cell lung cancer (NSCLC) is treated with surgery.",
     "Small cell lung cancer is treated with surgery."),
    ("Patients with myocarditis may improve.", "Patients with myocarditis MI."),
    ("Children have diarrhoea often.", "CHD is seen often."),
    ("Tylenol is used for fever.", "Ibuprofen is used for fever."),
    ("Amphotericin B is given.", "Liposomal amphotericin B is given."),
    ("Type 1 diabetes needs insulin.", "Type 2 diabetes needs insulin."),
    ("Lung cancer of small cells grows.", "Lung cancer not of small cells grows."),
]  # fmt: skip


@pytest.mark.parametrize(("evidence", "statement"), SAME)
def test_another_name_of_the_same_is_supported(evidence: str, statement: str) -> None:
    found = judge_by_rules(statement, [evidence + " Other care is described."], linker=Lexicon())
    assert found.verdict == "supported", [c for c in found.checks if c.result == "fail"]


@pytest.mark.parametrize(("evidence", "statement"), OTHER)
def test_the_name_of_another_thing_is_not(evidence: str, statement: str) -> None:
    found = judge_by_rules(statement, [evidence + " Other care is described."], linker=Lexicon())
    assert found.verdict != "supported"


def test_a_short_form_of_two_meanings_is_not_written_out() -> None:
    texts = ["Multiple sclerosis (MS) is rare.", "Morphine sulfate (MS) is given.",
             "Deep vein thrombosis (DVT) hurts."]  # fmt: skip
    assert short_forms(texts) == {"DVT": "Deep vein thrombosis"}


def test_what_is_written_out() -> None:
    forms = {"CKD": "chronic kidney disease", "NSAID": "anti-inflammatory drug"}
    assert written_out("CKD (chronic kidney disease) and NSAIDs in CKD-3.", forms) == (
        "chronic kidney disease and anti-inflammatory drugs in CKD-3."
    )
    assert (
        written_out("Cold knee disorder (CKD) hurts.", forms) == "Cold knee disorder (CKD) hurts."
    )


def test_initials_must_be_those_of_one_run_of_words() -> None:
    assert by_initials("BMI counts.", ["The body mass index counts."]) == "body mass index counts."
    places = ["The body mass index counts.", "The basic medical interview counts."]
    assert by_initials("BMI counts.", places) == "BMI counts."
    assert by_initials("It is in divided doses.", ["20 mg in 2 DD, in divided doses."]) == (
        "It is in divided doses."
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("T2DM", "type 2 diabetes mellitus", True), ("T2DM", "type 1 diabetes mellitus", False),
     ("non-Hodgkin lymphoma", "Hodgkin lymphoma", False), ("acute pain", "chronic pain", False),
     ("heart attack", "myocardial infarction", True)],
)  # fmt: skip
def test_names_of_one_kind(one: str, other: str, same: bool) -> None:
    assert same_kind(one, other) is same


USUAL = (
    "MRI=magnetic resonance imaging|CT=computed tomography|BMI=body mass index|HPV=human"
    " papillomavirus|PID=pelvic inflammatory disease|PPIs=proton pump inhibitors|SSRIs=selective"
    " serotonin reuptake inhibitors|GFR=glomerular filtration rate|SOB=shortness of breath"
    "|QOL=quality of life|FDA=Food and Drug Administration|HBV=hepatitis B virus"
    "|LDL=low-density lipoprotein"
    "|CBT=cognitive behavioral therapy|CSF=cerebrospinal fluid"
    "|IV=intravenous|PCOS=polycystic ovary syndrome|ACE=angiotensin-converting enzyme"
)


@pytest.mark.parametrize("pair", USUAL.split("|"))
def test_a_usual_short_form_is_its_long_form_and_back(pair: str) -> None:
    short, long = pair.split("=")
    text = "The role of {} was studied in adults. Most people drink tea."
    for one, other in ((short, long), (long, short)):
        statement, evidence = text.format(one).partition(". ")[0] + ".", text.format(other)
        found = judge_by_rules(statement, [evidence])
        assert found.verdict == "supported", [c for c in found.checks if c.result == "fail"]


def test_a_name_that_stands_in_its_own_bracket_is_one_name() -> None:
    evidence = ["Late chronic kidney disease (CKD) needs care. Rest helps."]
    for said in ("Late CKD (CKD) needs care.",
                 "Late chronic kidney disease (chronic kidney disease) needs care."):  # fmt: skip
        assert judge_by_rules(said, evidence).verdict == "supported"
