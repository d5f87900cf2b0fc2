"""Eleven kinds of planted edit and the light rewrites: what each does to one sentence.

Each maker gives all its ways: what was done, and the statement as spans of the sentence and words
of ours. The words are in ``labels/planted_edits_words.json``; nothing here reads the product's
rules. Frozen with ``planted_edits``.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

WORDS_FILE: Final = Path(__file__).parent / "labels" / "planted_edits_words.json"
WORDS: Final[Mapping[str, Any]] = json.loads(WORDS_FILE.read_text(encoding="utf-8"))
KINDS: Final = (
    "number", "dose", "unit", "drug", "concept", "population", "negation", "direction", "cause",
    "hedge", "condition",
)  # fmt: skip

Pieces = tuple[tuple[int, int] | str, ...]
Edit = tuple[int, int, str]  # characters [start, end) of the sentence, and what stands there now


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a sentence and the concept it means."""

    start: int
    end: int
    text: str
    concept: str
    type: str


@dataclass(frozen=True, slots=True)
class Names:
    """Names that the corpora use, by type and by concept, and what is kin to a concept."""

    by_type: Mapping[str, Sequence[tuple[str, str]]]
    by_concept: Mapping[str, Sequence[str]]
    kin: Callable[[str, str], bool]


# Kinds of edit: each gives the ways in which it can change a sentence ---------------------------

Way = tuple[str, tuple[Edit, ...]]  # detail, edits

_NUMBER: Final = re.compile(r"(?<![\w.,/$£€^+−–-])\d{1,4}(?:\.\d+)?(?![\w/^−–-]|[.,]\d)")
_DOSE_UNIT: Final = (
    r"(?:mg/kg|mcg/kg|µg/kg|μg/kg|mg/day|mg/m2|mg|mcg|µg|μg|g|grams?|milligrams?|mL|ml|IU|units?|"
    r"tablets?|capsules?|drops|puffs)\b(?!/(?!kg|day|m2))"
)
_DOSE: Final = re.compile(rf"(?<![\w.,/–-])(\d{{1,4}}(?:\.\d+)?)[ -]?{_DOSE_UNIT}")
_SKIP_NUMBER: Final = re.compile(
    r"(?i)(?:type|grade|stage|phase|class|group|day|week|vitamin|factor|step|level|no|number|hiv|"
    r"interleukin|omega|covid|p|n|chapter|version|part|by|of|=|<|>|≤|≥|±|h|cyp|il)[ .-]?$"
)


def numbers(sentence: str, names: Sequence[Named], rng: random.Random, pool: Names) -> list[Way]:
    """Another value of a count, an age, a share or a duration; its unit stays."""
    ways: list[Way] = []
    amounts = [m.span(1) for m in _DOSE.finditer(sentence)]
    for found in _NUMBER.finditer(sentence):
        start, end = found.span()
        value = found[0]
        tail = sentence[end : end + 22]
        if _SKIP_NUMBER.search(sentence[max(0, start - 12) : start]) or (start, end) in amounts:
            continue
        if re.match(r"(?:1[89]|20)\d\d$", value) or re.match(r"\s?%\s?(?:CI|confidence)", tail):
            continue
        if not re.match(r"\s?%|\s[a-z]{3,}", tail):  # a value of something that is named
            continue
        other = _other_value(value, rng, most=99.9 if tail.lstrip()[:1] == "%" else 9999)
        if other and not re.search(rf"(?<!\d){re.escape(other)}(?!\d)", sentence):
            ways.append((f"{'share' if '%' in tail[:2] else 'value'}", ((start, end, other),)))
    words = WORDS["number_words"]
    for found in re.finditer(
        r"\b(two|three|four|five|six|seven|eight|nine|ten|twelve)\b (?=[a-z]{3,}s\b)", sentence
    ):
        other = rng.choice([w for w in words[1:] if w != found[1] and w not in sentence.split()])
        ways.append(("word", ((*found.span(1), other),)))
    return ways


def _other_value(value: str, rng: random.Random, most: float) -> str | None:
    places = len(value.partition(".")[2])
    number = float(value)
    if number == 0:
        return None
    for factor in rng.sample([0.5, 2, 3, 0.2, 5, 1.5, 0.75, 1.3, 0.1, 10], k=10):
        changed = f"{number * factor:.{places}f}"
        ratio = float(changed) / number
        if (
            0 < float(changed) <= most
            and (ratio <= 0.8 or ratio >= 1.25)
            and (float(changed) != 1 or places)
        ):
            return changed
    return None


_FREQUENCY: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("once daily", ("twice daily", "once weekly")),
    ("once a day", ("twice a day",)),
    ("twice daily", ("once daily", "four times daily")),
    ("twice a day", ("once a day",)),
    ("three times daily", ("once daily",)),
    ("three times a day", ("once a day",)),
    ("once weekly", ("once daily",)),
    ("once a week", ("once a day",)),
    ("daily", ("weekly",)),
    ("weekly", ("daily",)),
    ("every day", ("every week",)),
    ("per day", ("per week",)),
    ("a day", ("a week",)),
    ("each day", ("each week",)),
)
_ROUTES: Final = (
    "oral",
    "intravenous",
    "intramuscular",
    "subcutaneous",
    "topical",
    "rectal",
    "intranasal",
    "transdermal",
    "sublingual",
)
_TAKEN: Final = re.compile(
    r"\b(?:dos(?:e|es|ed|age|ing)|administ\w+|tablets?|capsules?|treat(?:ed|ment)|therapy|taken?|"
    r"taking|given|mg|inject\w+|infusion|recei[v]\w+)\b"
)


def doses(sentence: str, names: Sequence[Named], rng: random.Random, pool: Names) -> list[Way]:
    """Another amount of a drug, another frequency or another route."""
    ways: list[Way] = []
    for found in _DOSE.finditer(sentence):
        year = re.fullmatch(r"(?:19|20)\d\d", found[1])
        other = None if year else _other_value(found[1], rng, most=9999)
        if other and not re.search(rf"(?<!\d){re.escape(other)}(?!\d)", sentence):
            ways.append(("amount", ((*found.span(1), other),)))
    if not _TAKEN.search(sentence) or not any(n.type == "drug" for n in names):
        return ways
    for phrase, others in _FREQUENCY:
        hits = list(
            re.finditer(rf"(?<![\w-]){phrase}(?! (?:life|living|activi[t]|basis))\b", sentence)
        )
        if len(hits) == 1 and not ways:
            ways.append(("frequency", ((*hits[0].span(), rng.choice(others)),)))
    present = [r for r in _ROUTES if re.search(rf"\b{r}", sentence, re.I)]
    if len(present) == 1:
        hits = list(
            re.finditer(
                rf"(?<![\w-]){present[0]}(?= (?:administration|dos|therapy|treatment|injection|"
                r"infusion|route|tablet|formulation|[a-z]+(?:in|ol|i[n]e|ide|ate)\b))",
                sentence,
            )
        )
        if len(hits) == 1:
            other = rng.choice([r for r in _ROUTES if r != present[0]])
            ways.append(("route", _agreed(sentence, *hits[0].span(), other)))
    return ways


_UNITS: Final[Mapping[str, tuple[str, ...]]] = {
    "mg": ("g", "mcg", "mL"),
    "mcg": ("mg",),
    "µg": ("mg",),
    "μg": ("mg",),
    "g": ("mg", "kg"),
    "kg": ("g",),
    "mL": ("L",),
    "ml": ("l",),
    "mm": ("cm",),
    "cm": ("mm",),
    "mg/kg": ("mcg/kg", "g/kg"),
    "mg/day": ("g/day", "mg/hour"),
    "mmHg": ("cmHg",),
    "mg/dL": ("g/dL",),
    "mg/dl": ("g/dl",),
    "mmol/L": ("mol/L",),
    "ng/mL": ("mg/mL",),
    "ng/ml": ("mg/ml",),
    "hours": ("days", "weeks"),
    "days": ("hours", "weeks", "months"),
    "weeks": ("days", "months", "years"),
    "months": ("weeks", "years"),
    "years": ("months", "weeks"),
    "minutes": ("hours", "seconds"),
    "seconds": ("minutes",),
    "h": ("days",),
    "min": ("h",),
    "nM": ("mM",),
    "μM": ("M", "mM"),
    "µM": ("mM",),
    "mM": ("nM",),
    "g/L": ("mg/L",),
    "hour": ("week",),
    "day": ("month",),
    "week": ("year",),
    "month": ("day",),
    "year": ("week",),
}


def units(sentence: str, names: Sequence[Named], rng: random.Random, pool: Names) -> list[Way]:
    """The same figure of another unit: another scale or another dimension."""
    ways: list[Way] = []
    spelled = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
    pattern = rf"(?<![\w.,/])(?:\d+(?:\.\d+)?|two|three|four|five|six)([ -])({spelled})(?![\w/])"
    for found in re.finditer(pattern, sentence):
        plural = r"(?i)\b(?:ages?d?|old(?:er)?|young(?:er)?|gestation\w*)\b"
        near = sentence[max(0, found.start() - 30) : found.end() + 25]
        others = _UNITS[found[2]]
        if found[1] == "-" and found[2] in ("h", "g", "min"):
            continue
        if found[2] in ("years", "year") and re.search(plural, near):
            others = ("months",) if found[2] == "years" else ("month",)
        free = [u for u in others if not re.search(rf"\b{re.escape(u)}\b", sentence)]
        if free:
            ways.append((found[2], ((*found.span(2), rng.choice(free)),)))
    return ways


def _group(name: str) -> str | None:
    """What makes two drugs of one text class: the stem of their names or a group of ours."""
    for number, group in enumerate(WORDS["drug_groups"]):
        if name in group:
            return f"group {number}"
    return next((s for s in WORDS["stems"] if name.endswith(s) and len(name) > len(s) + 1), None)


def drugs(sentence: str, names: Sequence[Named], rng: random.Random, pool: Names) -> list[Way]:
    """Another drug of the same class, everywhere in the sentence."""
    ways: list[Way] = []
    present = {n.concept for n in names}
    for concept in sorted({n.concept for n in names if n.type == "drug"}):
        places = [n for n in names if n.concept == concept]
        surface = places[0].text
        group = _group(surface.lower())
        if group is None or any(n.text != surface for n in places) or not surface.isalpha():
            continue
        if len(re.findall(re.escape(surface), sentence, re.I)) != len(places):
            continue
        known = [
            (name, curie)
            for name, curie in pool.by_type.get("drug", ())
            if _group(name) == group
            and name not in sentence.lower()
            and not any({name, surface.lower()} <= set(same) for same in WORDS["same_drug"])
        ]
        other = _unrelated(known, present, rng, pool)
        if other:
            other = _like(surface[0], other)
            edits = [e for n in places for e in _agreed(sentence, n.start, n.end, other)]
            ways.append((group, tuple(edits)))
    return ways


def _unrelated(
    known: Sequence[tuple[str, str]], present: set[str], rng: random.Random, pool: Names
) -> str | None:
    """A name drawn from ``known`` whose concept is no kin of those present; None after 25 draws."""
    for name, curie in rng.sample(known, k=min(25, len(known))):
        if curie not in present and not any(pool.kin(curie, p) for p in present):
            return name
    return None


def concepts(sentence: str, names: Sequence[Named], rng: random.Random, pool: Names) -> list[Way]:
    """Another disease, neither synonym nor kin of one that the sentence names."""
    ways: list[Way] = []
    present = {n.concept for n in names}
    for one in names:
        if one.type != "disease" or not _is_noun(one.text):
            continue
        if sum(n.concept == one.concept for n in names) > 1:
            continue
        if re.match(r"-|\s?\(|/| (?:or|and|and/or)\b", sentence[one.end :]):
            continue
        if re.search(r"[-/]$|\b(?:or|and|non|anti)[ -]$", sentence[: one.start]):
            continue
        words = set(sentence.lower().split())
        known = [
            (name, curie)
            for name, curie in pool.by_type.get(one.type, ())
            if name.endswith("s") == one.text.endswith("s") and not set(name.split()) & words
        ]
        other = _unrelated([k for k in known if _is_noun(k[0])], present, rng, pool)
        if other:
            ways.append((one.type, _agreed(sentence, one.start, one.end, other)))
    return ways


def _is_noun(name: str) -> bool:
    last = name.split()[-1]
    return (
        name.islower()
        and len(name) > 5
        and name not in WORDS["too_general"]
        and re.fullmatch(r"[a-z][a-z ]+", name) is not None
        and not re.search(r"(?:ic|al|ive|ous|ed|ing|ary|ent|able|oid)$", last)
        and (len(name.split()) > 1 or last not in WORDS["too_general"])
    )


def populations(
    sentence: str, names: Sequence[Named], rng: random.Random, pool: Names
) -> list[Way]:
    """Another age group, sex or state of the patients."""
    ways: list[Way] = []
    groups = {w for pair in WORDS["population"] for w in pair}
    for one, other in WORDS["population"]:
        hits = list(re.finditer(rf"(?<![\w-]){one}(?![\w-])", sentence, re.I))
        if (
            len(hits) != 1
            or any(
                re.search(rf"\b{g}\b", sentence, re.I)
                for g in groups
                if g != one and one not in g and g not in one
            )
            or re.search(rf"\b(?:non-?)?{other}\b", sentence, re.I)
        ):
            continue
        start, end = hits[0].span()
        if re.search(
            r"\b(?:pregnan|lactat|menopaus|prostat|breast|ovar|cervi|uter|testi|mother|"
            r"gestation|birth|mice|rats?|cells?|animals?)",
            sentence,
            re.I,
        ) and one not in ("postmenopausal", "premenopausal", "pregnant women", "mothers"):
            continue
        # "young women", "adult patients": another word says the group already
        if re.search(r"\b(?:\d+|young|older|preterm|elderly)[ -]*$", sentence[:start]):
            continue
        if re.match(r" (?:aged|younger|older|\d)|-", sentence[end:]):
            continue
        ways.append(
            (f"{one}: {other}", _agreed(sentence, start, end, _like(sentence[start], other)))
        )
    return ways


_AUXILIARY: Final = r"(is|are|was|were|should|may|can|could|has|have|will|would|must|did|does|do)"


def negations(sentence: str, names: Sequence[Named], rng: random.Random, pool: Names) -> list[Way]:
    """A negation put in after the verb of the first clause, or the only one taken out."""
    ways: list[Way] = []
    negative = re.compile(
        r"(?i)\b(?:not?|cannot|neither|nor|none|never|without|unless|although|n't|lack\w*|"
        r"only|whether|but|however|despite|except)\b"
    )
    found = re.search(rf"\b{_AUXILIARY} ", sentence)
    if found and not negative.search(sentence):
        before = sentence[: found.start()]
        after = sentence[found.end() :]
        if not re.search(
            r"[,;:(]|\b(?:that|which|who|whom|whose|if|when|while|where|because|as|"
            r"since|there|There|what|how|than)\b",
            before,
        ) and re.match(
            r"(?!(?:also|often|usually|the|an?|been|still|always|most|more|being|had|now|currently|"
            r"frequently|commonly|generally|widely|known|likely|yet|even)\b)[a-z]+\b",
            after,
        ):
            if found[1] == "can":
                ways.append(("inserted", ((found.start(1), found.end(1), "cannot"),)))
            elif not (
                found[1] in ("has", "have", "do", "does", "did")
                and not re.match(r"\w+(?:ed|en|wn|ne|de|nd)\b", after)
            ):
                ways.append(("inserted", ((found.end(1), found.end(1), " not"),)))
    denied = list(negative.finditer(sentence))
    if len(denied) == 1 or all(d[0].lower() in ("but", "however", "although") for d in denied[1:]):
        hit = re.search(
            r"\b(?:is|are|was|were|should|may|could|has|have|will|would|must)( not)"
            r"(?! (?:only|necessarily|just|limited|merely|yet|all|more|less|differ|different))\b"
            r"(?! significantly different)",
            sentence,
        )
        if hit:
            ways.append(("removed", ((*hit.span(1), ""),)))
        hit = re.search(r"\bcannot\b", sentence)
        if hit:
            ways.append(("removed", ((*hit.span(), "can"),)))
        hit = re.search(
            r"\bno (significant|evidence|effect|clear|major|known|association)\b", sentence
        )
        if hit and not re.search(r"\b(?:with|or) $", sentence[: hit.start()]):
            article = {"evidence": "", "effect": "an ", "association": "an "}.get(hit[1], "a ")
            if not re.match(r" \w+s\b", sentence[hit.end() :]) or hit[1] == "evidence":
                ways.append(("removed", ((hit.start(), hit.start(1), article),)))
        hit = re.search(r"(?<=[a-z] )without(?= (?!regard|delay|the need)[a-z]+)", sentence)
        if hit and not re.search(r"(?i)\bwith or $", sentence[: hit.start()]):
            ways.append(("removed", ((*hit.span(), "with"),)))
    return ways


def directions(sentence: str, names: Sequence[Named], rng: random.Random, pool: Names) -> list[Way]:
    """A word of direction or worth turned into its opposite."""
    ways: list[Way] = []
    pairs = [tuple(p) for p in WORDS["direction"]]
    for one, other in [
        *pairs,
        *((b, a) for a, b in pairs),
        *map(tuple, WORDS["direction_one_way"]),
    ]:
        hits = list(re.finditer(rf"(?<![\w-]){one}(?![\w-])", sentence))
        if len(hits) != 1 or re.search(rf"\b{other}\b", sentence):
            continue
        around = sentence[max(0, hits[0].start() - 14) : hits[0].end() + 8]
        if re.search(r"\b(?:or|and|no|not|nor|neither|never|significantly)\b.*$", around[:14]) and (
            re.search(r"\b(?:or|and|nor)\b", around)
        ):
            continue
        if one in ("above", "below", "before", "after", "less", "more than", "less than") and (
            re.search(
                r"\b(?:as|the|described|mentioned|shown|even|long|shortly) $",
                sentence[: hits[0].start()],
            )
            or re.match(r"[.,;]| all| that", sentence[hits[0].end() :])
        ):
            continue
        if one == "less" and not re.match(r" [a-z]+(?: |,|\.)", sentence[hits[0].end() :]):
            continue
        if one in ("effective", "safe") and re.match(r"ly|ness| and", sentence[hits[0].end() :]):
            continue
        ways.append((f"{one}: {other}", _agreed(sentence, *hits[0].span(), other)))
    return ways


_GRADED: Final = r"(?:(?:independent|important|major|significant|known|potential) )?"
_LINKED: Final = (
    r"(?:(?:significantly|independently|strongly|closely|positively|also|commonly|often|usually|"
    r"frequently|highly) )?(?:associated|correlated|linked) (?:with|to)"
)


def causes(sentence: str, names: Sequence[Named], rng: random.Random, pool: Names) -> list[Way]:
    """What goes together is said to be cause and effect."""
    if re.search(r"\b(?:not?|nor|whether|without|cannot|caus\w+)\b", sentence):
        return []
    ways: list[Way] = []
    for pattern, other in (
        (rf"\b(?:is|has been) {_LINKED}\b", "causes"),
        (rf"\b(?:are|have been) {_LINKED}\b", "cause"),
        (rf"\b(?:was|were) {_LINKED}\b", "caused"),
        (rf"\bbe {_LINKED}\b", "cause"),
        (
            rf"\bis an? {_GRADED}risk factor for\b",
            "is a cause of",
        ),
        (
            rf"\bare {_GRADED}risk factors for\b",
            "are causes of",
        ),
        (r"(?<=[a-z] )correlates with\b", "causes"),
        (r"(?<=[a-z] )correlated with\b", "caused"),
        (r"\bpredicts\b", "causes"),
        (r"\bpredicted(?= (?:an?|the|poor|worse|higher|lower)\b)", "caused"),
    ):
        for hit in re.finditer(pattern, sentence):
            ways.append((other, ((*hit.span(), other),)))
    if not ways:
        for hit in re.finditer(
            r"(?<=[a-z] )associated with(?! (?:the use|it|each|this))\b", sentence
        ):
            if not re.search(
                r"\b(?:is|are|was|were|be|been|\w+ly|as|and|or|most|more|when|if) $",
                sentence[: hit.start()],
            ):
                ways.append(("caused by", ((*hit.span(), "caused by"),)))
    return ways


def hedges(sentence: str, names: Sequence[Named], rng: random.Random, pool: Names) -> list[Way]:
    """A word that says how sure the source is, taken out or made firm."""
    ways: list[Way] = []
    if re.search(r"\b(?:whether|if|would|not)\b", sentence):
        return ways
    for one, other in WORDS["hedges_replaced"]:
        hits = list(re.finditer(rf"(?<![\w-]){one}(?![\w-])", sentence))
        if len(hits) != 1 or (one == "may" and " may or " in sentence):
            continue
        if one in ("could", "might", "may") and re.match(
            r" (?:have|well)\b", sentence[hits[0].end() :]
        ):
            continue
        if one == "often" and re.search(
            r"\b(?:more|less|most|as|very) $", sentence[: hits[0].start()]
        ):
            continue
        if one == "suggested that" and re.search(r"\b(?:is|been) $", sentence[: hits[0].start()]):
            continue
        ways.append((f"{one}: {other}", ((*hits[0].span(), other),)))
        if len(one.split()) > 1:
            return ways
    for one in WORDS["hedges_dropped"]:
        hits = list(re.finditer(rf"(?<![\w-]){one} (?=[a-z])", sentence))
        if len(hits) != 1:
            continue
        start, end = hits[0].span()
        if re.search(
            r"\b(?:more|less|most|as|if|the|membrane|action|very|any|all|equally|is|are|was|were)"
            r" $",
            sentence[:start],
        ) and one not in (
            "possibly",
            "probably",
            "potentially",
            "presumably",
            "reportedly",
            "apparently",
        ):
            continue
        if one == "possible" and sentence[end:].startswith(("to ", "that ", "for ")):
            continue
        if re.search(r"\ba $", sentence[:start]) and sentence[end] in "aeiou":
            start, end, new = start - 2, end, "an "
        elif re.search(r"\ban $", sentence[:start]) and sentence[end] not in "aeiou":
            start, end, new = start - 3, end, "a "
        else:
            new = ""
        ways.append((f"{one}: dropped", ((start, end, new),)))
    return ways


_WHOM: Final = r"(?:those|people|individuals|adults|children|women)"
_AT_END: Final = re.compile(
    r",? (?:only )?(?:if|unless|when|provided that|except (?:in|for|when)|only (?:in|when|after)|"
    r"in (?:adult |adults |adult and pediatric )?patients (?:with|who)|for patients (?:with|who)|"
    rf"in {_WHOM} (?:with|who)|in the absence of|in the presence of|who (?:have|are|do)|whose|"
    r"following (?:failure|treatment)|after (?:failure|treatment)|until)\b[^.,;:()]{12,150}\.$"
)
_AT_START: Final = re.compile(
    r"^(?:If|When(?! \w+ing\b)|Unless|In patients (?:with|who)|In the (?:absence|presence) of|"
    rf"In {_WHOM} (?:with|who)|For patients (?:with|who)|Only if|Except)\b[^,;:()]{{8,110}}, "
    r"(?:then )?(?=[a-z])"
)


def conditions(sentence: str, names: Sequence[Named], rng: random.Random, pool: Names) -> list[Way]:
    """The clause or phrase that limits the sentence, dropped."""
    ways: list[Way] = []
    if "respectively" in sentence:
        return ways
    found = _AT_END.search(sentence)
    if found and len(sentence[: found.start()].split()) >= 6:
        marker = found[0].strip(", ").split()[0]
        before = sentence[: found.start()]
        if not re.search(r"\bonly\b", before) and not re.search(
            r"(?i)\b(?:whether|determi[n]\w+|know|see|ask|assess\w*|test\w*|unclear|"
            r"exami[n]\w+|even|as|than|or|and|that|compared|especially|particularly|not|seen|"
            r"observed|occurs?|found|used|conducted|role|effects?|levels?|outcomes?|mortality|"
            r"difference\w*|is|are|was|were|been|be|with|of|for|to|by)$",
            before,
        ):
            ways.append((f"last: {marker}", ((found.start(), len(sentence) - 1, ""),)))
    first = _AT_START.match(sentence)
    if first and len(sentence[first.end() :].split()) >= 6:
        rest = sentence[first.end()]
        if not re.match(
            r"(?:they|it|he|she|this|these|those|and|or|which|who)\b", sentence[first.end() :]
        ):
            ways.append((f"first: {sentence.split()[0]}", ((0, first.end() + 1, rest.upper()),)))
    return ways


def _agreed(sentence: str, start: int, end: int, other: str) -> tuple[Edit, ...]:
    """The replacement, with ``a`` or ``an`` before it as its first letter asks."""
    found = re.search(r"\b(an?) $", sentence[:start])
    vowel = other[0].lower() in "aeiou"
    if found and (found[1] == "an") != vowel:
        return ((found.start(1), end, ("an " if vowel else "a ") + other),)
    return ((start, end, other),)


def _like(first: str, other: str) -> str:
    return other[0].upper() + other[1:] if first.isupper() else other


# Rewrites: the statement stays true -----------------------------------------------------------

_SAME_AMOUNT: Final[tuple[tuple[str, float, str], ...]] = (
    ("mg", 0.001, "g"),
    ("g", 1000, "mg"),
    ("mcg", 0.001, "mg"),
    ("μg", 0.001, "mg"),
    ("µg", 0.001, "mg"),
    ("weeks", 7, "days"),
    ("days", 24, "hours"),
    ("hours", 60, "minutes"),
    ("years", 12, "months"),
    ("minutes", 60, "seconds"),
    ("months", 1 / 12, "years"),
    ("kg", 1000, "g"),
    ("cm", 10, "mm"),
    ("mm", 0.1, "cm"),
    ("mL", 0.001, "L"),
    ("hours", 1 / 24, "days"),
    ("days", 1 / 7, "weeks"),
)


def rewrites(sentence: str, names: Sequence[Named], rng: random.Random, pool: Names) -> list[Way]:
    """Every light rewrite that leaves the sentence as true as it was."""
    ways: list[Way] = []
    for one, other in [*WORDS["spelling"], *(p[::-1] for p in WORDS["spelling"])]:
        for hit in re.finditer(rf"\b{one}\b", sentence):
            ways.append(("spelling", ((*hit.span(), other),)))
    for label in ("plain_words", "contractions", "short_forms"):
        for one, other in WORDS[label]:
            hits = list(re.finditer(rf"(?<![\w-]){one}(?![\w-])", sentence))
            if len(hits) == 1 and (label != "short_forms" or f"({other}" not in sentence):
                ways.append((label, _agreed(sentence, *hits[0].span(), other)))
    for adverb in WORDS["adverbs"]:
        if adverb[0].isupper() and sentence.startswith(adverb) and sentence[len(adverb)].isalpha():
            first = sentence[len(adverb)].upper()
            ways.append(("adverb dropped", ((0, len(adverb) + 1, first),)))
        elif adverb[0].islower():
            hit = re.search(rf"(?<=[a-z] ){adverb}(?=[a-z])", sentence)
            if hit and not re.search(r"\b(?:but|a|the|and) $", sentence[: hit.start()]):
                ways.append(("adverb dropped", ((*hit.span(), ""),)))
    ways += _amounts(sentence) + _spelled(sentence)
    for one in names:
        if one.type not in ("disease", "phenotype", "drug") or not one.text.islower():
            continue
        others = [
            n
            for n in pool.by_concept.get(one.concept, ())
            if n != one.text
            and n.endswith("s") == one.text.endswith("s")
            and len(n) > 5
            and n.islower()
            and one.text not in n
            and n not in one.text
            and n not in sentence
            and not re.search(r"(?:ic|al|ive|ous|ed)$", n)
        ]
        if others and sum(n.concept == one.concept for n in names) == 1 and _is_noun(one.text):
            ways.append(("synonym", _agreed(sentence, one.start, one.end, rng.choice(others))))
    return ways


def _amounts(sentence: str) -> list[Way]:
    ways: list[Way] = []
    for unit, factor, other in _SAME_AMOUNT:
        for hit in re.finditer(rf"(?<![\w.,/–-])(\d+(?:\.\d+)?) {unit}(?![\w/])", sentence):
            value = float(hit[1]) * factor
            text = f"{value:.6g}"
            if "e" in text or not 0.01 <= value < 5000 or len(text) > 5 or value == 1:
                continue
            if factor in (1 / 12, 1 / 24, 1 / 7) and value != int(value):
                continue
            if re.search(r"\b(?:to|and|or|/) $|[–-]$", sentence[: hit.start()]):
                continue  # one end of a range
            ways.append((f"{unit} to {other}", ((*hit.span(), f"{text} {other}"),)))
    return ways


def moved(sentence: str) -> list[tuple[str, Pieces]]:
    """Rewrites that change the order: of two clauses, or active made passive."""
    out: list[tuple[str, Pieces]] = []
    first = re.match(
        r"^((?:If|When|Because|Although|In|During|After|For|Among) "
        r"(?!addition|conclusion|example|summary|contrast|particular|fact|general|this)"
        r"[^,;:()]{8,90}), "
        r"([a-z][^,;:()]+)\.$",
        sentence,
    )
    if first and not re.match(r"(?:they|it|he|she|this|these|those|and|or)\b", first[2]):
        (a, b), (c, d) = first.span(1), first.span(2)
        head = sentence[c].upper()
        out.append(("first to last", (head, (c + 1, d), " ", sentence[a].lower(), (a + 1, b), ".")))
    last = re.match(
        r"^([A-Z][^,;:()]{15,}?),? ((?:if|when|because|although) [^,;:()]{10,})\.$", sentence
    )
    if last and len(re.findall(r"\b(?:if|when|because|although|that|which)\b", sentence)) == 1:
        (a, b), (c, d) = last.span(1), last.span(2)
        if sentence.split()[0].lower() in _MAY_MOVE:
            head = sentence[c].upper()
            out.append(
                ("last to first", (head, (c + 1, d), ", ", sentence[a].lower(), (a + 1, b), "."))
            )
    verbs = "|".join(v for v, _ in WORDS["active_verbs"])
    found = re.match(
        rf"^((?:The |This )?[A-Za-z][\w-]+(?: [\w-]+){{0,3}}) ({verbs}) ((?:the |an? )?[\w-]+"
        r"(?: (?!(?:by|in|with|and|through|via|at|on|from|but|to|is|which|that|as|into|when|if)\b)"
        r"[\w-]+){0,5})\.$",
        sentence,
    )
    if found:
        done = dict(map(tuple, WORDS["active_verbs"]))[found[2]]
        head = found[3].split(" of ")[0]
        be = "are" if head.endswith("s") and not head.endswith(("sis", "ss", "us")) else "is"
        (a, b), (c, d) = found.span(1), found.span(3)
        subject: Pieces = ((a, b),)
        if sentence.startswith(("The ", "This ")):
            subject = (sentence[a].lower(), (a + 1, b))
        out.append(
            ("passive", (sentence[c].upper(), (c + 1, d), f" {be} {done} by ", *subject, "."))
        )
    return out


_MAY_MOVE: Final = frozenset("the a an this these treatment patients it in some most".split())


def _spelled(sentence: str) -> list[Way]:
    ways: list[Way] = []
    words = WORDS["number_words"]
    for number, word in enumerate(words, 1):
        if number == 1:
            continue
        for hit in re.finditer(rf"(?<![\w.,/-]){word}(?= [a-z]+s\b)", sentence):
            ways.append(("digits", ((*hit.span(), str(number)),)))
        for hit in re.finditer(
            rf"(?<![\w.,/–-]){number}(?= (?:patients|weeks|days|months|years|doses|studies|trials|"
            r"hours|groups|times|children|women|men|cases))",
            sentence,
        ):
            if not re.search(r"\b(?:to|and|or|of|=) $", sentence[: hit.start()]):
                ways.append(("spelled out", ((*hit.span(), word),)))
    return ways


MAKERS: Final = {
    "number": numbers,
    "dose": doses,
    "unit": units,
    "drug": drugs,
    "concept": concepts,
    "population": populations,
    "negation": negations,
    "direction": directions,
    "cause": causes,
    "hedge": hedges,
    "condition": conditions,
    "rewrite": rewrites,
}


def changed(sentence: str, edits: Sequence[Edit]) -> Pieces:
    """The statement as spans of the sentence and words of ours."""
    out: list[tuple[int, int] | str] = []
    at = 0
    for start, end, new in sorted(edits):
        out += [(at, start)] if start > at else []
        out += [new] if new else []
        at = end
    if at < len(sentence):
        out.append((at, len(sentence)))
    return tuple(out)


def ways_of(
    kind: str, sentence: str, names: Sequence[Named], rng: random.Random, pool: Names
) -> list[tuple[str, Pieces]]:
    """Every way in which ``kind`` can change the sentence: what was done, and the statement."""
    ways = [(d, changed(sentence, e)) for d, e in MAKERS[kind](sentence, names, rng, pool)]
    if kind == "rewrite":
        ways += moved(sentence)
    return ways
