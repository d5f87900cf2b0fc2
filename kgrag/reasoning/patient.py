"""The patient facts of a question: what it says of its patient, or of the group it is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kgrag.reasoning.ages import Age, ages
from kgrag.reasoning.organs import breastfeeding, hepatic, pregnancy, renal, weight
from kgrag.reasoning.persons import find_sex, told
from kgrag.records.analysis import Patient, Stated
from kgrag.records.concepts import Mention

_DRUGS: Final = frozenset(("drug", "chemical"))
_DISEASES: Final = frozenset(("disease", "phenotype"))

# What follows each of these is a list; the reach ends with the clause.
_ALLERGIC: Final = re.compile(
    r"\b(?:allergic\s(?:reaction\s)?to|allerg(?:y|ies)\s(?:to|include|are|is|:|against)\s?|"
    r"allergies:\s|"
    r"(?:anaphyla\w+|hypersensitiv\w+|intoleran\w+|rash|hives)\s(?:reaction\s)?(?:to|with|from|"
    r"after)|"
    r"can't\stake|cannot\stake|can\snot\stake|reacts?\s(?:badly\s)?to)\s?"
)
_ALLERGY_OF: Final = re.compile(
    r"(?P<what>[\w-]{3,30})[\s-](?:allerg(?:y|ic|ies)|hypersensitivity)\b(?!\sto\b)"
)
_OF_ALLERGIES: Final = ("allergy", "allergies", "hypersensitivity")  # told as what it is against
_NO_ALLERGY: Final = re.compile(r"\b(?:no|not|nor|denies|without|never|isn't)\s(?:\w+\s){0,3}\Z")
_TAKES: Final = re.compile(
    r"\b(?:takes?|taking|took|on|using|uses|receives|receiving|treated with|prescribed|given|"
    r"started\s(?:on|taking)?|"
    r"(?:current\s|regular\s|home\s)?(?:medications?|medicines|meds|drugs)(?:\s(?:include|are|is|"
    r"of))?\s?:?)\s"
)
_MODAL: Final = re.compile(
    r"\b(?:can|could|should|may|might|would|shall|must|to|if|not|never|don't|doesn't|didn't|ok|"
    r"safe|whether|want\w*|stopped|avoid|no|will)\s"
    r"(?:(?:i|she|he|they|you|we|it|the|a|my|be|patients?|someone|anyone|people|women|still|also|"
    r"safely|longer|ever|currently)\s){0,3}\Z"
)
# "Can a patient on simvastatin take clarithromycin?": the one is taken, the other is asked about.
_ASKED: Final = re.compile(
    r"(?:^|[.?!;:,]\s|\b(?:and|but|so|or|when|how|which\s\w+|what|why)\s)"
    r"(?:can|could|may|might|should|shall|must|would|will)\b[^.?!;]*\Z"
)
_WHOSE: Final = re.compile(
    r"\b(?:patients?|people|persons?|someone|anyone|wom[ae]n|m[ae]n|adults?|child(?:ren)?|those|"
    r"boys?|girls?|who|who\s(?:is|are))\s(?:(?:already|currently|still|also|regularly)\s)?\Z"
)
_BE: Final = re.compile(r"\b(?:be|get|been|being)\s(?:\w+ly\s)?\Z")
_THEN: Final = re.compile(
    r"\s(?:(?:safely|still|also|ever)\s)?"
    r"(?:take|use|have|get|receive|be|start|stop|avoid|drink|eat|switch)\b"
)
_HAS: Final = re.compile(
    r"\b(?:with|has|have|having|had|suffers?\sfrom|suffering\sfrom|diagnosed with|known|"
    r"history\sof|hx\sof|"
    r"h/o|background\sof|comorbid\w*|underlying|complicated\sby|i'm\sa|is\sa|who\sis|i\sam|pmh:?|"
    r"living with|got|develop(?:s|ed))\s"
)
_PERSON: Final = re.compile(
    r"\b(?:patients?|wom[ae]n|m[ae]n|males?|females?|boys?|girls?|child(?:ren)?|adults?|infants?|"
    r"bab(?:y|ies)|people|persons?|"
    r"individuals?|i|i'm|i've|she|he|they|who|someone|anyone|adolescents?|son|daughter|mother|"
    r"father|wife|husband|those|"
    r"old|\d{1,3}\s?(?:yo|y/o|f|m)|lady|gentleman|sister|brother|mom|dad|friend|partner|infant|"
    r"teenager|newborns?|neonates?|elderly)\b"
)
_CLAUSE: Final = re.compile(
    r"[.?!;\n]|,?\s(?:(?:takes|taking|and\stakes|with|on)\s|but|because|when|while|what|which|"
    r"how|should|can|is\sit|and\s(?:i|she|he|they|has|is|takes|now|wants|presents|asks|no|not|"
    r"what|how|which|should|can)\b)|\s(?:for|who|after|before|without|to)\s|,\s(?:what|which|how|"
    r"should|can|is|does|do|are|not|no|and\s(?:is|takes))\b"
)
_LIST_CHARS: Final = 160
_POPULATION: Final = re.compile(
    r"(?:\b(?:in|for|among|of|to|by)\s(?:\w+\s){0,2}|\b(?:do|does|should|can|are|all|which|what|"
    r"healthy|pregnant|older)\s|\A(?:should|do|are|can)\s(?:\w+\s){0,2})\Z"
)


def patient_of(question: str, mentions: Sequence[Mention] = ()) -> Patient:
    """What the question tells of its patient; negated, planned and relatives' facts are left out.

    ``mentions`` are the linked concepts of the question: medicines, conditions and the concepts of
    allergies come of them.
    """
    masked, kin, kin_sex = told(question)
    age = _age(masked, question)
    found = find_sex(masked, age.end if age is not None and age.of == "patient" else None)
    sex: Stated | None = None
    if kin and kin_sex is not None:
        at = masked.find(kin)
        sex = Stated(kin_sex, question[at : at + len(kin)], at, at + len(kin))
    elif found is not None:
        sex = Stated(found[0], question[found[1] : found[2]], found[1], found[2])
        sex = _of(sex, masked, plural=found[2] - found[1] > 0)
    pregnant, gestation = pregnancy(masked, question)
    if pregnant is not None:
        pregnant = _of(pregnant, masked)
        if sex is None and pregnant.value is True:
            sex = replace(pregnant, value="female")
    pregnant, gestation = _able(pregnant, gestation, sex, age)
    visible = [m for m in mentions if masked[m.start : m.end].strip() and not m.family]
    allergies = _allergies(masked, question, visible)
    taken = {(a.start, a.end) for a in allergies}
    medicines = tuple(m for m in _medicines(masked, visible) if (m.start, m.end) not in taken)
    return Patient(
        age=age,
        sex=sex,
        pregnant=pregnant,
        gestation=gestation,
        breastfeeding=_maybe_of(breastfeeding(masked, question), masked),
        weight=weight(masked, question),
        renal=_maybe_of(renal(masked, question), masked),
        hepatic=_maybe_of(hepatic(masked, question), masked),
        allergies=allergies,
        medicines=medicines,
        conditions=tuple(
            c for c in _conditions(masked, visible)
            if not (allergies and c.text.casefold() in _OF_ALLERGIES)
        ),
    )  # fmt: skip


def _able(
    pregnant: Stated | None, gestation: Stated | None, sex: Stated | None, age: Stated | None
) -> tuple[Stated | None, Stated | None]:
    """Neither of them for a man or a small child: a newborn's gestation is not its own."""
    male = sex is not None and sex.value == "male"
    small = age is not None and age.of == "patient" and age.high is not None and age.high <= 9
    if (male or small) and (pregnant is None or pregnant.value is True):
        return None, None
    return pregnant, gestation


def _maybe_of(stated: Stated | None, masked: str) -> Stated | None:
    return _of(stated, masked) if stated is not None else None


def _of(stated: Stated, masked: str, *, plural: bool = True) -> Stated:
    """Marked as of a population where no single patient is told of."""
    before = masked[max(0, stated.start - 30) : stated.start]
    if plural and _POPULATION.search(before) and not _SINGLE.search(masked):
        return replace(stated, of="population")
    return stated


_SINGLE: Final = re.compile(
    r"\b(?:i'm|i\sam|i\shave|i\stake|my|she|he|her|his|this\spatient|(?:a|"
    r"an)\s(?:\w+[\s-]){0,4}(?:patient|woman|man|boy|girl|child|infant|baby|male|female))\b"
)


def _age(masked: str, question: str) -> Stated | None:
    """The patient's age, else the range asked about, else the group."""
    found = ages(masked)
    for kind in ("age", "range", "group"):
        of_kind = [age for age in found if age.kind == kind]
        if of_kind:
            return _stated_age(of_kind[0], masked, question)
    return None


def _stated_age(age: Age, masked: str, question: str) -> Stated:
    text = question[age.start : age.end]
    if age.kind == "age":
        value: float | str = age.name or round(age.low, 4)
    elif age.kind == "group":
        value = age.name
    else:
        value = f"{age.low:g}-{age.high - 1:g}" if age.high is not None and age.high >= 2 else (
            f"{age.low:g}+" if age.high is None else f"<{age.high:.2g}"
        )  # fmt: skip
    stated = Stated(value, text, age.start, age.end, "a", None, round(age.low, 4),
                    None if age.high is None else round(age.high, 4))  # fmt: skip
    if age.kind == "age":
        return stated
    if age.kind == "range":
        return replace(stated, of="population")
    single = re.search(
        r"\b(?:a|an|my|this|the|our|his|her)\s(?:[\w-]+\s){0,3}\Z", masked[: age.start][-40:]
    )
    return stated if single and not text.lower().endswith(("s", "ren")) else replace(
        stated, of="population"
    )  # fmt: skip


def _stop(masked: str, begin: int) -> int:
    end = _CLAUSE.search(masked, begin, begin + _LIST_CHARS)
    return end.start() if end else min(len(masked), begin + _LIST_CHARS)


def _allergies(masked: str, question: str, mentions: Sequence[Mention]) -> tuple[Stated, ...]:
    found: dict[int, Stated] = {}
    for cue in _ALLERGIC.finditer(masked):
        if _NO_ALLERGY.search(masked, max(0, cue.start() - 30), cue.start()):
            continue
        stop = _stop(masked, cue.end())
        named = [m for m in mentions if cue.end() <= m.start < stop and m.type not in _DISEASES]
        if named:
            found.update({m.start: _of_mention(m) for m in named})
            continue
        if cue[0].startswith(("rash", "hives")):
            continue  # "a rash with itching" is no allergy
        for part in re.finditer(r"[^,]{2,40}?(?=,|\sand\s|\sor\s|\Z)", masked[cue.end() : stop]):
            word = _SUBSTANCE.search(part[0].removeprefix(" and "))
            if word and word[0] not in ("it", "them", "this", "that", "the", "any", "anything"):
                at = cue.end() + part.start() + part[0].index(word[0])
                end = at + len(word[0])
                found[at] = Stated(question[at:end].lower(), question[at:end], at, end)
    for cue in _ALLERGY_OF.finditer(masked):
        start, end = cue.span("what")
        what = cue["what"]
        if what in _NOT_A_SUBSTANCE or _PERSON.fullmatch(what):
            continue
        if _NO_ALLERGY.search(masked, max(0, start - 30), start):
            continue
        named = [m for m in mentions if m.start < end and start < m.end and m.type in _DRUGS]
        if named:
            found[named[0].start] = _of_mention(named[0])
        elif not any(a.start <= start < a.end for a in found.values()):
            found[start] = Stated(what, question[start:end], start, end)
    return tuple(found[at] for at in sorted(found))


# A substance that no lexicon knows ends where the sentence goes on.
_SUBSTANCE: Final = re.compile(
    r"[a-z][\w-]*(?:\s(?!(?:ha[sd]|have|is|was|are|were|needs?|presents?|takes?|comes?|gets?|got|"
    r"develops?|wants?|with|who|should|can|in|at|for)\b)[a-z][\w-]*){0,2}"
)
_NOT_A_SUBSTANCE: Final = frozenset(
    "severe drug food known the any her his their my an history had has have are is was were no "
    "not seasonal and with for suspected reported documented serious mild immediate true "
    "medication drug-related nasal skin contact about anti- non who cause causes you she he they "
    "it from peanut-free possible of".split()
)


def _medicines(masked: str, mentions: Sequence[Mention]) -> tuple[Stated, ...]:
    found: dict[int, Stated] = {}
    drugs = [m for m in mentions if m.type in _DRUGS and not m.negated]
    if not drugs:
        return ()
    for cue in _TAKES.finditer(masked):
        before = masked[max(0, cue.start() - 40) : cue.start()]
        near = masked[max(0, cue.start() - 160) : cue.end()]
        asked = _ASKED.search(masked, max(0, cue.start() - 160), cue.start()) is not None
        # A bare "take" behind the subject is what is asked; behind "who" it tells of the subject.
        whose = _WHOSE.search(before)
        told = asked and whose and (not cue[0].startswith("take ") or whose[0].startswith("who"))
        if not told:
            if asked and (cue[0].startswith("take ") or _BE.search(before)):
                continue
            if _MODAL.search(before):
                continue
        if not ("med" in cue[0] or _PERSON.search(near)):
            continue
        stop = _stop(masked, cue.end())
        if asked and (then := _THEN.search(masked, cue.end(), stop)):
            stop = then.start()
        if cue[0].startswith("on ") and not any(
            m.start - cue.end() <= 30 for m in drugs if m.start >= cue.end()
        ):
            continue
        for mention in drugs:
            if cue.end() <= mention.start < stop:
                found.setdefault(mention.start, _of_mention(mention))
    return tuple(found[at] for at in sorted(found))


# "For the prevention of migraine in a patient with asthma": the migraine alone is not there yet.
_WITH: Final = re.compile(
    r"\b(?:an?|my|this|the|her|his)\s(?:[\w-]+\s){0,3}(?:patient|woman|man|boy|girl|child|adult|"
    r"infant|person|male|female)\s(?:with|who\shas|has)\s(?:\w+\s){0,2}\Z"
)


def _conditions(masked: str, mentions: Sequence[Mention]) -> tuple[Stated, ...]:
    found: dict[int, Stated] = {}
    diseases = [
        m for m in mentions
        if m.type in _DISEASES and not (m.negated or m.absent)
        and not (m.hypothetical and _WITH.search(masked, max(0, m.start - 60), m.start) is None)
    ]  # fmt: skip
    if not diseases:
        return ()
    for cue in _HAS.finditer(masked):
        if not _PERSON.search(masked[max(0, cue.start() - 80) : cue.end()]):
            continue
        if _MODAL.search(masked[max(0, cue.start() - 40) : cue.start()]):
            continue
        stop = _stop(masked, cue.end())
        for mention in diseases:
            if cue.end() <= mention.start < stop:
                found.setdefault(mention.start, _of_mention(mention))
    for mention in diseases:  # "diabetic patients", "in hypertensive adults"
        if re.match(
            r"\s(?:patients?|wom[ae]n|m[ae]n|adults|children|people)\b", masked[mention.end :]
        ):
            found.setdefault(mention.start, _of_mention(mention))
    return tuple(found[at] for at in sorted(found))


def _of_mention(mention: Mention) -> Stated:
    return Stated(
        mention.text.lower(), mention.text, mention.start, mention.end, concept=mention.concept
    )
