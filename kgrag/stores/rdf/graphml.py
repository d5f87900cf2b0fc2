"""GraphML for graph tools: concepts and recommendations, assertions as the edges between them.

Every edge carries its evidence as JSON (document, characters, quotation), so that it opens. Nodes
come before edges, so edges wait in a temporary file: memory does not grow with the graph.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any, Final, TextIO
from xml.sax.saxutils import escape, quoteattr

from kgrag.records.answer import CitedDocument
from kgrag.stores.rdf.material import Material, Place, ToldAssertion, ToldRecommendation
from kgrag.stores.rdf.quads import category

_NAMESPACE: Final = "http://graphml.graphdrawing.org/xmlns"
_NODE: Final = {"name": "string", "kind": "string", "category": "string", "details": "string"}
_EDGE: Final = {
    "assertion": "string",
    "predicate": "string",
    "negated": "boolean",
    "tier": "string",
    "certainty": "string",
    "belief": "double",
    "qualifiers": "string",
    "pieces": "int",
    "evidence": "string",
}
# Characters that XML 1.0 has no way to write.
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_graphml(material: Material, out: TextIO) -> dict[str, int]:
    """All that ``material`` tells; counts of assertions, recommendations, concepts, documents."""
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<graphml xmlns="{_NAMESPACE}">\n')
    for domain, keys in (("node", _NODE), ("edge", _EDGE)):
        for name, kind in keys.items():
            out.write(
                f'<key id="{domain}-{name}" for="{domain}" attr.name="{name}" '
                f'attr.type="{kind}"/>\n'
            )
    out.write('<graph edgedefault="directed">\n')
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as edges:
        for told in material.assertions():
            _assertion(told, edges)
        for document in material.documents():
            for advice in document.recommendations:
                _recommendation(advice, out, edges)
        for concept in material.concepts():
            if concept.used:
                found = concept.concept
                _element(
                    out,
                    f"<node id={_attribute(concept.curie)}",
                    "node",
                    {
                        "name": found.name if found else concept.curie,
                        "kind": "concept",
                        "category": f"biolink:{category(found.type if found else None)}",
                    },
                )
        edges.seek(0)
        shutil.copyfileobj(edges, out)
    out.write("</graph>\n</graphml>\n")
    return material.counts


def _assertion(told: ToldAssertion, edges: TextIO) -> None:
    a = told.assertion
    _element(
        edges,
        f'<edge id="{told.id}" source={_attribute(a.subject)} target={_attribute(a.object)}',
        "edge",
        {
            "assertion": told.id,
            "predicate": a.predicate,
            "negated": a.negated,
            "tier": a.tier,
            "certainty": a.certainty,
            "belief": round(told.belief, 4),
            "qualifiers": json.dumps(dict(a.qualifiers), ensure_ascii=False),
            "pieces": len(a.evidence),
            "evidence": evidence_json(told),
        },
    )


def _recommendation(told: ToldRecommendation, nodes: TextIO, edges: TextIO) -> None:
    r = told.recommendation
    details = recommendation_json(told)
    _element(
        nodes,
        f'<node id="{told.id}"',
        "node",
        {"name": r.quote, "kind": "recommendation", "details": json.dumps(details)},
    )
    ends = [("intervention", c) for c in dict.fromkeys(r.interventions)]
    ends += [("condition", c) for c in dict.fromkeys(r.conditions)]
    for role, curie in ends:
        _element(
            edges,
            f"<edge id={_attribute(f'{told.id}-{role}-{curie}')} "
            f'source="{told.id}" target={_attribute(curie)}',
            "edge",
            {"predicate": role},
        )


def evidence_json(told: ToldAssertion) -> str:
    """The evidence as a JSON list of objects with document, place, characters and quotation."""
    return json.dumps(
        [
            {
                "document": place.document.id,
                "title": place.document.title,
                **standing(place),
                "start": piece.start,
                "end": piece.end,
                "quote": piece.quote,
                "subject": piece.subject_span,
                "object": piece.object_span,
            }
            for piece, place in told.evidence
        ],
        ensure_ascii=False,
    )


def standing(place: Place) -> dict[str, Any]:
    """Passage, page and section, where there are any."""
    found = {"passage": place.passage, "page": place.page, "section": list(place.section)}
    return {key: value for key, value in found.items() if value}


def recommendation_json(told: ToldRecommendation) -> dict[str, Any]:
    """What a recommendation says and where, as plain values; absent ones are left out."""
    r = told.recommendation
    document: CitedDocument = told.place.document
    grades = {
        role: {"system": g.system, "raw": g.raw, "normalised": g.normalised}
        for role, g in (("strength", r.strength), ("certainty", r.certainty))
        if g is not None
    }
    found = {
        "document": document.id,
        "title": document.title,
        **standing(told.place),
        "start": r.start,
        "end": r.end,
        "quote": r.quote,
        "direction": r.direction,
        "action": told.action.text,
        "population": told.population and told.population.text,
        "lead": told.lead and told.lead.text,
        "exceptions": [span.text for span in told.exceptions],
        **grades,
        "sex": r.sex,
        "min_age": r.min_age,
        "max_age": r.max_age,
        "issuer": r.issuer,
        "effective": r.effective,
        "supersedes": list(r.supersedes),
    }
    return {key: value for key, value in found.items() if value not in (None, [])}


def _element(out: TextIO, head: str, domain: str, data: Mapping[str, object]) -> None:
    out.write(head + ">")
    for name, value in data.items():
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        # A parser reads a bare carriage return as a newline.
        safe = escape(_UNWRITABLE.sub("\ufffd", shown), {"\r": "&#13;"})
        out.write(f'<data key="{domain}-{name}">{safe}</data>')
    out.write(f"</{domain}>\n")


def _attribute(value: str) -> str:
    return quoteattr(_UNWRITABLE.sub("\ufffd", value), {"\r": "&#13;"})
