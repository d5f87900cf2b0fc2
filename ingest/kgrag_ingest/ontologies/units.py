"""Units of measure: the Unified Code for Units of Measure, from the package ucumvert.

Every atom of UCUM with its names, and what it is in base units. They are no concepts that texts
are searched for; ``kgrag.vocabulary.units`` reads codes such as ``mg/dL`` with this table.
"""

from __future__ import annotations

from typing import Any, Final

from kgrag_ingest.ontologies.base import Vocabulary, file_sha256, package_file, package_version

_PARTS: Final = ("ucumvert", "ucumvert", "vendor", "ucum-essence.xml")
_SPACE: Final = "{http://unitsofmeasure.org/ucum-essence}"


def read() -> tuple[Vocabulary, dict[str, Any]]:
    """The record, and ``{"prefixes": {code: factor}, "units": {code: {...}}}``.

    A unit has ``names``, ``property``, ``metric`` (it takes prefixes), and ``value`` with
    ``unit``: so many of that unit; base units have none, and the special ones (degrees, pH) and
    the arbitrary ones (international units) say so.
    """
    from lxml import etree

    path = package_file(*_PARTS)
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root: Any = etree.parse(path, parser).getroot()
    prefixes = {
        node.get("Code"): float(node.find(f"{_SPACE}value").get("value"))
        for node in root.iter(f"{_SPACE}prefix")
    }
    units: dict[str, dict[str, Any]] = {}
    for node in root.iter(f"{_SPACE}base-unit", f"{_SPACE}unit"):
        value = node.find(f"{_SPACE}value")
        symbol = node.find(f"{_SPACE}printSymbol")
        unit: dict[str, Any] = {
            "names": [name.text for name in node.iter(f"{_SPACE}name") if name.text],
            "symbol": "" if symbol is None else "".join(symbol.itertext()).strip(),
            "property": node.findtext(f"{_SPACE}property") or "",
            "metric": node.tag.endswith("base-unit") or node.get("isMetric") == "yes",
        }
        if node.get("isArbitrary") == "yes":
            unit["arbitrary"] = True
        elif node.get("isSpecial") == "yes":
            unit["special"] = True
        elif value is not None and value.get("value"):
            unit |= {"value": float(value.get("value")), "unit": value.get("Unit")}
        units[node.get("Code")] = unit
    vocabulary = Vocabulary(
        id="ucum",
        name="Unified Code for Units of Measure",
        version=root.get("version") or package_version("ucumvert"),
        licence="UCUM licence: free with notice (Regenstrief Institute)",
        origin=f"pypi:{'/'.join(_PARTS)}",
        sha256=file_sha256(path),
        date=root.get("revision-date"),
        entries=(),
        counts={"units": len(units), "prefixes": len(prefixes)},
    )
    return vocabulary, {"prefixes": prefixes, "units": units}
