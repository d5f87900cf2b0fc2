"""``kgrag show`` and ``kgrag export`` on a kb on disk, as a user runs them."""

from __future__ import annotations

import io
import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import pyoxigraph as ox
import pytest
from advised_world import ADVICE, ONE, guideline
from asserted_world import document
from kept_world import Kept

from kgrag.records.text import Metadata
from kgrag.stores.rdf import names as n

FORMS = {
    "trig": ox.RdfFormat.TRIG,
    "nt": ox.RdfFormat.N_TRIPLES,
    "jsonld": ox.RdfFormat.JSON_LD,
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    made = Kept(tmp_path_factory.mktemp("export"))
    made.put(guideline(), document("two", ONE[:1], collection="other"))
    return made


@pytest.fixture(scope="module")
def ids(kept: Kept) -> dict[str, str]:
    """The ids of the guideline, its recommendation, and the assertion that is denied."""
    query = (
        "SELECT ?doc ?rec ?ast WHERE { ?rec kg:direction 'for' ; kg:document ?doc ."
        " ?ast kg:negated true }"
    )
    (row,) = json.loads(kept.run("sparql", query, "--json"))["results"]["bindings"]
    return {name: term["value"].removeprefix(n.ID) for name, term in row.items()}


@pytest.mark.parametrize("form", FORMS)
def test_export_writes_a_file_or_to_standard_output(kept: Kept, form: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = kept.run("export", "--format", form, "--out", out)
    assert said.startswith("4 assertions, 2 documents, 1 recommendations")
    piped = kept.run("export", "--format", form)
    assert piped == out.read_text(encoding="utf-8")
    assert len(set(ox.parse(piped.encode(), format=FORMS[form]))) > 100


def test_kgx_is_a_folder(kept: Kept, tmp_path: Path) -> None:
    kept.run("export", "--format", "kgx", "--out", tmp_path / "kgx")
    assert sorted(p.name for p in (tmp_path / "kgx").iterdir()) == ["edges.tsv", "nodes.tsv"]
    assert "--out" in kept.run("export", "--format", "kgx", expect=2)


def test_one_collection(kept: Kept) -> None:
    assert kept.run("export", "--format", "nt", "--collection", "other").count("Assertion>") == 1
    assert "collection" in kept.run("export", "--collection", "nowhere", expect=4)


def test_what_was_in_force_then(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    old, new = (
        replace(item, document=replace(item.document, metadata=Metadata("T", date=date)))
        for item, date in (
            (document("x", [("aspirin", "treats", "gout", False, "aspirin treats gout.")]), "2019"),
            (document("x", [("aspirin", "treats", "gout", True, "aspirin never treats gout.")]),
             "2024"),
        )
    )  # fmt: skip
    kept.put(old, new)

    def polarities(*options: str) -> list[str]:
        found = ox.parse(kept.run("export", *options).encode(), format=ox.RdfFormat.TRIG)
        return [q.object.value for q in found if q.predicate.value == n.BASE + "negated"]

    assert polarities() == ["true"]
    assert polarities("--as-of", "2020-01-01") == ["false"]
    assert polarities("--as-of", "2018") == []
    assert "no date" in kept.run("export", "--as-of", "May 2020", expect=4)


def test_show_a_document(kept: Kept, ids: dict[str, str]) -> None:
    record = json.loads(kept.run("show", ids["doc"], "--json"))
    assert record["text"] == guideline().document.text
    assert record["found"]["recommendations"] == [ids["rec"]]
    page = kept.run("show", ids["doc"])
    assert "1 recommendation" in page and "2024-05-17" in page


def test_show_an_assertion(kept: Kept, ids: dict[str, str]) -> None:
    record = json.loads(kept.run("show", ids["ast"], "--json"))
    (evidence,) = record["evidence"]
    text = json.loads(kept.run("show", evidence["document"]["id"], "--json"))["text"]
    assert text[evidence["start"] : evidence["end"]] == evidence["quote"] == ONE[1][4]
    assert text[slice(*evidence["subject_span"])] == "aspirin"
    assert (evidence["page"], evidence["section"]) == (1, ["Top | ›"])
    assert evidence["document"]["publisher"] == "Publisher"
    page = kept.run("show", ids["ast"])
    assert "denied" in page and "page 1" in page and f"“{ONE[1][4]}”" in page


def test_show_a_recommendation(kept: Kept, ids: dict[str, str]) -> None:
    record = json.loads(kept.run("show", ids["rec"], "--json"))
    assert record["quote"] == ADVICE
    assert record["population"]["text"] == "women over 50"
    assert record["strength"]["normalised"] == "moderate"
    page = kept.run("show", ids["rec"])
    for words in ("Recommends for", "Grade B", f"“{ADVICE}”", "page 2", "from 50 years"):
        assert words in page


def test_show_a_concept_from_both_ends(kept: Kept, ids: dict[str, str]) -> None:
    record = json.loads(kept.run("show", "X:stroke", "--json"))
    assert record["mentions"]["documents"] == 2
    assert not record["as_subject"]
    assert {a["subject"] for a in record["as_object"]} == {"X:aspirin", "X:unnamed"}
    assert [r["id"] for r in record["recommendations"]] == [ids["rec"]]
    page = kept.run("show", "X:aspirin")
    assert page.index("prevents") < page.index("treats (denied)") < page.index("recommendations")


def test_show_a_concept_of_the_vocabulary(kept: Kept) -> None:
    record = json.loads(kept.run("show", "mesh:D003924", "--json"))
    assert record["name"] == "Diabetes Mellitus, Type 2"
    assert record["parents"] == [{"curie": "MESH:D003920", "name": "Diabetes Mellitus"}]
    assert "No current document" in kept.run("show", "MESH:D003924")


@pytest.mark.parametrize("name", ["X:nothing", "ast_00", "rec_00", "doc_00", "nothing"])
def test_what_is_not_there_is_told(kept: Kept, name: str) -> None:
    assert name in kept.run("show", name, expect=4)


def test_no_page_holds_a_control_character(kept: Kept, ids: dict[str, str]) -> None:
    for name in (*ids.values(), "X:aspirin"):
        page = kept.run("show", name)
        assert page and all(
            unicodedata.category(c) != "Cc" for c in page.replace("\n", "").replace("\r", "")
        )
        assert not [line for line in page.split("\n") if line != line.rstrip()]


def test_a_page_in_colours() -> None:
    """On a terminal the ends are marked; a source's markup and escapes are shown, not obeyed."""
    from rich.console import Console

    from kgrag.cli.pages import assertion_page

    quote = "[red]aspirin[/red] \x1b[31mtreats gout"
    evidence = {
        "document": {"id": "doc_1", "title": "[bold]T[/bold]", "status": "superseded"},
        "section": [], "page": None, "start": 0, "end": len(quote), "quote": quote,
        "subject_span": [5, 12], "object_span": [quote.index("gout"), len(quote)],
    }  # fmt: skip
    record = {
        "id": "ast_1", "subject": "X:a", "subject_name": "a", "object": "X:b", "object_name": "b",
        "label": "treats", "negated": False, "certainty": "stated", "tier": "asserted",
        "belief": 0.9, "qualifiers": {"dose": "5 [mg]"}, "evidence": [evidence],
    }  # fmt: skip
    out = io.StringIO()
    Console(file=out, force_terminal=True, width=80, color_system="standard").print(
        assertion_page(record)
    )
    page = out.getvalue()
    assert "\x1b[1;36maspirin\x1b[0m" in page and "[red]" in page and "\x1b[31mtreats" not in page
    assert "superseded: not cited as current" in page and "5 [mg]" in page
