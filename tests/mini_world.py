"""The mini world: the demonstration guidelines and what must be found in them.

``sentence`` is the text of the evidence as it stands in stored text: a whole sentence or table
row. Where two versions of one source exist, only the current one is listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GUIDELINES = Path(__file__).resolve().parent.parent / "examples" / "guidelines"
SHIPPED_QUESTIONS = GUIDELINES.parent / "questions.jsonl"

# The same source in the order in which it was published.
VERSIONS = ("hypertension-2023.md", "hypertension-2025.md")


@dataclass(frozen=True, slots=True)
class Expected:
    """An assertion that a careful reader finds in ``file``; names as the source writes them."""

    file: str
    subject: str
    predicate: str
    object: str
    negated: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the file and a part of the quotation that answers it.

    ``file`` and ``quote`` are None when the mini world holds no answer. ``path`` is the chain of
    names that a graph path from the first to the last concept of the question goes through.
    """

    id: str
    question: str
    file: str | None = None
    quote: str | None = None
    path: tuple[str, ...] = ()


_HT = "hypertension-2025.md"
_DM = "type-2-diabetes.md"
_ASA = "aspirin-demo-group.md"
_ASN = "aspirin-northern-panel.html"
_AF = "atrial-fibrillation.html"
_ASTHMA = "asthma.txt"
_CAP = "community-acquired-pneumonia.docx"
_CKD = "chronic-kidney-disease.docx"
_IDA = "iron-deficiency-anemia.nxml"
_THYROID = "thyroid-abstracts.xml"
_NOTES = "short-notes.jsonl"
_ABX = "oral-antibiotics.pdf"
_EPI = "epilepsy-two-columns.pdf"

EXPECTED_ASSERTIONS: tuple[Expected, ...] = (
    Expected(
        _HT,
        "hypertension",
        "risk_factor_for",
        "stroke",
        False,
        "Hypertension is a risk factor for stroke, and the risk grows with every rise in "
        "systolic pressure.",
    ),
    Expected(
        _HT,
        "hypertension",
        "risk_factor_for",
        "heart failure",
        False,
        "Hypertension is a risk factor for heart failure.",
    ),
    Expected(
        _HT,
        "lisinopril",
        "treats",
        "hypertension",
        False,
        "Lisinopril is recommended for the treatment of hypertension in adults with diabetes at "
        "any age (strong recommendation, high certainty).",
    ),
    Expected(
        _HT,
        "amlodipine",
        "treats",
        "hypertension",
        False,
        "Amlodipine is recommended for the treatment of hypertension in adults aged 55 years or "
        "older (strong recommendation, high certainty).",
    ),
    Expected(
        _HT,
        "lisinopril",
        "contraindicated_in",
        "pregnancy",
        False,
        "Lisinopril is contraindicated in pregnancy.",
    ),
    Expected(
        _HT,
        "lisinopril",
        "contraindicated_in",
        "angioedema",
        False,
        "Lisinopril should not be used in patients with a history of angioedema.",
    ),
    Expected(
        _HT,
        "lisinopril",
        "causes",
        "hyperkalemia",
        False,
        "Lisinopril may cause hyperkalemia, above all when kidney function is reduced.",
    ),
    Expected(
        _HT,
        "lisinopril",
        "interacts_with",
        "spironolactone",
        False,
        "Lisinopril interacts with spironolactone, and the pair raises potassium further than "
        "either medicine alone.",
    ),
    Expected(
        _HT,
        "lisinopril",
        "monitored_by",
        "creatinine",
        False,
        "Serum potassium and creatinine should be monitored in patients taking lisinopril one to "
        "two weeks after the start and after every change of dose.",
    ),
    Expected(
        _DM,
        "obesity",
        "risk_factor_for",
        "type 2 diabetes",
        False,
        "Obesity is a risk factor for type 2 diabetes.",
    ),
    Expected(
        _DM,
        "type 2 diabetes",
        "has_phenotype",
        "polyuria",
        False,
        "Type 2 diabetes often presents with polyuria and thirst, but many people have no "
        "symptoms at all.",
    ),
    Expected(
        _DM,
        "type 2 diabetes",
        "causes",
        "chronic kidney disease",
        False,
        "Type 2 diabetes can cause chronic kidney disease.",
    ),
    Expected(
        _DM,
        "type 2 diabetes",
        "causes",
        "peripheral neuropathy",
        False,
        "Type 2 diabetes can cause peripheral neuropathy, which begins in the feet.",
    ),
    Expected(
        _DM,
        "metformin",
        "treats",
        "type 2 diabetes",
        False,
        "Metformin is recommended as first-line treatment for type 2 diabetes in adults (strong "
        "recommendation, high certainty).",
    ),
    Expected(
        _DM,
        "metformin",
        "contraindicated_in",
        "lactic acidosis",
        False,
        "Metformin should not be used in patients with lactic acidosis.",
    ),
    Expected(
        _DM,
        "gliclazide",
        "causes",
        "hypoglycemia",
        False,
        "Gliclazide may cause hypoglycemia.",
    ),
    Expected(
        _DM,
        "metformin",
        "causes",
        "vitamin B12 deficiency",
        False,
        "Long-term use of metformin can cause vitamin B12 deficiency.",
    ),
    Expected(
        _ASA,
        "aspirin",
        "prevents",
        "myocardial infarction",
        False,
        "Low-dose aspirin is recommended for the prevention of myocardial infarction in adults "
        "aged 50 to 59 years whose ten-year risk is 10% or more (weak recommendation, moderate "
        "certainty).",
    ),
    Expected(
        _ASA,
        "aspirin",
        "causes",
        "gastrointestinal hemorrhage",
        False,
        "Aspirin can cause gastrointestinal hemorrhage.",
    ),
    Expected(
        _ASA,
        "aspirin",
        "contraindicated_in",
        "peptic ulcer",
        False,
        "Aspirin is contraindicated in patients with an active peptic ulcer.",
    ),
    Expected(
        _ASN,
        "aspirin",
        "prevents",
        "myocardial infarction",
        True,
        "Aspirin should not be used for the prevention of myocardial infarction in adults without "
        "cardiovascular disease (strong recommendation, moderate certainty).",
    ),
    Expected(
        _ASN,
        "atorvastatin",
        "prevents",
        "myocardial infarction",
        False,
        "Atorvastatin is recommended for the prevention of myocardial infarction in adults at "
        "high risk.",
    ),
    Expected(
        _AF,
        "atrial fibrillation",
        "risk_factor_for",
        "stroke",
        False,
        "Atrial fibrillation is a risk factor for stroke.",
    ),
    Expected(
        _AF,
        "hyperthyroidism",
        "causes",
        "atrial fibrillation",
        False,
        "Hyperthyroidism can cause atrial fibrillation, so thyroid function is tested once in "
        "every new case.",
    ),
    Expected(
        _AF,
        "electrocardiography",
        "diagnoses",
        "atrial fibrillation",
        False,
        "Electrocardiography is used to diagnose atrial fibrillation.",
    ),
    Expected(
        _AF,
        "apixaban",
        "prevents",
        "stroke",
        False,
        "Apixaban is recommended for the prevention of stroke in adults with atrial fibrillation "
        "and one further risk factor (strong recommendation, high certainty).",
    ),
    Expected(
        _AF,
        "warfarin",
        "contraindicated_in",
        "pregnancy",
        False,
        "Warfarin is contraindicated in pregnancy.",
    ),
    Expected(
        _AF,
        "warfarin",
        "interacts_with",
        "amiodarone",
        False,
        "Warfarin interacts with amiodarone.",
    ),
    Expected(
        _AF,
        "warfarin",
        "interacts_with",
        "clarithromycin",
        False,
        "Warfarin interacts with clarithromycin, and the dose often has to be lowered for the "
        "length of the course.",
    ),
    Expected(
        _AF,
        "warfarin",
        "monitored_by",
        "international normalized ratio",
        False,
        "Warfarin therapy should be monitored with the international normalized ratio.",
    ),
    Expected(
        _AF,
        "aspirin",
        "prevents",
        "stroke",
        True,
        "Aspirin is not recommended for the prevention of stroke in adults with atrial "
        "fibrillation (strong recommendation, moderate certainty).",
    ),
    Expected(
        _ASTHMA,
        "spirometry",
        "diagnoses",
        "asthma",
        False,
        "Asthma is diagnosed by spirometry with a test of reversibility.",
    ),
    Expected(
        _ASTHMA,
        "asthma",
        "has_phenotype",
        "wheezing",
        False,
        "Wheezing is a common symptom of asthma, and it comes and goes.",
    ),
    Expected(
        _ASTHMA,
        "budesonide",
        "treats",
        "asthma",
        False,
        "Budesonide is recommended for the treatment of asthma in adults with symptoms twice a "
        "month or more (strong recommendation, high certainty).",
    ),
    Expected(
        _ASTHMA,
        "propranolol",
        "contraindicated_in",
        "asthma",
        False,
        "Propranolol is contraindicated in asthma.",
    ),
    Expected(
        _ASTHMA,
        "salbutamol",
        "causes",
        "tremor",
        False,
        "Salbutamol can cause tremor.",
    ),
    Expected(
        _CAP,
        "community-acquired pneumonia",
        "has_phenotype",
        "fever",
        False,
        "Community-acquired pneumonia often presents with cough and fever.",
    ),
    Expected(
        _CAP,
        "amoxicillin",
        "treats",
        "pneumonia",
        False,
        "Amoxicillin is recommended for the treatment of pneumonia of low severity (strong "
        "recommendation, moderate certainty).",
    ),
    Expected(
        _CAP,
        "doxycycline",
        "treats",
        "pneumonia",
        False,
        "Doxycycline is used to treat pneumonia in patients with penicillin allergy.",
    ),
    Expected(
        _CAP,
        "corticosteroids",
        "treats",
        "pneumonia",
        True,
        "Corticosteroids are not recommended for the treatment of pneumonia.",
    ),
    Expected(
        _CKD,
        "hypertension",
        "risk_factor_for",
        "chronic kidney disease",
        False,
        "Hypertension is a risk factor for chronic kidney disease.",
    ),
    Expected(
        _CKD,
        "ibuprofen",
        "contraindicated_in",
        "chronic kidney disease",
        False,
        "Ibuprofen should be avoided in patients with chronic kidney disease.",
    ),
    Expected(
        _CKD,
        "chronic kidney disease",
        "causes",
        "anemia",
        False,
        "Chronic kidney disease can cause anemia.",
    ),
    Expected(
        _CKD,
        "dapagliflozin",
        "treats",
        "chronic kidney disease",
        False,
        "Dapagliflozin is recommended for the treatment of chronic kidney disease (strong "
        "recommendation, high certainty).",
    ),
    Expected(
        _IDA,
        "iron deficiency anemia",
        "has_phenotype",
        "fatigue",
        False,
        "Iron deficiency anemia presents with fatigue and pallor.",
    ),
    Expected(
        _IDA,
        "ferritin",
        "diagnoses",
        "iron deficiency",
        False,
        "Serum ferritin is used to diagnose iron deficiency.",
    ),
    Expected(
        _IDA,
        "ferrous sulfate",
        "treats",
        "iron deficiency anemia",
        False,
        "Ferrous sulfate is recommended for the treatment of iron deficiency anemia (strong "
        "recommendation, moderate certainty).",
    ),
    Expected(
        _THYROID,
        "levothyroxine",
        "treats",
        "hypothyroidism",
        False,
        "Levothyroxine is effective for the treatment of hypothyroidism.",
    ),
    Expected(
        _NOTES,
        "allopurinol",
        "prevents",
        "gout",
        False,
        "Allopurinol is recommended for the prevention of gout flares in adults with two or more "
        "flares a year (strong recommendation, moderate certainty).",
    ),
    Expected(
        _NOTES,
        "sumatriptan",
        "contraindicated_in",
        "coronary artery disease",
        False,
        "Sumatriptan is contraindicated in coronary artery disease.",
    ),
    Expected(
        _ABX,
        "amoxicillin",
        "treats",
        "community-acquired pneumonia",
        False,
        "Drug: Amoxicillin; Indication: Community-acquired pneumonia; Adult dose: 500 mg three "
        "times daily; Duration: 5 days",
    ),
    Expected(
        _ABX,
        "nitrofurantoin",
        "treats",
        "cystitis",
        False,
        "Nitrofurantoin is recommended for the treatment of cystitis in women who are not "
        "pregnant (strong recommendation, moderate certainty).",
    ),
    Expected(
        _EPI,
        "lamotrigine",
        "treats",
        "epilepsy",
        False,
        "Lamotrigine is recommended for the treatment of epilepsy with focal seizures (strong "
        "recommendation, high certainty).",
    ),
    Expected(
        _EPI,
        "valproic acid",
        "contraindicated_in",
        "pregnancy",
        False,
        "Valproic acid is contraindicated in pregnancy.",
    ),
    Expected(
        _EPI,
        "carbamazepine",
        "causes",
        "hyponatremia",
        False,
        "Carbamazepine can cause hyponatremia.",
    ),
    Expected(
        _EPI,
        "phenobarbital",
        "prevents",
        "febrile seizures",
        True,
        "Phenobarbital is not recommended for the prevention of febrile seizures.",
    ),
)

QUESTIONS: tuple[Question, ...] = (
    Question(
        "dose",
        "What dose of doxycycline is given to adults with community-acquired pneumonia?",
        _ABX,
        "Adult dose: 200 mg on the first day, then 100 mg once daily",
    ),
    Question(
        "monitoring",
        "How often should the international normalized ratio be checked in people taking warfarin?",
        _AF,
        "every week until two readings in a row are in range, then every 12 weeks",
    ),
    Question(
        "path",
        "How is obesity connected with chronic kidney disease?",
        _DM,
        "Obesity is a risk factor for type 2 diabetes.",
        path=("obesity", "type 2 diabetes", "chronic kidney disease"),
    ),
    Question("not-covered", "Which antivenom is given after a bite by a green mamba?"),
    # Of the two versions only the current one may be cited: 10 mg, not 5 mg.
    Question(
        "current-version",
        "What is the starting dose of lisinopril?",
        _HT,
        "The starting dose of lisinopril is 10 mg once daily.",
    ),
    Question(
        "first-line",
        "What is the first-line treatment for type 2 diabetes?",
        _DM,
        "Metformin is recommended as first-line treatment for type 2 diabetes",
    ),
    Question(
        "two-columns",
        "Which medicine is contraindicated in pregnancy in women with epilepsy?",
        _EPI,
        "Valproic acid is contraindicated in pregnancy.",
    ),
    Question(
        "stop",
        "When can antibiotics be stopped in pneumonia?",
        _CAP,
        "Stop after five days when these hold:",
    ),
    Question(
        "iron",
        "How far apart should ferrous sulfate and levothyroxine be taken?",
        _IDA,
        "take the two at least four hours apart",
    ),
    Question(
        "asthma",
        "Which medicine is contraindicated in asthma?",
        _ASTHMA,
        "Propranolol is contraindicated in asthma.",
    ),
    # The only source of this dose is a scan with a broken text layer: its doses are not quoted.
    Question("doubtful-source", "What is the starting dose of bisoprolol in heart failure?"),
    Question("no-such-topic", "How is a hip fracture repaired?"),
    Question("general-knowledge", "What is the capital of Australia?"),
)
