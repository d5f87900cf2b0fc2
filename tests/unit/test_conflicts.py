"""Each kind of conflict by hand, what is none, and between whom it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from asserted_world import PlainNames, Said, curie, document

from kgrag.reasoning.conflicts import conflicts_between, find_conflicts, kind_of
from kgrag.reasoning.sides import Concepts, all_sides
from kgrag.records.concepts import Concept
from kgrag.records.recommendations import Grade, Recommendation
from kgrag.records.text import Metadata
from kgrag.stores.base import Ingested
from kgrag.stores.memory_truth import MemoryTruth

NAMES = PlainNames()


def said(
    identifier: str,
    sentence: str = "drug treats gout.",
    *,
    predicate: str = "treats",
    negated: bool = False,
    issuer: str | None = None,
    date: str | None = None,
    qualifiers: Mapping[str, str] | None = None,
    subject: str = "drug",
) -> Ingested:
    """A document of one issuer that says one thing of a drug and gout."""
    world: list[Said] = [(subject, predicate, "gout", negated, sentence)]
    item = document(identifier, world)
    metadata = Metadata(f"On {identifier}", issuer, date)
    (assertion,) = item.assertions
    return replace(
        item,
        document=replace(item.document, metadata=metadata),
        assertions=(replace(assertion, qualifiers=tuple((qualifiers or {}).items())),),
    )


def advice(
    identifier: str,
    quote: str,
    direction: str = "for",
    *,
    issuer: str | None = None,
    date: str | None = None,
    **more: Any,
) -> Ingested:
    """A document with one recommendation on a drug and gout, and no assertion."""
    item = said(identifier, quote, issuer=issuer, date=date)
    if "population" in more:
        at = quote.index(more["population"])
        more["population"] = (at, at + len(more["population"]))
    given = Recommendation(
        item.document.id, 0, len(quote), quote, direction, (0, len(quote)),  # type: ignore[arg-type]
        interventions=(curie("drug"),), conditions=(curie("gout"),), **more,
    )  # fmt: skip
    return replace(item, assertions=(), recommendations=(given,))


def conflicts(*items: Ingested) -> list[Mapping[str, Any]]:
    truth = MemoryTruth()
    for item in items:
        truth.put(item)
    found = find_conflicts(list(truth.assertions()), truth, NAMES, list(truth.recommendations()))
    for conflict in found:
        for side in conflict["sides"]:
            citation = side["citation"]
            text = truth.document(citation["document"]["id"]).text
            assert text[citation["start"] : citation["end"]] == citation["quote"]
    return list(found)


@pytest.mark.parametrize("predicate", ["treats", "prevents", "dosed_in"])
def test_a_dose_against_another_for_the_same(predicate: str) -> None:
    (found,) = conflicts(
        said("a", predicate=predicate, qualifiers={"dose": "500 mg daily"}, issuer="One"),
        said("b", predicate=predicate, qualifiers={"dose": "1 to 2 g daily"}, issuer="Two"),
    )
    assert (found["kind"], found["between"]) == ("different_dose", "different_issuers")
    assert sorted(found["differs"]) == ["1 to 2 g daily", "500 mg daily"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("500 mg daily", "0.5 g daily"),
        ("500 mg daily", "250 to 1000 mg daily"),
        ("500 mg daily", "up to 2 g daily"),
        ("500 mg daily", "20 mg/kg"),
        ("initially 250 mg daily", "500 mg daily"),
        ("500 mg orally", "200 mg intravenously"),
        ("500 mg daily", "two drops"),
    ],
)
def test_doses_that_do_not_contradict(one: str, other: str) -> None:
    assert not conflicts(said("a", qualifiers={"dose": one}), said("b", qualifiers={"dose": other}))


def test_doses_of_different_people_are_no_conflict() -> None:
    assert not conflicts(
        said("a", qualifiers={"dose": "500 mg daily", "population": "adults"}),
        said("b", qualifiers={"dose": "100 mg daily", "population": "children"}),
    )


def test_several_doses_of_one_document_are_no_conflict() -> None:
    world: list[Said] = [
        ("drug", "treats", "gout", False, "drug treats gout at 5 mg."),
        ("drug", "treats", "gout", False, "drug also treats gout at 9 mg."),
    ]
    item = document("a", world)
    first = replace(item.assertions[0], evidence=item.assertions[0].evidence[:1])
    second = replace(item.assertions[0], evidence=item.assertions[0].evidence[1:])
    both = (
        replace(first, qualifiers=(("dose", "5 mg"),)),
        replace(second, qualifiers=(("dose", "9 mg"),)),
    )
    assert not conflicts(replace(item, assertions=both))


def test_a_threshold_against_another() -> None:
    (found,) = conflicts(
        said("a", qualifiers={"condition": "blood pressure of 140 mmHg or more"}),
        said("b", qualifiers={"condition": "blood pressure of at least 160 mmHg"}),
    )
    assert (found["kind"], found["between"]) == ("different_threshold", "sources")
    assert not conflicts(
        said("a", qualifiers={"condition": "a risk of 10% or more"}),
        said("b", qualifiers={"condition": "a risk of at least 10 percent"}),
    )


def test_advice_for_some_and_against_it_for_others() -> None:
    (found,) = conflicts(
        said("a", qualifiers={"population": "adults"}),
        said("b", negated=True, qualifiers={"population": "children"}),
    )
    assert found["kind"] == "different_population"
    assert found["differs"] == ["adults", "children"]


def test_one_document_that_tells_people_apart_does_not_contradict_itself() -> None:
    world: list[Said] = [
        ("drug", "treats", "gout", False, "drug treats gout in adults."),
        ("drug", "treats", "gout", True, "drug never treats gout in children."),
    ]
    item = document("a", world)
    apart = tuple(
        replace(a, qualifiers=(("population", "adults" if not a.negated else "children"),))
        for a in item.assertions
    )
    assert conflicts(item)[0]["between"] == "one_document"
    assert not conflicts(replace(item, assertions=apart))


@pytest.mark.parametrize(
    ("one", "other", "between", "newer"),
    [
        (("A", "2010"), ("B", "2020"), "different_issuers", 1),
        (("A", "2020"), ("a.", "2010"), "older_and_newer_document", 0),
        (("A", "2020"), ("A", "2020-05"), "sources", None),
        (("A", "2020"), (None, "2010"), "sources", 0),
    ],
)
def test_between_whom(
    one: tuple[str, str], other: tuple[str, str], between: str, newer: int | None
) -> None:
    (found,) = conflicts(
        said("a", issuer=one[0], date=one[1]),
        said("b", negated=True, issuer=other[0], date=other[1]),
    )
    assert (found["between"], found["newer"]) == (between, newer)
    assert [side["negated"] for side in found["sides"]] == [False, True]


def test_the_older_side_comes_first_when_neither_denies() -> None:
    (found,) = conflicts(
        said("a", qualifiers={"dose": "5 mg"}, issuer="A", date="2020"),
        said("b", qualifiers={"dose": "9 mg"}, issuer="B", date="2010"),
    )
    assert (found["differs"], found["newer"]) == (["9 mg", "5 mg"], 1)


def test_recommendations_against_each_other_and_against_assertions() -> None:
    for_, against = advice("a", "drug is for gout."), advice("b", "drug: not in gout.", "against")
    (found,) = conflicts(for_, against)
    assert found["kind"] == "opposite_direction"
    assert [side["predicate"] for side in found["sides"]] == ["recommended"] * 2
    assert [side["negated"] for side in found["sides"]] == [False, True]
    (found,) = conflicts(said("c"), against)
    assert sorted(s["predicate"] for s in found["sides"]) == ["recommended", "treats"]
    assert not conflicts(said("c", predicate="causes"), against)
    (found,) = conflicts(for_, advice("b", "drug in gout: insufficient evidence.", "neither"))
    assert found["kind"] == "different_direction"
    assert not conflicts(for_, advice("b", "drug for gout."))


def test_recommendations_for_other_ages_and_sexes() -> None:
    young = advice("a", "drug in gout from 45.", min_age=45.0, max_age=75.0)
    old = advice("b", "drug in gout from 50.", min_age=50.0, max_age=75.0)
    (found,) = conflicts(young, old)
    assert found["kind"] == "different_population"
    against = advice("c", "no drug in gout after 80.", "against", min_age=80.0)
    assert [c["kind"] for c in conflicts(young, against)] == ["different_population"]
    men = advice("d", "drug in gout of men.", sex="male", population="men")
    women = advice("e", "no drug in gout of women.", "against", sex="female", population="women")
    (found,) = conflicts(men, women)
    assert (found["kind"], found["differs"]) == ("different_population", ["men", "women"])
    assert not conflicts(men, advice("f", "drug in gout of women.", sex="female"))


def test_what_a_recommendation_is_compared_by() -> None:
    truth = MemoryTruth()

    def sides(
        quote: str, *conditions: str, population: str | None = None, means: tuple[str, ...] = ()
    ) -> list[Any]:
        item = advice("a", quote, **({"population": population} if population else {}))
        (given,) = item.recommendations
        given = replace(given, conditions=tuple(map(curie, conditions)), interventions=means)
        truth.put(replace(item, recommendations=(given,)))
        return [
            (s.subject, s.object, sorted(s.action))
            for s in all_sides((), [given], truth, Concepts(NAMES))
        ]

    drug = (curie("drug"),)
    gout = (curie("drug"), curie("gout"), ["treatment"])
    quote = "drug is recommended for treating gout in adults with asthma (5 mg gout daily)."
    # What only the people have is not what it is for.
    found = sides(quote, "gout", "asthma", population="adults with asthma", means=drug)
    assert found == [gout]
    assert sides("Screen for gout whatever the drugs.", "gout") == [
        ("", curie("gout"), ["screening", "whatever"])
    ]
    assert sides("Explain how drug may cause gout.", "gout", means=drug) == [
        (curie("drug"), curie("gout"), ["cause", "explain", "how"])
    ]
    assert sides("Consider drugs in gout.", "gout") == []  # nobody knows what
    assert sides("drug for gout.", "asthma", means=drug) == []  # named elsewhere


def test_what_the_checks_would_not_assert_contradicts_nobody() -> None:
    against = said("b", negated=True)
    (denied,) = against.assertions
    assert len(conflicts(said("a"), against)) == 1
    candidate = replace(against, assertions=(replace(denied, tier="candidate"),))
    assert not conflicts(said("a"), candidate)


def test_recommended_doses_differ() -> None:
    (found,) = conflicts(
        advice("a", "drug 5 mg once daily for gout."), advice("b", "drug 9 mg once daily for gout.")
    )
    assert found["kind"] == "different_dose"


def test_a_version_against_the_one_it_replaced() -> None:
    truth = MemoryTruth()
    old = said("a", issuer="A", date="2010")
    new = said("a", "drug never treats gout.", negated=True, issuer="A", date="2020")
    truth.put(old)
    truth.put(new)
    assert find_conflicts(list(truth.assertions()), truth, NAMES) == ()
    (found,) = conflicts_between(old.document.id, new.document.id, truth, NAMES)
    assert (found["kind"], found["between"]) == ("opposite_direction", "older_and_newer_version")
    assert found["newer"] == 1


class Named:
    """Concepts with the given names; ``broad`` is the parent of ``narrow``."""

    KNOWN = {  # noqa: RUF012
        "X:drug": "Aspirin", "X:low": "low-dose aspirin", "X:kidney": "Renal Insufficiency",
        "X:chronic": "Renal Insufficiency, Chronic", "X:disease": "Disease",
        "X:heart": "Heart Disease", "X:statin": "Statins", "X:atorva": "atorvastatin",
        "X:aspartate": "aspirin aspartate",
    }  # fmt: skip

    def concept(self, curie: str) -> Concept:
        parents = ("X:statin",) if curie == "X:atorva" else ()
        return Concept(curie, self.KNOWN[curie], "drug", parents=parents)

    def __contains__(self, curie: object) -> bool:
        return curie in self.KNOWN


def test_kin_are_told_by_name_and_by_hierarchy() -> None:
    kin = Concepts(Named()).kin
    related = {
        frozenset(pair) for pair in combinations(Named.KNOWN, 2) if kin(*pair) and kin(*pair[::-1])
    }
    assert related == {
        frozenset({"X:drug", "X:low"}),
        frozenset({"X:kidney", "X:chronic"}),
        frozenset({"X:statin", "X:atorva"}),
    }
    assert kin("X:unknown", "X:unknown") and not kin("X:unknown", "X:other")


def test_a_narrower_drug_contradicts_the_drug() -> None:
    truth = MemoryTruth()
    truth.put(said("a", "low treats gout.", subject="low"))
    truth.put(said("b", negated=True))
    names = Named()
    names.KNOWN = Named.KNOWN | {"X:gout": "Gout"}
    (broad,) = [a for a in truth.assertions() if a.negated]
    (found,) = find_conflicts([broad], truth, names)
    assert [side["subject_name"] for side in found["sides"]] == ["low-dose aspirin", "Aspirin"]


def test_the_kind_does_not_depend_on_which_side_comes_first() -> None:
    truth = MemoryTruth()
    for number, (negated, dose, people) in enumerate(
        [(False, "5 mg", "adults"), (True, "5 mg", "adults"), (False, "9 mg", "children"),
         (False, "9 mg", "adults"), (True, "1 mg", "children")]
    ):  # fmt: skip
        qualifiers = {"dose": dose, "population": people}
        truth.put(said(str(number), negated=negated, qualifiers=qualifiers))
    sides = all_sides(truth.assertions(), (), truth, Concepts(NAMES))
    kinds = [kind_of(a, b) for a, b in combinations(sides, 2)]
    assert kinds == [kind_of(b, a) for a, b in combinations(sides, 2)]
    assert {None, "opposite_direction", "different_dose", "different_population"} == set(kinds)


def test_sides_show_dates_publishers_and_grades() -> None:
    quote = "Give drug for gout (Grade B)."
    at = quote.index("Grade B")
    strength = Grade("USPSTF", "Grade B", "moderate", (at, at + 7))
    favour = advice("a", quote, issuer="One", date="2020", strength=strength)
    denied = said("b", negated=True, predicate="treats", issuer="Two", date="2024-05")
    found = conflicts(favour, denied)
    shown = {s["publisher"]: s for one in found for s in one["sides"]}
    assert shown["Two"]["date"] == "2024-05" and shown["Two"]["grade"] is None
    assert shown["One"]["date"] == "2020"
    assert shown["One"]["grade"]["strength"]["raw"] == "Grade B"
    assert shown["One"]["grade"]["certainty"] is None


def test_a_side_of_an_assertion_has_the_grade_of_the_advice_that_it_stands_in() -> None:
    quote = "Give drug for gout (Grade B)."
    at = quote.index("Grade B")
    strength = Grade("USPSTF", "Grade B", "moderate", (at, at + 7))
    stated = said("a", quote, issuer="One")
    graded = replace(
        stated, recommendations=advice("a", quote, issuer="One", strength=strength).recommendations
    )
    found = conflicts(graded, said("b", negated=True, issuer="Two"))
    sides = [s for one in found for s in one["sides"] if "assertion" in s]
    assert [s["grade"]["strength"]["raw"] for s in sides if s["publisher"] == "One"] == ["Grade B"]
