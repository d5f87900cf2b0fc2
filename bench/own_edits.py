"""Development instrument of the slot rules: edits that must be caught, rewrites that must pass.

Sentences are drawn from guidelines and pages for patients (USPSTF, Nigeria's treatment guideline,
MedQuAD), one a document, and edited in eleven kinds by the lists below; the evidence is the
sentence among its neighbours. True light rewrites are the negatives. Half of the documents, by
crc32 of their name, is for development, the other is held back; the lists are the same in both
halves, so the held half measures new sentences and not new words. The frozen planted edits are
the test: their generator and this one know nothing of each other.

    KGRAG_DATA=... python bench/own_edits.py [--half dev|held] [--show KIND] [--linker] [--settled]
"""

from __future__ import annotations

import argparse
import html
import json
import os
import random
import re
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kgrag.sentences import sentences
from kgrag.verification.verdict import judge_by_rules, verify_statement

Change = Callable[[str, random.Random], str | None]


@dataclass(frozen=True, slots=True)
class Pair:
    """A statement made from a sentence of ``evidence``; ``edit`` says whether it is now untrue."""

    kind: str
    edit: bool
    statement: str
    evidence: str
    dev: bool


def texts(data: Path) -> Iterator[tuple[str, str]]:
    """Name and text of every document."""
    for path in sorted((data / "corpora/nigeria_stg2022/conditions").glob("*.md")):
        yield path.name, _joined(path.read_text(errors="replace"))
    for name in ("general_recommendations", "specific_recommendations"):
        for line in (data / f"corpora/uspstf/{name}.jsonl").open():
            record = json.loads(line)
            parts = [str(record.get(key, "")) for key in ("rationale", "clinical", "text")]
            bare = re.sub(r"<(?:br|/?p|/?h\d|/?li|/?tr)[^>]*>", "\n", " ".join(parts))
            yield f"{name}{record['id']}", html.unescape(re.sub(r"<[^>]+>", " ", bare))
    for line in (data / "corpora/medquad/qa_with_answers.jsonl").open():
        record = json.loads(line)
        yield record["doc"], re.sub(r"\s-\s", "\n", record.get("answer") or "")


def _joined(text: str) -> str:
    """Lines that were broken inside a sentence put together."""
    return re.sub(r"\n(?=[a-z(])", " ", text)


def drawn(data: Path) -> list[tuple[str, str, bool]]:
    """Up to three sentences a document, each with its neighbours, and whether it is for dev."""
    found = []
    seen: set[str] = set()
    for name, text in texts(data):
        if name in seen:
            continue
        seen.add(name)
        clean = re.sub(r"[ \t]+", " ", text)
        spans = sentences(clean)
        good = [
            at
            for at, s in enumerate(spans)
            if 7 <= len(s.of(clean).split()) <= 45
            and s.of(clean)[0].isupper()
            and s.of(clean).endswith(".")
        ]
        rng = random.Random(name)
        for at in rng.sample(good, min(3, len(good))):
            if spans[at].of(clean) in seen:  # a sentence that many pages repeat
                continue
            seen.add(spans[at].of(clean))
            around = spans[max(0, at - 2) : at + 3]
            evidence = "\n".join(s.of(clean) for s in around)
            found.append((spans[at].of(clean), evidence, zlib.crc32(name.encode()) % 2 == 0))
    return found


# --- edits ------------------------------------------------------------------------------------


def _swap(table: dict[str, str | list[str]]) -> Change:
    pattern = re.compile(r"\b(?:" + "|".join(sorted(table, key=len, reverse=True)) + r")\b")

    def change(text: str, rng: random.Random) -> str | None:
        places = list(pattern.finditer(text))
        if not places:
            return None
        m = rng.choice(places)
        to = table[m[0]]
        return text[: m.start()] + (to if isinstance(to, str) else rng.choice(to)) + text[m.end() :]

    return change


def _both(pairs: str) -> dict[str, str | list[str]]:
    table: dict[str, str | list[str]] = {}
    for pair in pairs.split(","):
        one, other = (p.strip() for p in pair.split("/"))
        table[one], table[other] = other, one
    return table


def _among(names: str) -> Change:
    listed = [n.strip() for n in names.split(",")]
    pattern = re.compile(r"(?i)\b(?:" + "|".join(listed) + r")\b")

    def change(text: str, rng: random.Random) -> str | None:
        m = pattern.search(text)
        if m is None:
            return None
        others = [n for n in listed if n.lower() not in text.lower()]
        return text[: m.start()] + rng.choice(others) + text[m.end() :]

    return change


_AMOUNT = r"(?:mg|g|mcg|μg|ml|mL|IU|units|mmol|tablets?|kg)"


def _number(text: str, rng: random.Random) -> str | None:
    places = [
        m
        for m in re.finditer(r"(?<![\w.,-])\d+(?:\.\d+)?(?![\w.]*\w)", text)
        if not re.match(rf"\s?(?:{_AMOUNT}|/)", text[m.end() :])
    ]
    if not places:
        return None
    m = rng.choice(places)
    value = float(m[0])
    new = rng.choice([value + 1, value * 2, value + 5, max(1, value - 2)])
    shown = f"{new:g}"
    if shown == m[0] or shown in text:
        return None
    return text[: m.start()] + shown + text[m.end() :]


def _dose(text: str, rng: random.Random) -> str | None:
    m = re.search(rf"(?<![\w.])(\d+(?:\.\d+)?)(?=\s?{_AMOUNT}\b)", text)
    if m is not None and rng.random() < 0.7:
        return f"{text[: m.start()]}{float(m[1]) * rng.choice([2, 10, 0.5]):g}{text[m.end() :]}"
    return _FREQUENCY(text, rng)


_FREQUENCY = _swap({
    "twice daily": "three times daily", "once daily": "twice daily", "daily": "weekly",
    "three times daily": "once daily", "orally": "intravenously", "oral": "intramuscular",
    "intravenous": "subcutaneous", "every year": "every month", "annually": "monthly",
    "every 6 hours": "every 12 hours", "every 3 years": "every 5 years", "weekly": "daily",
    "every 8 hours": "every 4 hours", "every 2 years": "every 3 years", "a day": "a week",
    "per day": "per week", "every day": "every hour",
})  # fmt: skip
_UNIT = _swap({
    "mg": ["g", "mcg"], "g": "mg", "mL": "L", "ml": "litres", "days": ["weeks", "hours"],
    "weeks": ["days", "months"], "months": ["years", "weeks"], "years": "months",
    "hours": ["minutes", "days"], "minutes": "hours", "cm": "mm", "mm": "cm", "kg": "g",
    "percent": "per thousand", "mmHg": "kPa", "mmol/L": "mg/dL",
})  # fmt: skip
_DRUG = _among(
    "aspirin, ibuprofen, paracetamol, acetaminophen, amoxicillin, penicillin, erythromycin, "
    "gentamicin, ceftriaxone, metronidazole, ciprofloxacin, doxycycline, tetracycline, warfarin, "
    "heparin, insulin, metformin, prednisolone, prednisone, hydrocortisone, morphine, diazepam, "
    "phenytoin, furosemide, atenolol, propranolol, tamoxifen, raloxifene, naloxone, quinine, "
    "artemether, chloroquine, digoxin, salbutamol, zidovudine, nevirapine, rifampicin, isoniazid"
)
_CONCEPT = _among(
    "asthma, pneumonia, malaria, tuberculosis, diabetes, hypertension, stroke, anemia, anaemia, "
    "hepatitis, cirrhosis, epilepsy, migraine, arthritis, osteoporosis, glaucoma, cataract, "
    "breast cancer, lung cancer, colorectal cancer, prostate cancer, leukemia, lymphoma, obesity, "
    "depression, dementia, schizophrenia, syphilis, gonorrhea, chlamydia, meningitis, sepsis, "
    "kidney, liver, heart, lung, brain, stomach, skin, eyes, bones, muscles, fever, cough, pain, "
    "vomiting, diarrhea, rash, seizures, blood, urine"
)
_POPULATION = _swap({
    **_both("children/adults, men/women, Men/Women, Children/Adults, boys/girls, male/female"),
    "infants": "adolescents", "newborns": "adults", "pregnant": "elderly", "girls": "boys",
    "adolescents": "infants", "older adults": "young children", "Infants": "Adults",
    "males": "females", "females": "males", "babies": "adults", "teenagers": "toddlers",
})  # fmt: skip
_DIRECTION = _swap({
    **_both("increased/decreased, increases/decreases, increase/decrease, higher/lower, "
            "high/low, more/less, raises/lowers, improve/worsen, improves/worsens, "
            "before/after, above/below, rises/falls, greater/smaller, acute/chronic, "
            "larger/smaller, benefits/harms, early/late, longer/shorter, positive/negative, "
            "upper/lower, elevated/reduced, strong/weak, severe/mild"),
    "reduces": "increases", "reduce": "increase", "reduced": "increased",
})  # fmt: skip
_CAUSE = _swap({
    "is associated with": ["causes", "leads to"], "are associated with": ["cause", "result in"],
    "was associated with": "caused", "were associated with": "led to",
    "associated with": ["caused by", "due to"], "linked to": "caused by", "related to": "caused by",
    "is linked to": "causes", "a risk factor for": "a cause of", "risk factors for": "causes of",
    "correlates with": "produces", "Risk factors for": "Causes of",
})  # fmt: skip


def _negation(text: str, rng: random.Random) -> str | None:
    drops = list(re.finditer(r"\bnot |\bno |\bnever |(?<=can)not\b", text))
    if drops and rng.random() < 0.6:
        m = rng.choice(drops)
        return text[: m.start()] + text[m.end() :]
    adds = list(
        re.finditer(r"\b(?:is|are|was|were|should|may|can|must|will|does|do)\b(?! not)", text)
    )
    if adds:
        m = rng.choice(adds)
        return text[: m.end()] + rng.choice([" not", " never"]) + text[m.end() :]
    return _swap({"with": "without", "recommends": "recommends against"})(text, rng)


_HEDGES: list[tuple[str, str]] = [
    (r"\b(?:may|might|could|can) (?:also )?be\b", "is"),
    (r"\b(?:may|might|could) (?:also )?(?=[a-z]+\b)", ""),
    (r"\b(?:probably|possibly|perhaps|likely|usually|often|sometimes|generally) ", ""),
    (r"\b(?:suggests?|suggested) that\b", "shows that"),
    (r"\b(?:appears?|seems?) to be\b", "is"),
    (r"\b(?:are|is) (?:thought|believed|likely|considered) to be\b", "is"),
    (r"\b(?:are|is) (?:thought|believed|likely) to\b", "will"),
    (r"\bshould\b", "must"),
    (r"\bmay\b", "must"),
    (r"\bconsider\b", "use"),
    (r"\bsuggests\b", "proves"),
    (r"\blimited evidence\b", "evidence"),
]


def _hedge(text: str, rng: random.Random) -> str | None:
    usable = [(p, to) for p, to in _HEDGES if re.search(p, text)]
    if not usable:
        return None
    pattern, to = rng.choice(usable)
    return re.sub(pattern, to, text, count=1)


_CONDITIONS = [
    r",? (?:if|unless|except|until|provided that|only if|only when|when|whenever|as long as) "
    r"[^,.;()]{8,}(?=\.$)",
    r",? (?:in|for|among) (?:(?:all|most|some|many|older|young|pregnant|healthy|sick|those) )?"
    r"(?:patients|people|adults|women|men|children|infants|persons|individuals|those)\b"
    r"[^,.;()]{3,}(?=\.$)",
    r"^(?:If|When|Unless|Until|In patients|In people|In women|For women|For people|For adults|"
    r"Among|In children|For children|During pregnancy|After|Before) [^,.;]{6,}, (?=[a-z])",
    r" \((?:grade|Grade|strong|weak|conditional)[^)]*\)",
    r",? (?:but only|but not|except) [^,.;]{8,}(?=\.$)",
    r" (?:during|after|before|without) [^,.;()]{6,40}(?=\.$)",
    r" who [^,.;()]{8,60}(?=\.$)",
]


def _condition(text: str, rng: random.Random) -> str | None:
    made = []
    for pattern in _CONDITIONS:
        m = re.search(pattern, text)
        if m is None:
            continue
        left = (text[: m.start()] + text[m.end() :]).strip()
        if len(left.split()) >= 5:
            made.append(left[0].upper() + left[1:])
    return rng.choice(made) if made else None


EDITS: dict[str, Change] = {
    "number": _number, "dose": _dose, "unit": _UNIT, "drug": _DRUG, "concept": _CONCEPT,
    "population": _POPULATION, "negation": _negation, "direction": _DIRECTION,
    "cause": _CAUSE, "hedge": _hedge, "condition": _condition,
}  # fmt: skip

# --- true light rewrites ------------------------------------------------------------------------


def _shift(pattern: str, put: str) -> Change:
    compiled = re.compile(pattern)

    def change(text: str, rng: random.Random) -> str | None:
        return compiled.sub(put, text, count=1) if compiled.search(text) else None

    return change


def _moved(text: str, rng: random.Random) -> str | None:
    m = re.fullmatch(r"((?:If|When|In|For|During|After|Among) [^,]{6,}), ([A-Za-z][^,]+)\.", text)
    if m is None or m[2].split()[0] in ("and", "or", "but"):
        return None
    first = m[1][0].lower() + m[1][1:]
    return f"{m[2][0].upper()}{m[2][1:]} {first}."


def _moved_back(text: str, rng: random.Random) -> str | None:
    m = re.fullmatch(r"([A-Z][^,;]+?) ((?:if|when|during|until|unless) [^,;]{6,})\.", text)
    if m is None:
        return None
    body = m[1] if m[1].split()[0].isupper() else m[1][0].lower() + m[1][1:]
    return f"{m[2][0].upper()}{m[2][1:]}, {body}."


def _converted(text: str, rng: random.Random) -> str | None:
    for pattern, factor, to in (
        (r"\b(\d+) mg\b", 0.001, "g"), (r"\b(\d+) g\b", 1000, "mg"), 
        (r"\b(\d+) years\b", 12, "months"),
        (r"\b(\d+) weeks\b", 7, "days"), (r"\b(\d+) days\b", 24, "hours"), 
        (r"\b(\d+) cm\b", 10, "mm"),
        (r"\b(\d+) hours\b", 60, "minutes"), (r"\b(\d+) months\b", 1 / 12, "years"),
        (r"\b(\d+) m[lL]\b", 0.001, "litres"), (r"\b(\d+) kg\b", 1000, "g"),
    ):  # fmt: skip
        m = re.search(r"(?<![\d.,] )(?<!to )(?<!and )(?<!or )(?<![-–.,])" + pattern, text)
        value = float(m[1]) * factor if m else 0.0
        if m and abs(value * 100 - round(value * 100)) < 1e-9:
            return text[: m.start()] + f"{value:g} {to}" + text[m.end() :]
    return None


_SPELLED = "zero one two three four five six seven eight nine ten eleven twelve".split()


def _spelled(text: str, rng: random.Random) -> str | None:
    m = re.search(
        r"(?<![\w.,/-])(?:[2-9]|1[0-2])(?= (?:to |or )?[a-z])(?! (?:to|or|m?g|m[lL]) )", text
    )
    if m:
        return text[: m.start()] + _SPELLED[int(m[0])] + text[m.end() :]
    m = re.search(r"\b(?:two|three|four|five|six|seven|eight|nine|ten)\b", text)
    return text[: m.start()] + str(_SPELLED.index(m[0])) + text[m.end() :] if m else None


def _contracted(text: str, rng: random.Random) -> str | None:
    for pattern, put in (
        (r"\b(is|are|was|were|does|do|did|should|has|have|could|would) not\b", r"\1n't"),
        (r"\bcannot\b", "can't"), (r"\b([Ii]t) is\b", r"\1's"), (r"\b([Tt]hey) are\b", r"\1're"),
        (r"\bwill not\b", "won't"), (r"\b([Yy]ou) will\b", r"\1'll"), 
        (r"\b([Yy]ou) have\b", r"\1've"),
        (r"\b(isn|don|can|aren|doesn|won)[’']t\b", None),
    ):  # fmt: skip
        m = re.search(pattern, text)
        if m and put is None:
            whole = {"isn": "is not", "don": "do not", "can": "cannot", "aren": "are not",
                     "doesn": "does not", "won": "will not"}[m[1]]  # fmt: skip
            return text[: m.start()] + whole + text[m.end() :]
        if m and put:
            return text[: m.start()] + m.expand(put) + text[m.end() :]
    return None


_SPELLING = _swap(_both(
    "anemia/anaemia, diarrhea/diarrhoea, hemorrhage/haemorrhage, edema/oedema, tumor/tumour, "
    "tumors/tumours, esophagus/oesophagus, pediatric/paediatric, leukemia/leukaemia, "
    "color/colour, fetus/foetus, hemoglobin/haemoglobin, center/centre, behavior/behaviour, "
    "estrogen/oestrogen, gynecologic/gynaecologic, orthopedic/orthopaedic, fiber/fibre, "
    "hospitalized/hospitalised, recognized/recognised, counseling/counselling, "
    "characterized/characterised, liter/litre, program/programme, fetal/foetal, "
    "ischemia/ischaemia, ischemic/ischaemic, cesarean/caesarean, randomized/randomised, "
    "hypoglycemia/hypoglycaemia, generalized/generalised, labeled/labelled, labor/labour"
))  # fmt: skip
_SYNONYM = _swap(_both(
    "heart attack/myocardial infarction, high blood pressure/hypertension, "
    "acetaminophen/paracetamol, kidney/renal, liver/hepatic, kidney failure/renal failure, "
    "itching/pruritus, hives/urticaria, nosebleeds/epistaxis, stroke/cerebrovascular accident, "
    "shortness of breath/dyspnea, chickenpox/varicella, whooping cough/pertussis, "
    "fainting/syncope, jaundice/icterus, tuberculosis/TB, HIV/human immunodeficiency virus, "
    "newborns/neonates, breathing/respiration, swallowing/deglutition, heart/cardiac"
))  # fmt: skip
_PLAIN = _swap({
    "recommends": "advises", "recommended": "advised", "administer": "give", "Administer": "Give",
    "physician": "doctor", "physicians": "doctors", "discontinue": "stop", "use": "usage",
    "persons": "people", "individuals": "people", "obtain": "get", "approximately": "about",
    "about": "approximately", "adolescents": "teenagers", "elderly": "older", "help": "assist",
    "treatment": "therapy", "therapy": "treatment", "symptoms": "signs and symptoms",
    "medicines": "drugs", "medications": "medicines", "medicine": "drug", "begin": "start",
    "begins": "starts", "usually": "typically", "often": "frequently", "occurs": "happens",
    "occur": "happen", "people": "individuals", "disease": "illness", "disorder": "condition",
    "inherited": "hereditary", "find": "detect",
    "doctor": "physician", "doctors": "physicians", "test": "examination", "tests": "examinations",
    "many": "numerous", "because": "since", "such as": "for example", "affects": "involves",
    "develop": "get", "severe": "serious", "prevent": "avert", "include": "comprise",
    "reduce": "decrease", "reduces": "lowers", "increases": "raises", "show": "demonstrate",
    "birth": "delivery", "death": "dying", "annually": "every year", 
    "twice daily": "every 12 hours",
    "inadequate": "insufficient", "benefit": "advantage", "large": "big", "whole": "entire",
    "harms": "adverse effects", "assess": "evaluate", "risk": "likelihood", "primary": "main",
})  # fmt: skip
_EMPTY = _shift(
    r"\b(?:also|therefore|thus|currently|very|however|additionally|actually|moreover),? ", ""
)
_PASSIVE = _shift(r"^The (USPSTF|task force|committee|guideline) recommends "
    r"([a-z][^,;()]{4,60})(?= (?:in|for|every)\b)",
                  r"\2 is recommended by the \1")  # fmt: skip
_ARTICLE = _shift(r"\b(?:the|The) (?=[a-z]+ of\b)", "")
_WHICH = _shift(r"\b(?<=[a-z] )that (?=(?:is|are|can|may|causes?|affects?)\b)", "which ")
_DASHES = _shift(r"(?<=\d)\s?(?:-|–|to)\s?(?=\d)", " to ")

REWRITES: dict[str, Change] = {
    "contraction": _contracted, "spelling": _SPELLING, "synonym": _SYNONYM, "plain word": _PLAIN,
    "number word": _spelled, "conversion": _converted, "moved clause": _moved,
    "moved back": _moved_back, "empty adverb": _EMPTY, "passive": _PASSIVE, "article": _ARTICLE,
    "which": _WHICH, "range": _DASHES, "same": lambda text, rng: text.rstrip("."),
}  # fmt: skip
EACH = 120


def pairs(data: Path) -> list[Pair]:
    """Up to ``EACH`` pairs of each kind in each half."""
    pool = drawn(data)
    random.Random(7).shuffle(pool)
    count: dict[tuple[str, bool], int] = defaultdict(int)
    made: list[Pair] = []
    for edit, table in ((True, EDITS), (False, REWRITES)):
        for kind, change in table.items():
            rng = random.Random(kind)
            for sentence, evidence, dev in pool:
                if count[kind, dev] >= EACH:
                    continue
                new = change(sentence, rng)
                if new is None or new.strip() == sentence.strip() or len(new) < 20:
                    continue
                new = re.sub(r"\s+", " ", new).replace(" .", ".").strip()
                count[kind, dev] += 1
                made.append(Pair(kind, edit, new[0].upper() + new[1:], evidence, dev))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("dev", "held"), default="dev")
    parser.add_argument("--show", help="print the pairs of this kind that went wrong")
    parser.add_argument("--linker", action="store_true")
    parser.add_argument("--settled", action="store_true", help="with the regimes of calibration")
    arguments = parser.parse_args()
    linker = None
    if arguments.linker:
        from kgrag.linking import Linker
        from kgrag.vocabulary.lexicon import Lexicon

        linker = Linker(Lexicon.open())
    rows: dict[tuple[bool, str], list[bool]] = defaultdict(list)
    started, number = time.perf_counter(), 0
    for pair in pairs(Path(os.environ["KGRAG_DATA"])):
        if pair.dev != (arguments.half == "dev"):
            continue
        judge = verify_statement if arguments.settled else judge_by_rules
        found = judge(pair.statement, [pair.evidence], linker=linker)
        number += 1
        flagged = found.verdict != "supported"
        rows[pair.edit, pair.kind].append(flagged)
        if arguments.show in (pair.kind, "all") and flagged != pair.edit:
            why = [(c.layer, c.detail) for c in found.checks if c.result == "fail"]
            print(f"[{pair.kind}] S {pair.statement}\n   E {pair.evidence!r}\n   {why}\n")
    seconds = time.perf_counter() - started
    print(f"half: {arguments.half}; {1000 * seconds / number:.2f} ms a pair")
    for edit in (True, False):
        print("edits, flagged:" if edit else "light rewrites, flagged (false alarms):")
        total: list[bool] = []
        for (is_edit, kind), flags in rows.items():
            if is_edit == edit:
                total += flags
                print(f"  {kind:14} {_share(flags)}")
        print(f"  {'all':14} {_share(total)}")


def _share(flags: list[bool]) -> str:
    """The share with its Wilson interval at 95%."""
    n, z = len(flags), 1.96
    p = sum(flags) / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return f"{p:.3f} [{middle - half:.3f}, {middle + half:.3f}] of {n}"


if __name__ == "__main__":
    main()
