"""The small readers of packages, on look-alikes of their files: MeSH names, units, Biolink."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kgrag.errors import DataError, MissingModel
from kgrag.paths import resource
from kgrag_ingest.ontologies import biolink, mesh_names, units

PINS = tomllib.loads(resource("ontologies", "packages.toml").read_text(encoding="utf-8"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KGRAG_CACHE", str(tmp_path))
    return tmp_path


def carrier(cache: Path, distribution: str, *parts: str) -> Path:
    """A folder of a carrier as if it had been fetched; made here, with files of our own."""
    pin = PINS[distribution]
    name = f"{distribution}-{pin['version']}-{pin['sha256'][:12]}"
    folder = cache.joinpath("vocabularies", name, *parts)
    folder.mkdir(parents=True)
    return folder


HEADER = "#curie_map:\nsubject_id\tsubject_label\tpredicate_id\tobject_id\tobject_label\n"


def test_mesh_names_are_read_from_either_end_of_any_mapping(cache: Path) -> None:
    folder = carrier(cache, "biomappings", "biomappings", "resources")
    (folder / "positive.sssom.tsv").write_text(HEADER + "mesh:D1\tZorbosis\tx\tdoid:1\tzorb\n")
    (folder / "negative.sssom.tsv").write_text(HEADER + "doid:1\tzorb\tx\tmesh:D2\tZorbs\n")
    (folder / "predictions.sssom.tsv").write_text(
        HEADER + "doid:1\tzorb\tx\tmesh:D1\tZorbosis\nhp:1\tx\ty\tmesh:D1\tMorbus zorb\nmesh:D3\n"
    )
    vocabulary, names = mesh_names.read()
    assert names == {
        "MESH:D1": frozenset({"Zorbosis", "Morbus zorb"}), "MESH:D2": frozenset({"Zorbs"}),
    }  # fmt: skip
    assert vocabulary.counts == {"ids": 2}
    assert vocabulary.entries == ()


def test_a_package_without_mesh_names_is_an_error(cache: Path) -> None:
    folder = carrier(cache, "biomappings", "biomappings", "resources")
    for name in ("positive", "negative", "predictions"):
        (folder / f"{name}.sssom.tsv").write_text(HEADER)
    with pytest.raises(DataError, match="names no MeSH id"):
        mesh_names.read()


BIOLINK = """---
name: Biolink-Model
version: 9.9.9
slots:
  related to:
    description: x
  affects:
    is_a: related to
  treats:
    is_a: affects
    mixins:
      - treats or applied
  old way:
    is_a: related to
    deprecated: true
  has number:
    is_a: node property
classes:
  named thing:
    description: x
  disease:
    is_a: named thing
"""


def test_biolink_predicates_are_what_stands_below_related_to(cache: Path) -> None:
    folder = carrier(cache, "biolink-model", "biolink_model", "schema")
    (folder / "biolink_model.yaml").write_text(BIOLINK)
    vocabulary, model = biolink.read()
    assert vocabulary.version == "9.9.9"
    assert model["predicates"] == {
        "biolink:related_to": None,
        "biolink:affects": "biolink:related_to",
        "biolink:treats": "biolink:affects",
    }
    assert model["classes"] == {
        "biolink:NamedThing": None, "biolink:Disease": "biolink:NamedThing",
    }  # fmt: skip


UCUM = """<?xml version="1.0" encoding="ascii"?>
<root xmlns="http://unitsofmeasure.org/ucum-essence" version="2.2" revision-date="2024-06-17">
<prefix Code="k" CODE="K"><name>kilo</name><value value="1e3">x</value></prefix>
<base-unit Code="g" CODE="G"><name>gram</name><printSymbol>g</printSymbol>
 <property>mass</property></base-unit>
<unit Code="t" CODE="TNE" isMetric="yes"><name>tonne</name><property>mass</property>
 <value Unit="kg" value="1e3">1</value></unit>
<unit Code="[iU]" isMetric="yes" isArbitrary="yes"><name>international unit</name>
 <value Unit="1" value="1">1</value></unit>
<unit Code="Cel" isMetric="yes" isSpecial="yes"><name>degree</name>
 <value Unit="cel(1 K)"><function name="Cel" value="1" Unit="K"/></value></unit>
</root>"""


def test_units_keep_what_they_are_of(cache: Path) -> None:
    folder = carrier(cache, "ucumvert", "ucumvert", "vendor")
    (folder / "ucum-essence.xml").write_text(UCUM)
    vocabulary, table = units.read()
    assert (vocabulary.version, vocabulary.date) == ("2.2", "2024-06-17")
    assert table["prefixes"] == {"k": 1000.0}
    assert table["units"]["t"]["value"] == 1000.0
    assert table["units"]["g"] == {
        "names": ["gram"], "symbol": "g", "property": "mass", "metric": True,
    }  # fmt: skip
    assert table["units"]["[iU]"]["arbitrary"]
    assert table["units"]["Cel"]["special"]


def test_a_carrier_that_was_not_fetched_says_how(cache: Path) -> None:
    with pytest.raises(MissingModel, match="kgrag vocab build"):
        units.read()
