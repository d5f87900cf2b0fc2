"""UCUM codes: read, compared, refused. The table here is a small part of UCUM's."""

from __future__ import annotations

import pytest

from kgrag.errors import DataError, KgragError
from kgrag.vocabulary.units import Units

TABLE = {
    "prefixes": {"k": 1e3, "d": 0.1, "m": 1e-3, "u": 1e-6, "da": 10.0},
    "units": {
        "g": {"names": ["gram"], "metric": True},
        "m": {"names": ["meter"], "metric": True},
        "s": {"names": ["second"], "metric": True},
        "10*": {"names": ["ten"], "metric": False, "value": 10.0, "unit": "1"},
        "l": {"names": ["liter"], "metric": True, "value": 1.0, "unit": "dm3"},
        "L": {"names": ["liter"], "metric": True, "value": 1.0, "unit": "l"},
        "h": {"names": ["hour"], "metric": False, "value": 3600.0, "unit": "s"},
        "mol": {"names": ["mole"], "metric": True, "value": 6.02214076, "unit": "10*23"},
        "m[Hg]": {"names": ["meter of mercury"], "metric": True, "value": 133.322, "unit": "g/m"},
        "[iU]": {"names": ["international unit"], "metric": True, "arbitrary": True},
        "Cel": {"names": ["degree Celsius"], "metric": True, "special": True},
    },
}
UNITS = Units(TABLE)


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [
        ("mg/dL", "g/L", 0.01), ("mm[Hg]", "m[Hg]", 1e-3), ("10*9/L", "10*6/mL", 1.0),
        ("ug/kg/h", "mg/kg/h", 1e-3), ("[iU]/L", "m[iU]/mL", 1.0), ("mmol/L", "umol/mL", 1.0),
        ("g.m-2", "g/m2", 1.0), ("mg/(kg.h)", "mg/kg/h", 1.0), ("{beats}/h", "/h", 1.0),
        ("g{dry}", "g", 1.0),
    ],
)  # fmt: skip
def test_factors(one: str, other: str, factor: float) -> None:
    assert UNITS.factor(one, other) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("one", "other"), [("g", "m"), ("mol", "g"), ("[iU]", "g"), ("mg/dL", "mmol/L")]
)
def test_what_measures_different_things_has_no_factor(one: str, other: str) -> None:
    with pytest.raises(DataError, match="different things"):
        UNITS.factor(one, other)


@pytest.mark.parametrize(
    "code", ["", "foo", "mg/", "mg//dL", "(mg", "mg)", "mg mg", "Cel", "kh", "m..g", ".g", "()"]
)
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(DataError):
        UNITS.unit(code)


def test_names() -> None:
    assert UNITS.names("L") == ("liter",)
    assert UNITS.names("mg/L") == ()


@pytest.mark.slow
def test_the_whole_table_agrees_with_pint_where_both_have_a_factor() -> None:
    """Parity on common clinical codes; pint is no dependency, so it is skipped without it."""
    pint_ucum = pytest.importorskip("ucumvert", reason="ucumvert and pint are not installed")
    from kgrag_ingest.ontologies import units

    try:
        _, table = units.read()
    except KgragError as error:
        pytest.skip(str(error))
    ours, theirs = Units(table), pint_ucum.PintUcumRegistry()
    for one, other in [
        ("mg/dL", "g/L"), ("mm[Hg]", "kPa"), ("ug/kg/min", "mg/kg/h"), ("kcal", "kJ"),
        ("[lb_av]", "kg"), ("[in_i]", "cm"), ("mmol/L", "umol/mL"), ("wk", "h"), ("[ft_i]", "m"),
        ("U/L", "kat/L"), ("10*9/L", "/uL"), ("[foz_us]", "mL"), ("bar", "kPa"), ("mA", "A"),
    ]:  # fmt: skip
        expected = theirs.from_ucum(one).to(theirs.from_ucum(other)).magnitude
        assert ours.factor(one, other) == pytest.approx(expected, rel=1e-5), (one, other)
