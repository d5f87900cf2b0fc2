"""``kill -9`` while the RDF store is built or caught up: the next query builds it whole."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pyoxigraph as ox
import pytest
from asserted_world import Said, document
from kept_world import Kept

from kgrag.engine import Engine
from kgrag.stores.rdf.sparql import quads
from kgrag.stores.rdf.store import up_to_date

EDGES = "SELECT (COUNT(?a) AS ?n) WHERE { ?a a kg:Assertion }"


def said(chance: random.Random, count: int) -> list[Said]:
    found: list[Said] = []
    for at in range(count):
        one, other = (f"{end}{chance.randrange(500)}" for end in "ab")
        found.append((one, "treats", other, False, f"{one} treats {other} ({at})."))
    return found


@pytest.mark.slow
def test_a_killed_builder_leaves_nothing_half_made(tmp_path: Path) -> None:
    chance = random.Random(11)
    kept = Kept(tmp_path)
    kept.put(*(document(f"d{at}", said(chance, 40)) for at in range(60)))
    interrupted = 0
    for kill in range(8):
        if kill:  # something to replay, where a store is there
            kept.put(document(f"d{kill}", said(chance, 40)))
        root = kept.kb / "rdf"
        before = {p.name for p in root.glob("gen-*")}
        process = kept.start("sparql", EDGES, "--engine", "oxigraph")
        while process.poll() is None and {p.name for p in root.glob("gen-*")} <= before:
            time.sleep(0.002)  # until it writes a new store
        time.sleep(chance.random() * 0.3)
        process.kill()
        process.communicate()
        pointer = root / "current.json"
        published = {json.loads(pointer.read_text())["folder"]} if pointer.exists() else set()
        interrupted += bool({p.name for p in root.glob("gen-*")} - published - before)
        with Engine.open(kept.kb) as engine:
            names = engine.lexicon
            found = up_to_date(engine.truth, names, kept.kb, edition=names.sha256)
            whole = ox.Store()
            whole.load(quads(engine.truth, names), format=ox.RdfFormat.N_QUADS)
        assert {str(q) for q in ox.Store.read_only(str(found))} == {str(q) for q in whole}
        left = {p.name for p in root.glob("gen-*")}
        assert found.name in left and len(left) <= 2  # the old one, if the kill came before its end
        if kill % 3 == 2:  # and the next one builds from nothing
            pointer.unlink()
    # Of the kills that came before the new store was published.
    assert interrupted >= 3, interrupted
