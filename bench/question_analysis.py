"""How well questions are taken apart: patients, intents, emergencies, and how fast.

    KGRAG_DATA=... python bench/question_analysis.py [--part patients] [--split test] [--errors]

- ``patients``: own questions and vignettes (``labels/question_patients.jsonl``), each fact
  right when value and unit are; a fact that is read but not told is a false one.
- ``vignettes``: age and sex of AgentClinic cases and MEDEC notes, which their first words tell.
- ``intents``: the types of MedQuAD's questions, where they map, and BioASQ's yes/no questions.
- ``emergencies``: own questions (``labels/red_flags.jsonl``).
- ``applicability``: USPSTF recommendations against patients inside and outside of their range.
- ``speed``: milliseconds a question without linking, short and 20,000 characters long.

Rules were written with the development halves (crc32 of the id even) in view; report the others.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from machine import describe

from kgrag.linking.linker import Linker
from kgrag.reasoning.analysis import analyse
from kgrag.reasoning.applicability import judge
from kgrag.reasoning.emergencies import is_emergency
from kgrag.reasoning.intents import intents
from kgrag.reasoning.patient import patient_of
from kgrag.records.analysis import Stated
from kgrag.vocabulary.lexicon import Lexicon

LABELS = Path(__file__).parent / "labels"
FACTS = ("age", "sex", "pregnant", "gestation", "breastfeeding", "weight", "renal", "hepatic",
         "allergies", "medicines")  # fmt: skip
INTENTS = {
    "information": "definition", "causes": "cause", "inheritance": "cause",
    "genetic changes": "cause", "susceptibility": "cause", "symptoms": "diagnosis",
    "exams and tests": "diagnosis", "stages": "diagnosis", "treatment": "treatment",
    "outlook": "prognosis", "complications": "prognosis", "prevention": "screening",
}  # fmt: skip
KEYWORDS = (
    ("treat", "treatment"), ("cause", "cause"), ("inherit", "cause"), ("symptom", "diagnosis"),
    ("diagnos", "diagnosis"), ("outlook", "prognosis"), ("prevent", "screening"),
    ("what is", "definition"),
)  # fmt: skip


def half(identifier: str, wanted: str) -> bool:
    """Whether the row is of the wanted half."""
    return wanted == "all" or (zlib.crc32(identifier.encode()) % 2 == 0) == (wanted == "dev")


def wilson(right: int, of: int) -> str:
    """The share with its 95% interval."""
    if not of:
        return "-"
    p, z = right / of, 1.96
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    reach = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{p:.3f} [{middle - reach:.3f}, {middle + reach:.3f}] ({right}/{of})"


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def same(fact: str, stated: Any, expected: Any) -> bool:
    """Whether what was read is what the label says."""
    if fact in ("allergies", "medicines"):
        return {str(s.value) for s in stated} == set(expected)
    if fact in ("age", "gestation"):
        low, high = stated.low, stated.high
        if len(expected) == 1:
            return low is not None and abs(low - expected[0]) < 0.06
        first, last = expected
        return near(low or 0.0, first) and (near(high, last) if last else high is None)
    if fact == "weight":
        return near(stated.value, expected)
    if fact == "renal":
        if isinstance(expected, float):
            return bool(stated.value == expected)
        words = {"dialysis": "dialysis", "impaired": "impairment"}
        return str(words.get(expected, expected.replace("stage", "stage "))) in str(stated.value)
    if fact == "hepatic":
        text = str(stated.value)
        return bool(text == f"Child-Pugh {expected}" if expected in "ABC" else expected == "word")
    return bool(stated.value == expected)


def near(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) < 0.1


def patients(wanted: str, errors: bool) -> None:
    lexicon = Lexicon.open()
    linker = Linker(lexicon)
    right, told, read, whole, count = Counter[str](), Counter[str](), Counter[str](), 0, 0
    for row in rows(LABELS / "question_patients.jsonl"):
        if not half(row["id"], wanted):
            continue
        question, count, mistakes = row["question"], count + 1, []
        found = patient_of(question, linker.link(question))
        for fact in FACTS:
            if fact in row.get("either", ()):
                continue
            stated: Stated | tuple[Stated, ...] | None = getattr(found, fact)
            expected = row["facts"].get(fact)
            read[fact] += bool(stated)
            told[fact] += expected is not None
            good = bool(stated) and expected is not None and same(fact, stated, expected)
            right[fact] += good
            if not good and (stated or expected is not None):
                values = [
                    s.value for s in (stated if isinstance(stated, tuple) else (stated,)) if s
                ]
                mistakes.append(f"{fact}: {values} for {expected}")
        whole += not mistakes
        if mistakes and errors:
            print("  ", question, "\n      ", "; ".join(mistakes))
    print(f"patients, {wanted}: {count} questions, all facts right {wilson(whole, count)}")
    for fact in (*FACTS, "all"):
        if fact == "all":
            hit, of, said = right.total(), told.total(), read.total()
        else:
            hit, of, said = right[fact], told[fact], read[fact]
        print(f"  {fact:14} recall {wilson(hit, of):32} precision {wilson(hit, said)}")


_FIRST = re.compile(
    r"\b(\d{1,3})[\s-]?(year|month|week|day)s?[\s-]old\b(?:\s\w+){0,2}?\s"
    r"(woman|man|girl|boy|female|male|lady|gentleman)\b", re.I
)  # fmt: skip


def vignettes(wanted: str, errors: bool) -> None:
    """Gold is what the plainest pattern finds in the first 100 characters; notes in which it finds
    nothing are not counted. The reader gets the whole note."""
    root = Path(os.environ["KGRAG_DATA"]) / "bench"
    step = {"year": 1.0, "month": 1 / 12, "week": 7 / 365.25, "day": 1 / 365.25}
    notes: dict[str, list[tuple[str, str]]] = {"AgentClinic": [], "MEDEC": []}
    for name in ("agentclinic_medqa", "agentclinic_medqa_extended"):
        for number, case in enumerate(rows(root / "agentclinic" / f"{name}.jsonl")):
            actor = case["OSCE_Examination"]["Patient_Actor"]
            parts = (actor.get(k) for k in ("Demographics", "History", "Past_Medical_History"))
            text = ". ".join(p if isinstance(p, str) else json.dumps(p) for p in parts if p)
            notes["AgentClinic"].append((f"{name}-{number}", text))
    for row in rows(root / "medec_ms" / "validationset.jsonl"):
        notes["MEDEC"].append((row["Text ID"], row["Text"]))
    for name, texts in notes.items():
        count, ages, sexes = 0, 0, 0
        for identifier, text in texts:
            match = _FIRST.search(text[:100])
            if match is None or not half(identifier, wanted):
                continue
            count += 1
            age = int(match[1]) * step[match[2].lower()]
            sex = "female" if match[3].lower() in ("woman", "girl", "female", "lady") else "male"
            found = patient_of(text)
            good = found.age is not None and near(found.age.low, age)
            fits = found.sex is not None and found.sex.value == sex
            ages, sexes = ages + good, sexes + fits
            if errors and not (good and fits):
                said = (found.age and found.age.text, found.sex and found.sex.text)
                print("  ", name, said, "|", text[:120].replace("\n", " "))
        print(f"vignettes, {wanted}, {name}: age {wilson(ages, count)}, sex {wilson(sexes, count)}")


def intent_parts(wanted: str, errors: bool) -> None:
    root = Path(os.environ["KGRAG_DATA"])
    gold, asked = [], []
    for row in rows(root / "corpora" / "medquad" / "qa_with_answers.jsonl"):
        if row["qtype"] in INTENTS and half(row["id"], wanted):
            gold.append(INTENTS[row["qtype"]])
            asked.append(row["question"])
    majority = Counter(gold).most_common(1)[0][0]
    ways: Mapping[str, Callable[[str], str]] = {
        "always the commonest": lambda _: majority,
        "first keyword": keyword,
        "rules, main intent": lambda q: intents(q)[0],
    }
    print(f"intents, {wanted}: MedQuAD, {len(gold)} questions of {len(set(gold))} intents")
    for way, guess in ways.items():
        guesses = [guess(q) for q in asked]
        f1 = macro_f1(gold, guesses)
        right = sum(g == w for g, w in zip(guesses, gold, strict=True))
        print(f"  {way:22} accuracy {wilson(right, len(gold))}, macro-F1 {f1:.3f}")
        if errors and way.startswith("rules"):
            wrong = [(w, g, q) for w, g, q in zip(gold, guesses, asked, strict=True) if w != g]
            for line, number in Counter((w, g) for w, g, _ in wrong).most_common(12):
                print("    ", number, line, next(q for w, g, q in wrong if (w, g) == line))
    named = [w in intents(q) for w, q in zip(gold, asked, strict=True)]
    print(f"  among all intents read {wilson(sum(named), len(named))}")
    yes = [
        (row["type"] == "yesno", row["question"])
        for row in rows(root / "bench" / "bioasq_golden" / "questions.jsonl")
        if half(row["id"], wanted)
    ]
    for way, says in (
        ("never", _never),
        ("first word is/are/do/does", _first_word),
        ("rules", _yes_no),
    ):
        hits = [(truth, says(q)) for truth, q in yes]
        right = sum(t == s for t, s in hits)
        sensitivity = wilson(sum(t and s for t, s in hits), sum(t for t, _ in hits))
        specificity = wilson(sum(not t and not s for t, s in hits), sum(not t for t, _ in hits))
        print(f"  BioASQ yes/no, {way:26} right {wilson(right, len(hits))}")
        print(f"      sensitivity {sensitivity}, specificity {specificity}")
        if errors and way == "rules":
            for truth, question in yes:
                if truth != says(question):
                    print("      ", truth, question)


def _never(question: str) -> bool:
    return False


def _first_word(question: str) -> bool:
    return re.match(r"(?i)(is|are|do|does)\b", question) is not None


def _yes_no(question: str) -> bool:
    return "yes_no" in intents(question)


def keyword(question: str) -> str:
    lower = question.lower()
    return next((intent for word, intent in KEYWORDS if word in lower), "other")


def macro_f1(gold: Sequence[str], guesses: Sequence[str]) -> float:
    scores = []
    for label in sorted(set(gold)):
        hit = sum(g == w == label for g, w in zip(guesses, gold, strict=True))
        total = sum(g == label for g in guesses) + sum(w == label for w in gold)
        scores.append(2 * hit / total)
    return sum(scores) / len(scores)


_ALARMING = re.compile(
    r"\b(?:chest pain|stroke|overdose|suicid\w+|seizure|anaphyla\w+|unconscious|not breathing|"
    r"sepsis|meningitis|bleeding|emergency)\b", re.I
)  # fmt: skip


def _alarmed(question: str) -> bool:
    return _ALARMING.search(question) is not None


def emergencies(wanted: str, errors: bool) -> None:
    for way, says in (
        ("a word of alarm", _alarmed),
        ("rules", is_emergency),
    ):
        hits: list[bool] = []
        calm: list[bool] = []
        for row in rows(LABELS / "red_flags.jsonl"):
            if row["round"] != 1 or not half(row["id"], wanted):
                continue
            said = says(row["question"])
            (hits if row["emergency"] else calm).append(said)
            if errors and way == "rules" and said != row["emergency"]:
                print("   missed" if row["emergency"] else "   false", row["question"])
        print(f"emergencies, {wanted}, {way}: sensitivity {wilson(sum(hits), len(hits))}, "
              f"specificity {wilson(len(calm) - sum(calm), len(calm))}")  # fmt: skip


AGES = (0.5, 3, 8, 15, 20, 30, 45, 55, 68, 80)


def applicability(wanted: str, errors: bool) -> None:
    """Recommendations of the USPSTF, of which the age range and sex are known, against patients of
    ten ages and both sexes: nobody in the range may be excluded, those outside should be."""
    root = Path(os.environ["KGRAG_DATA"]) / "corpora" / "uspstf"
    kept, excluded = Counter[bool](), Counter[bool]()
    for row in rows(root / "specific_recommendations.jsonl"):
        if not half(str(row["id"]), wanted):
            continue
        low, high = row["ageRange"]
        text = re.sub(r"<[^>]+>|&\w+;", " ", row["text"])
        for age in AGES:
            for word, sex in (("woman", "female"), ("man", "male")):
                years = f"{age * 12:g}-month" if age < 1 else f"{age:g}-year"
                patient = patient_of(f"A {years}-old {word} asks.")
                inside = low <= age <= high and row["sex"] in (sex, "men and women", "all", "both")
                judged = judge(patient, text, (row["title"],))
                out = judged.result == "not_applicable"
                (kept if inside else excluded)[out] += 1
                if errors and inside and out:
                    print("   ", age, word, row["title"], judged.reason, "|", text[:150])
    print(f"applicability, {wanted}: wrongly excluded {wilson(kept[True], kept.total())}, "
          f"rightly excluded {wilson(excluded[True], excluded.total())}")  # fmt: skip


def later(wanted: str, errors: bool) -> None:
    """Questions of another hand (the fifth round). The rules of commit ebc4af7 had not seen them:
    sensitivity .683, specificity .983. They then widened the rules, as all rounds before did, so
    that a figure of today is of known questions."""
    held = [row for row in rows(LABELS / "red_flags.jsonl") if row["round"] == 5]
    for way, says in (("a word of alarm", _alarmed), ("rules", is_emergency)):
        hits = [says(row["question"]) for row in held if row["emergency"]]
        calm = [says(row["question"]) for row in held if not row["emergency"]]
        print(f"emergencies, of another hand, known by now, {way}: "
              f"sensitivity {wilson(sum(hits), len(hits))}, "
              f"specificity {wilson(len(calm) - sum(calm), len(calm))}")  # fmt: skip


def speed(wanted: str, errors: bool) -> None:
    short = [row["question"] for row in rows(LABELS / "question_patients.jsonl")]
    analyse(short[0])
    taken = []
    for question in short:
        runs = []
        for _ in range(3):  # the least of three: other work shares the machine
            began = time.perf_counter()
            analyse(question)
            is_emergency(question)
            runs.append((time.perf_counter() - began) * 1000)
        taken.append(min(runs))
    taken.sort()
    print(f"speed: p50 {taken[len(taken) // 2]:.2f} ms, p95 {taken[int(len(taken) * 0.95)]:.2f} ms")
    long = {
        "vignettes": " ".join(short * 3)[:20_000],
        "one word": "a" * 20_000,
        "one digit": "1" * 20_000,
        "numbers": "7 " * 10_000,
        "is 7 ": "is 7 and with " * 1_400,
        "commas": "what, is, it, and " * 1_100,
        "hyphens": "-" * 20_000,
        "spaces": "what is" + " " * 19_990 + "x",
    }
    for name, text in long.items():
        began = time.perf_counter()
        analyse(text)
        is_emergency(text)
        print(f"  20,000 characters of {name:10} {(time.perf_counter() - began) * 1000:8.1f} ms")


PARTS: Mapping[str, Callable[[str, bool], None]] = {
    "patients": patients, "vignettes": vignettes, "intents": intent_parts,
    "emergencies": emergencies, "later": later, "applicability": applicability, "speed": speed,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--split", choices=["dev", "test", "all"], default="test")
    parser.add_argument("--errors", action="store_true", help="print them (development half only)")
    options = parser.parse_args()
    print(describe())
    for name, part in PARTS.items():
        if options.part in (name, "all"):
            part(options.split, options.errors and options.split == "dev")


if __name__ == "__main__":
    main()
