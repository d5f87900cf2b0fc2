"""KGX: ``nodes.tsv`` and ``edges.tsv`` in the words of the Biolink model.

Tools that read KGX split a column on "|" and take no quoting, so free text has its tabs, line
ends and bars replaced where it is only for reading (``supporting_text``); the ``evidence`` column
is exact: JSON in which every bar and control character is written as an escape. Recommendations
are nodes of the category InformationContentEntity, linked to what they are about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final, TextIO

from kgrag.stores.rdf.graphml import evidence_json, recommendation_json
from kgrag.stores.rdf.material import Material, ToldAssertion, ToldRecommendation
from kgrag.stores.rdf.quads import category
from kgrag.vocabulary.relations import relations

NODE_COLUMNS: Final = (
    "id", "category", "name", "synonym", "xref", "description", "provided_by", "details",
)  # fmt: skip
EDGE_COLUMNS: Final = (
    "id", "subject", "predicate", "object", "category", "original_predicate", "negated",
    "knowledge_level", "agent_type", "primary_knowledge_source", "publications", "qualifiers",
    "population_context_qualifier", "certainty", "tier", "has_confidence_score",
    "supporting_text",
    "subject_location_in_text", "object_location_in_text", "evidence",
)  # fmt: skip
SOURCE: Final = "infores:kgrag"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def write_kgx(material: Material, nodes: TextIO, edges: TextIO) -> dict[str, int]:
    """All that ``material`` tells; counts of assertions, recommendations, concepts, documents."""
    nodes.write("\t".join(NODE_COLUMNS) + "\n")
    edges.write("\t".join(EDGE_COLUMNS) + "\n")
    for told in material.assertions():
        _row(edges, EDGE_COLUMNS, _edge(told))
    for document in material.documents():
        info = document.info
        _row(
            nodes,
            NODE_COLUMNS,
            {
                "id": f"kgrag:{info.id}",
                "category": "biolink:Publication",
                "name": _one_line(info.title),
                "xref": _joined(publication_ids(info.id, info.metadata.identifiers)[:-1]),
                "description": _one_line(info.metadata.publisher or ""),
                "provided_by": SOURCE,
            },
        )
        for advice in document.recommendations:
            _recommendation(advice, nodes, edges)
    for concept in material.concepts():
        if concept.used:
            found = concept.concept
            _row(
                nodes,
                NODE_COLUMNS,
                {
                    "id": concept.curie,
                    "category": f"biolink:{category(found.type if found else None)}",
                    "name": _one_line(found.name if found else concept.curie),
                    "synonym": _joined(found.synonyms if found else ()),
                    "xref": _joined(found.same_as if found else ()),
                    "provided_by": SOURCE,
                },
            )
    return material.counts


def publication_ids(document_id: str, identifiers: Iterable[tuple[str, str]]) -> list[str]:
    """PMID and DOI of a document where it has them, as CURIEs, then its own id."""
    known = {"pmid": "PMID", "pmc": "PMC", "pmcid": "PMC", "doi": "DOI"}
    found = [
        f"{known[name.lower()]}:{value}" for name, value in identifiers if name.lower() in known
    ]
    return [*dict.fromkeys(found), f"kgrag:{document_id}"]


def _edge(told: ToldAssertion) -> Mapping[str, str]:
    a = told.assertion
    relation = relations().get(a.predicate)
    said = a.tier == "asserted" and a.certainty == "stated"
    qualifiers = dict(a.qualifiers)
    publications = [
        name
        for piece, place in told.evidence
        for name in publication_ids(piece.document_id, place.identifiers)
    ]
    return {
        "id": f"kgrag:{told.id}",
        "subject": a.subject,
        "predicate": (relation.biolink if relation else None) or "biolink:related_to",
        "object": a.object,
        "category": "biolink:Association",
        "original_predicate": f"kgrag:{a.predicate}",
        "negated": "true" if a.negated else "false",
        # A text that states a thing asserts it; of a hint or a candidate nobody says how sure.
        "knowledge_level": "knowledge_assertion" if said else "not_provided",
        "agent_type": "text_mining_agent",
        "primary_knowledge_source": SOURCE,
        "publications": _joined(dict.fromkeys(publications)),
        "qualifiers": _exact(json.dumps(qualifiers, ensure_ascii=False)) if qualifiers else "",
        "population_context_qualifier": _one_line(qualifiers.get("population", "")),
        "certainty": a.certainty,
        "tier": a.tier,
        "has_confidence_score": f"{told.belief:.4f}",
        "supporting_text": _joined(piece.quote for piece in a.evidence),
        "subject_location_in_text": _joined(_inside(p.subject_span, p.start) for p in a.evidence),
        "object_location_in_text": _joined(_inside(p.object_span, p.start) for p in a.evidence),
        "evidence": _exact(evidence_json(told)),
    }


def _inside(span: tuple[int, int], start: int) -> str:
    """The offset of a mention in its quotation."""
    return str(span[0] - start)


def _recommendation(told: ToldRecommendation, nodes: TextIO, edges: TextIO) -> None:
    r = told.recommendation
    node = f"kgrag:{told.id}"
    details = _exact(json.dumps(recommendation_json(told), ensure_ascii=False))
    _row(
        nodes,
        NODE_COLUMNS,
        {
            "id": node,
            "category": "biolink:InformationContentEntity",
            "name": _one_line(told.action.text),
            "description": _one_line(r.quote),
            "provided_by": SOURCE,
            "details": details,
        },
    )
    ends = [("intervention", c) for c in dict.fromkeys(r.interventions)]
    ends += [("condition", c) for c in dict.fromkeys(r.conditions)]
    for role, curie in ends:
        _row(
            edges,
            EDGE_COLUMNS,
            {
                "id": f"{node}-{role}-{curie}",
                "subject": node,
                "predicate": "biolink:mentions",
                "object": curie,
                "category": "biolink:InformationContentEntityToNamedThingAssociation",
                "original_predicate": f"kgrag:{role}",
                "negated": "false",
                "knowledge_level": "knowledge_assertion",
                "agent_type": "text_mining_agent",
                "primary_knowledge_source": SOURCE,
                "publications": _joined(publication_ids(r.document_id, told.place.identifiers)),
                "supporting_text": _joined([r.quote]),
            },
        )


def _row(out: TextIO, columns: tuple[str, ...], values: Mapping[str, str]) -> None:
    out.write("\t".join(values.get(column, "") for column in columns) + "\n")


def _one_line(value: str) -> str:
    return _CONTROL.sub(" ", value).strip()


def _joined(values: Iterable[str]) -> str:
    return "|".join(_one_line(value).replace("|", "¦") for value in values)


def _exact(value: str) -> str:
    """JSON without a bar or a line end in it: still the same JSON value."""
    return _CONTROL.sub(lambda m: "".join(f"\\u{ord(c):04x}" for c in m[0]), value).replace(
        "|", "\\u007c"
    )
