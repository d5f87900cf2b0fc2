"""The demonstration guidelines with the real lexicon: forms agree, open, and pass the shapes."""

from __future__ import annotations

import warnings
from pathlib import Path

import pyoxigraph as ox
import pyshacl
import pytest
from rdflib import Graph

from kgrag.engine import Engine
from kgrag.paths import resource
from kgrag.stores import rdf
from kgrag.stores.rdf import names as n

pytestmark = [pytest.mark.models, pytest.mark.slow]


def test_the_demonstration_exports(demo_kb: Path, tmp_path: Path) -> None:
    with Engine.open(demo_kb) as engine:
        for form in ("trig", "nt", "jsonld"):
            counts = rdf.export(engine.truth, engine.lexicon, form, tmp_path / form)
            assert counts["assertions"] == engine.truth.counts()["assertions"] > 50
        texts = {i.id: engine.truth.document(i.id).text for i in engine.truth.documents()}
    trig = set(ox.parse(path=str(tmp_path / "trig"), format=ox.RdfFormat.TRIG))
    assert trig == set(ox.parse(path=str(tmp_path / "jsonld"), format=ox.RdfFormat.JSON_LD))
    flat = set(ox.parse(path=str(tmp_path / "nt"), format=ox.RdfFormat.N_TRIPLES))
    assert {(q.subject, q.predicate, q.object) for q in trig} == {
        (t.subject, t.predicate, t.object) for t in flat
    }
    opened = 0
    values = {(str(q.subject), q.predicate.value): q.object.value for q in trig}
    for (subject, prop), quote in values.items():
        document = values.get((subject, n.BASE + "document"))
        if prop == n.BASE + "quote" and document is not None:
            span = slice(*(int(values[subject, n.BASE + p]) for p in ("start", "end")))
            assert texts[document.removeprefix(n.ID)][span] == quote
            opened += 1
    assert opened >= counts["assertions"] + counts["recommendations"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        conforms, _, report = pyshacl.validate(
            Graph().parse(tmp_path / "nt", format="nt"),
            shacl_graph=Graph().parse(resource("ontologies", "shapes.ttl")),
        )
    assert conforms, report
