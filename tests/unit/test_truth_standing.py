"""Keys of issuer and scope, dates of different exactness, and days against a naive reading."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Metadata, Source
from kgrag.stores.standing import (
    Edition,
    Kept,
    before,
    edition_of,
    in_force,
    is_date,
    issuer_key,
    scope_words,
)

SOURCE = Source("own", "a")


def advice(**said: object) -> Recommendation:
    return Recommendation("doc_a", 0, 9, "Treat it.", "for", (0, 5), **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Colorectal Cancer: Screening", "Screening for colorectal cancer (2021 update)"),
        ("Malaria", "Malaria, second edition, May 2020"),
        ("Hypertension in adults v2.1", "Hypertension in adults, version 3"),
        ("Asthma", "Asthma (revised 2019)"),
    ],
)
def test_titles_of_one_scope(one: str, other: str) -> None:
    assert scope_words(one) == scope_words(other) != ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Screening in the first trimester", "Screening in the second trimester"),
        ("First-line treatment of asthma", "Second-line treatment of asthma"),
        ("Gout", "Gout in children"),
        ("Gout: draft", "Gout"),
        ("Type 1 diabetes", "Type 2 diabetes"),
        ("Foods that may cause migraine", "Foods that cause migraine"),
        ("Hepatitis B", "Hepatitis C"),
    ],
)
def test_titles_of_different_scopes(one: str, other: str) -> None:
    assert scope_words(one) != scope_words(other)


@pytest.mark.parametrize("title", ["", "Introduction", "Key terms", "Summary of recommendations"])
def test_titles_without_a_scope(title: str) -> None:
    assert scope_words(title) == ()


def test_an_issuer_is_one_under_all_its_names() -> None:
    assert issuer_key("USPSTF") == issuer_key("U.S. Preventive Services Task Force")
    assert issuer_key("Demo Group") == issuer_key("demo  group.") != issuer_key("Demo Groups")
    assert issuer_key("--") is None


def test_what_a_document_says_of_itself() -> None:
    metadata = Metadata("Gout", "Publisher", "2020", identifiers=(("doi", "10.1/A"),))
    plain = edition_of("doc_a", SOURCE, metadata)
    assert (plain.issuer, plain.scope, plain.dated) == ("publisher", None, "2020")
    assert plain.identifiers == ("10.1/a",)
    given_ = edition_of("doc_a", SOURCE, metadata, [advice(issuer="Board", supersedes=("x",))])
    assert (given_.issuer, given_.scope, given_.claims) == ("board", "title gout", ("x",))
    two = [advice(issuer="Board", effective="2019"), advice(issuer="Panel", effective="2019")]
    undated = Metadata("Gout", "Publisher")
    found = edition_of("doc_a", SOURCE, undated, two)
    assert (found.issuer, found.dated) == ("publisher", "2019")
    stated = Metadata(
        "Gout", "Publisher", "2020",
        extra=(("issuer", "X"), ("scope", "Joints"), ("effective", "2021-02"), ("supersedes", "y")),
    )  # fmt: skip
    own = edition_of("doc_a", SOURCE, stated)
    assert (own.issuer, own.scope, own.dated, own.claims) == (
        "x",
        "stated joints",
        "2021-02",
        ("y",),
    )
    file_date = Metadata("Gout", "P", "2020", extra=(("date_from", "the PDF's creation date"),))
    assert edition_of("doc_a", SOURCE, file_date).dated is None
    assert edition_of("doc_a", SOURCE, Metadata(publisher="P", date="May 2020")).dated is None
    withdrawn = Metadata("Gout", "P", "2020", retracted="retraction")
    assert edition_of("doc_a", SOURCE, withdrawn).issuer is None
    doubted = Metadata("Gout", "P", "2020", retracted="expression_of_concern")
    assert edition_of("doc_a", SOURCE, doubted).issuer == "p"


@pytest.mark.parametrize(
    ("claim", "names"),
    [
        ("replaces 10.1/old", True),
        ("replaces https://doi.org/10.1/OLD.", True),
        ("replaces 10.1/old/2", False),
        ("replaces 10.1/older", False),
        ("replaces 110.1/old", False),
        ("replaces the 2015 guideline on gout in adults", True),
        ("replaces the 2014 guideline on gout in adults", False),
        ("replaces the guideline on gout", False),
    ],
)
def test_what_a_claim_names(claim: str, names: bool) -> None:
    old = Edition("o", SOURCE, "i", None, "2015", ("adults", "gout"), ("10.1/old",))
    new = Edition("n", Source("own", "b"), "i", None, "2020", claims=(claim,))
    assert new.supersedes(old) is names
    assert not old.supersedes(new)


def test_dates_are_compared_to_the_precision_that_both_have() -> None:
    assert before("2019", "2020-01-01") and before("2020-01", "2020-02-01")
    assert not before("2020", "2020-07") and not before("2020-07", "2020")
    good = ["2020", "2020-12", "2020-12-31"]
    assert all(map(is_date, good))
    assert not any(map(is_date, ["", "20", "2020-13", "2020-00", "2020-1", "2020-12-32", "x2020"]))


DATES = st.sampled_from(["2010", "2010-06", "2012-03-04", "2012", "2015-01", "2018"])
EDITIONS = st.builds(
    lambda source, issuer, scope, dated, title, claims: Edition(
        "", Source("own", source), issuer, scope, dated, title, (), claims
    ),
    st.sampled_from("abc"),
    st.sampled_from(["i", "j", None]),
    st.sampled_from(["s", "t", None]),
    st.one_of(st.none(), DATES),
    st.sampled_from([("gout",), ("asthma",)]),
    st.sampled_from([(), (), ("replaces the advice on gout",)]),
)


@given(
    st.lists(st.tuples(EDITIONS, st.booleans(), st.integers(0, 9)), max_size=8),
    DATES,
)
def test_in_force_is_what_a_naive_reading_finds(
    drawn: list[tuple[Edition, bool, int]], day: str
) -> None:
    kept = [
        Kept(replace(edition, id=f"doc_{n}"), live, generation)
        for n, (edition, live, generation) in enumerate(drawn)
    ]
    found = in_force(kept, day)
    dated = [k for k in kept if k.edition.dated and not before(day, k.edition.dated)]
    newest = [
        k
        for k in dated
        if not any(
            o.edition.source == k.edition.source
            and (
                before(k.edition.dated or "", o.edition.dated or "")
                or (
                    not any(
                        p.edition.source == o.edition.source
                        and before(o.edition.dated or "", p.edition.dated or "")
                        for p in dated
                    )
                    and (o.live, o.generation, o.edition.id) > (k.live, k.generation, k.edition.id)
                )
            )
            for o in dated
        )
    ]
    valid = {
        k.edition.id for k in newest if not any(o.edition.supersedes(k.edition) for o in newest)
    }
    assert found.documents == valid
    assert found.undated == {k.edition.id for k in kept if k.live and not k.edition.dated}
    assert found.inexact <= found.documents


def test_a_claim_counts_on_a_day_too() -> None:
    old = Edition("o", Source("own", "a"), "i", "s", "2010", ("gout",))
    new = Edition("n", Source("own", "b"), "i", "t", "2015", claims=("replaces that on gout",))
    kept = [Kept(old, True, 1), Kept(new, True, 2)]
    assert in_force(kept, "2014").documents == {"o"}
    assert in_force(kept, "2015").documents == {"n"}
