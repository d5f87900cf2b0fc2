"""The extraction rules of ``ontologies/extract_rules.toml``, compiled.

A sentence is matched as a *skeleton*: lower-case text in which one private-use character stands for
each mention. The character's block says the concept type, its place in the block which mention it
is, so a rule is an ordinary regular expression and a match names its mentions.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

from kgrag.errors import SettingsError
from kgrag.paths import resource
from kgrag.records.assertions import Certainty, Tier
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.relations import relation

TYPES: Final[tuple[ConceptType, ...]] = get_args(ConceptType)
FIRST: Final = 0xE000
# How many mentions of one type a sentence may have; a longer list is no sentence to read rules in.
PER_TYPE: Final = 128
MENTION: Final = f"[{chr(FIRST)}-{chr(FIRST + PER_TYPE * len(TYPES) - 1)}]"


@dataclass(frozen=True, slots=True)
class SentenceRule:
    """One way to say a predicate.

    A sentence must hold one of ``words``, one of ``also`` where there are any, and a mention of
    each end's types.
    """

    id: str
    predicate: str
    words: tuple[str, ...]
    subjects: frozenset[ConceptType]
    objects: frozenset[ConceptType]
    patterns: tuple[re.Pattern[str], ...]
    tier: Tier = "asserted"
    certainty: Certainty = "stated"
    negated: bool = False
    hypothetical: bool = False
    also: tuple[str, ...] = ()

    def may_be_said(self, folded: str, types: frozenset[ConceptType]) -> bool:
        """Whether a sentence with these types of mentions, in lower case, could match at all."""
        return (
            not types.isdisjoint(self.subjects)
            and not types.isdisjoint(self.objects)
            and any(word in folded for word in self.words)
            and (not self.also or any(word in folded for word in self.also))
        )


@dataclass(frozen=True, slots=True)
class RowRule:
    """Two column roles whose mentions in one row are related.

    ``listed`` is the tier of what a list under a heading says so: looser than a row.
    """

    id: str
    predicate: str
    subject: str
    object: str
    listed: Tier = "asserted"


@dataclass(frozen=True, slots=True)
class AnnotationRule:
    """Two columns of what a reader reads, by name, each with one concept a row.

    A row that ``denied`` matches denies; one that only ``refused`` matches says nothing. Both are
    patterns over the whole cell, by the column's name. ``qualifiers`` are columns by qualifier.
    """

    id: str
    reader: str
    predicate: str
    subject: str
    object: str
    denied: Mapping[str, re.Pattern[str]]
    refused: Mapping[str, re.Pattern[str]]
    qualifiers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HeadingRule:
    """The qualifiers of two index headings of one article that together hint at a predicate."""

    id: str
    predicate: str
    subjects: frozenset[str]
    objects: frozenset[str]
    subject_types: frozenset[ConceptType]
    object_types: frozenset[ConceptType]


@dataclass(frozen=True, slots=True)
class Rules:
    """All that the extractor knows. A sentence without one of ``spoken`` matches no rule."""

    sentence: tuple[SentenceRule, ...]
    rows: tuple[RowRule, ...]
    annotations: tuple[AnnotationRule, ...]
    headings: tuple[HeadingRule, ...]
    columns: Mapping[str, re.Pattern[str]]
    not_said: re.Pattern[str]
    denial: re.Pattern[str]
    taken_back: re.Pattern[str]
    possible: re.Pattern[str]
    probable: re.Pattern[str]
    narrowing: frozenset[str]
    neutral: frozenset[str]
    hollow: frozenset[str]
    broad: frozenset[str]
    forms: frozenset[str]
    population: re.Pattern[str]
    population_empty: frozenset[str]
    condition: re.Pattern[str]
    named: Mapping[str, re.Pattern[str]]
    dose: re.Pattern[str]
    dose_said: re.Pattern[str]
    dose_change: re.Pattern[str]
    denied: re.Pattern[str]
    product: re.Pattern[str]
    spoken: tuple[str, ...]
    learned: Mapping[str, re.Pattern[str]]


@cache
def rules() -> Rules:
    """The shipped rules, compiled once."""
    return read_rules(resource("ontologies", "extract_rules.toml"))


def read_rules(path: Path) -> Rules:
    """The rules of a file; SettingsError names the rule that is not well formed."""
    with path.open("rb") as file:
        data = tomllib.load(file)
    grammar = _Grammar.of(
        data["words"] | {"narrowing": data["context"]["narrowing"]},
        data["heads"],
        _expanded(data["macros"]),
    )
    sentence = tuple(_sentence_rule(entry, grammar, path.name) for entry in data["rule"])
    context, qualifiers = data["context"], data["qualifiers"]
    # Words that hold another one tell nothing more than that one. Looking for each by itself is
    # several times faster than an alternation of them all.
    words = {w for r in sentence for w in r.words}
    shortest = sorted(w for w in words if not any(o != w and o in w for o in words))
    return Rules(
        sentence=sentence,
        rows=tuple(_row_rule(entry, data["columns"], path.name) for entry in data["row"]),
        annotations=tuple(_annotation_rule(entry) for entry in data["annotation"]),
        headings=tuple(_heading_rule(entry) for entry in data["heading"]),
        columns={name: re.compile(p, re.IGNORECASE) for name, p in data["columns"].items()},
        not_said=re.compile("|".join(context["not_said"])),
        denial=re.compile(context["denial"]),
        taken_back=re.compile(context["taken_back"]),
        possible=re.compile(context["possible"]),
        probable=re.compile(context["probable"]),
        narrowing=frozenset(context["narrowing"]),
        neutral=frozenset(data["words"]["neutral"]),
        hollow=frozenset(data["words"]["hollow"]),
        broad=frozenset(data["words"]["broad"]),
        forms=frozenset(data["words"]["forms"]),
        population=re.compile(qualifiers["population"], re.IGNORECASE),
        population_empty=frozenset(qualifiers["population_empty"]),
        condition=re.compile(qualifiers["condition"], re.IGNORECASE),
        named={
            name: re.compile(qualifiers[name], re.IGNORECASE)
            for name in ("timing", "setting", "comparator")
        },
        dose=re.compile(qualifiers["dose"]),
        dose_said=re.compile(f"(?:{qualifiers['dose_said']})?(?:{qualifiers['dose']})"),
        dose_change=re.compile(qualifiers["dose_change"]),
        denied=re.compile(qualifiers["denied"], re.IGNORECASE),
        product=re.compile(qualifiers["product"]),
        spoken=tuple(shortest),
        learned={
            name: re.compile(data["learned"][name])
            for name in ("forward", "backward", "hints", "relieves")
        },
    )


def _expanded(macros: Mapping[str, str]) -> dict[str, str]:
    """Macros with their inner macros replaced; {S}, {O} and the like stay for the rule."""
    done: dict[str, str] = {}
    for name, text in macros.items():
        for known, value in done.items():
            text = text.replace("{" + known + "}", value)
        done[name] = text
    return done


def _sentence_rule(entry: Mapping[str, Any], grammar: _Grammar, where: str) -> SentenceRule:
    name = str(entry.get("id", "?"))
    unknown = set(entry) - {
        "id", "predicate", "words", "patterns", "tier", "certainty", "negated", "subject",
        "object", "hypothetical", "also",
    }  # fmt: skip
    if unknown:
        raise SettingsError(f"{where}: rule {name!r} has unknown keys: {sorted(unknown)}")
    signature = relation(entry["predicate"])
    subjects = entry.get("subject", signature.subject)
    objects = entry.get("object", signature.object)
    try:
        patterns = tuple(
            re.compile(grammar.pattern(p, subjects, objects)) for p in entry["patterns"]
        )
    except (re.error, KeyError) as error:
        raise SettingsError(f"{where}: rule {name!r} is not well formed: {error}") from error
    return SentenceRule(
        id=name,
        predicate=entry["predicate"],
        words=tuple(entry["words"]),
        subjects=frozenset(subjects),
        objects=frozenset(objects),
        patterns=patterns,
        tier=entry.get("tier", "asserted"),
        certainty=entry.get("certainty", "stated"),
        negated=entry.get("negated", False),
        hypothetical=entry.get("hypothetical", False),
        also=tuple(entry.get("also", ())),
    )


def _row_rule(entry: Mapping[str, Any], columns: Mapping[str, str], where: str) -> RowRule:
    rule = RowRule(
        entry["id"],
        entry["predicate"],
        entry["subject"],
        entry["object"],
        entry.get("listed", "asserted"),
    )
    relation(rule.predicate)
    for role in (rule.subject, rule.object):
        if role not in columns:
            raise SettingsError(f"{where}: row rule {rule.id!r} names an unknown column {role!r}")
    return rule


def _annotation_rule(entry: Mapping[str, Any]) -> AnnotationRule:
    relation(entry["predicate"])
    return AnnotationRule(
        entry["id"],
        entry["reader"],
        entry["predicate"],
        entry["subject"],
        entry["object"],
        {name: re.compile(p) for name, p in entry.get("denied", {}).items()},
        {name: re.compile(p) for name, p in entry.get("refused", {}).items()},
        dict(entry.get("qualifiers", {})),
    )


def _heading_rule(entry: Mapping[str, Any]) -> HeadingRule:
    signature = relation(entry["predicate"])
    return HeadingRule(
        entry["id"],
        entry["predicate"],
        frozenset(entry["subject"]),
        frozenset(entry["object"]),
        frozenset(entry.get("subject_types", signature.subject)),
        frozenset(signature.object),
    )


def _class(types: Iterable[ConceptType]) -> str:
    """A character class of the mentions of these types."""
    ranges = []
    for at in sorted(TYPES.index(name) for name in types):
        start = FIRST + at * PER_TYPE
        ranges.append(f"{chr(start)}-{chr(start + PER_TYPE - 1)}")
    return f"[{''.join(ranges)}]"


# By their endings; a verb among them would join what two clauses say.
_ADJECTIVE: Final = (
    r"(?!(?:receive|survive|derive|arrive|give|live|drive)\b)"
    r"[a-z-]{2,}(?:al|ic|ive|ous|ary|ular|oid)"
)


def _head(group: Mapping[str, Any]) -> str:
    """A word of the group after a mention of its types; several where they are repeated."""
    one = rf"(?:{'|'.join(group['words'])})\b"
    after = rf"(?:,? {one}){{1,7}}" if group.get("repeated") else f" {one}"
    return rf"(?<={_class(group['types'])}){after}"


@dataclass(frozen=True, slots=True)
class _Grammar:
    """The parts of noun phrases and clauses, as regular expressions made of the word lists."""

    word: str
    head: str
    begin: str
    loose: str
    end: str
    narrowing: str
    macros: Mapping[str, str]

    @classmethod
    def of(
        cls,
        words: Mapping[str, list[str]],
        heads: Iterable[Mapping[str, Any]],
        macros: Mapping[str, str],
    ) -> _Grammar:
        gerund = rf"(?!(?:{'|'.join(words['gerunds'])})\b)[a-z]+ing\b"
        word = rf"(?!(?:{'|'.join(words['blocking'])}|{gerund})\b)[a-z][a-z'-]*"
        # Bullets and quotation marks; a mention's character is no word either, but is not one.
        mark = rf"(?:(?!{MENTION})\W){{0,4}}"
        introduced = "|".join(words["introducing"])
        # A clause begins with the sentence, after a strong mark, or after an introductory phrase.
        # Never after a plain comma or "and": "resistance to X, Y and Z is common" must not read as
        # "Z is common". In "agents such as X are used" the words before belong to X's phrase.
        verb = r"(?:is|are|do|does|did|can|should|may|must|has|have|will)\b"
        begin = (
            rf"(?:^{mark}(?:\d{{1,2}}[.)] )?|[;:.] |, but |, whereas |, while "
            r"| because | although | whereas | that "
            rf"|(?:^{mark}|[;:.] )(?:{introduced})\b[^,;:.]*, "
            # "X does this, and Y does that": with one comma alone it is no list.
            rf"|^[^,;:]*\b{verb}[^,;:]*, (?:and|but) (?=(?:the )?{MENTION} {verb}))"
            rf"(?:{word} ){{0,2}}?"
            rf"(?:(?:(?:[a-z-]+|{MENTION}),? ){{1,3}}(?:such as|like|including) )?"
        )
        free = r"(?!(?:the|an?|its?|their|his|her|my|our|your)\b)"
        loose = (
            rf"(?:{begin}|(?:^|(?<=[ (]))"
            rf"(?:{free}{word}|{MENTION}|\d[\d.]*|\([\d., ]+\)) (?:the )?)"
        )
        return cls(
            word=word,
            head=rf"(?:{'|'.join(_head(group) for group in heads)})?",
            begin=begin,
            loose=loose,
            end=rf"(?=$|[.,;:)!]| \(| (?:{'|'.join(words['following'])})\b)",
            narrowing="|".join(words["narrowing"]),
            macros=macros,
        )

    def mentions(self, types: Iterable[ConceptType]) -> str:
        """One mention or a list of them. Atomic: a list is taken whole or not at all."""
        one = _class(types)
        between = (
            r"(?:,? (?:such as|including|and|or|nor|and/or|as well as|plus) (?:the |a |an |in )?"
            rf"|, |/)(?:(?:{self.narrowing}|{_ADJECTIVE}) ){{0,3}}"
        )
        return rf"(?>{one}(?:{between}{one})*)"

    def pattern(
        self, text: str, subjects: Iterable[ConceptType], objects: Iterable[ConceptType]
    ) -> str:
        """The regular expression of a rule's pattern; KeyError for an unknown macro."""
        for name, value in self.macros.items():
            text = text.replace("{" + name + "}", value)
        before = rf"(?:the |an? )?(?P<narrow_%s>(?:{self.word} ){{0,3}}?)"
        subject = rf"{before % 's'}(?P<s>{self.mentions(subjects)}){self.head}"
        obj = rf"{before % 'o'}(?P<o>{self.mentions(objects)}){self.head}"
        single = rf"(?P<narrow_%s>)(?P<%s>{_class(subjects)}){self.head}"
        parts = {
            "{begin}": self.begin,
            "{loose}": self.loose,
            "{S}": self.macros["use"] + subject,
            "{O}": obj,
            "{S0}": rf"(?:the )?(?P<narrow_s>)(?P<s>{self.mentions(subjects)}){self.head}",
            "{S1}": single % ("s", "s"),
            "{O1}": (single % ("o", "o")).replace(_class(subjects), _class(objects)),
            "{end}": self.end,
            "{word}": self.word,
            "{M}": MENTION,
            "{P}": _class(("other",)),
        }
        for name, value in parts.items():
            text = text.replace(name, value)
        left = re.search(r"\{[A-Za-z]\w*\}", text)
        if left:
            raise KeyError(f"no macro {left.group()}")
        return text
