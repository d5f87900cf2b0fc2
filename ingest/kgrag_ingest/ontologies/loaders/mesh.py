"""Medical Subject Headings in XML: descriptors (``desc2026.xml``) and supplementary records.

The file is read as a stream, so that its hundreds of megabytes need little memory. Entities are
not expanded and nothing outside the file is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kgrag.errors import UnreadableFile
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import PREFERRED, SYNONYM
from kgrag_ingest.ontologies.base import Entry, Name
from kgrag_ingest.ontologies.loaders.base import Draft, Options, head_of, open_bytes
from kgrag_ingest.ontologies.mesh_diseases import branch_type

_RECORDS: Final = ("DescriptorRecord", "SupplementalRecord")
_ROOT: Final = re.compile(r"<(?:DescriptorRecordSet|SupplementalRecordSet)\b")
_SUBSTANCES: Final = ("D01", "D02", "D03", "D04", "D06", "D09", "D10", "D20", "D26", "D27")
_SUPPLEMENTS: Final[dict[str, ConceptType]] = {"1": "chemical", "3": "disease", "5": "chemical"}
_ACRONYMS: Final = frozenset(("ABB", "ABX", "ACR", "ACX"))
_UNII: Final = re.compile(r"[0-9A-Z]{10}")
_YEAR: Final = re.compile(r"(20\d\d)")


class Mesh:
    """Headings and supplementary concepts of medicine, with their tree as hierarchy."""

    kind = "mesh"

    def recognises(self, path: Path, head: str) -> bool:
        if path.is_dir():
            return bool(_files(path))
        return _ROOT.search(head) is not None

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        files = _files(path) if path.is_dir() else [path]
        if not files:
            raise UnreadableFile(str(path), "holds no MeSH descriptor or supplementary file")
        draft.authority.add("MESH")
        years = sorted(year[1] for file in files if (year := _YEAR.search(file.name)))
        draft.version = years[-1] if years else None
        trees: dict[str, str] = {}
        numbers: dict[str, list[str]] = {}
        for file in files:
            for record in _records(file):
                if record.tag == _RECORDS[0]:
                    _take_heading(record, draft, trees, numbers)
                else:
                    _take_supplement(record, draft)
        for entry in draft.entries:
            above = (trees.get(n.rpartition(".")[0]) for n in numbers.get(entry.curie, ()))
            entry.parents.extend(
                dict.fromkeys(parent for parent in above if parent and parent != entry.curie)
            )


def _files(folder: Path) -> list[Path]:
    names = ("*.xml", "*.xml.gz")
    found = sorted(p for name in names for p in folder.rglob(name) if p.is_file())
    return [p for p in found if _ROOT.search(head_of(p))]


def _records(path: Path) -> Iterator[Any]:
    from lxml import etree

    try:
        with open_bytes(path) as file:
            for _, record in etree.iterparse(
                file, tag=_RECORDS, resolve_entities=False, no_network=True, load_dtd=False
            ):
                yield record
                record.clear()
                while record.getprevious() is not None:
                    del record.getparent()[0]
    except (etree.XMLSyntaxError, OSError, EOFError) as error:
        raise UnreadableFile(str(path), f"is no whole XML ({error})") from error


def _take_heading(
    record: Any, draft: Draft, trees: dict[str, str], numbers: dict[str, list[str]]
) -> None:
    curie = f"MESH:{record.findtext('DescriptorUI')}"
    title = record.findtext("DescriptorName/String") or ""
    its = [node.text for node in record.iterfind("TreeNumberList/TreeNumber") if node.text]
    # A place in the tree is kept even when the heading is not: what is below has to find it.
    trees.update(dict.fromkeys(its, curie))
    numbers[curie] = its
    type_ = heading_type(its)
    if type_ is None:
        draft.counts["headings of other branches left out"] += 1
        return
    draft.entries.append(Entry(curie, title, type_, _names(record, title), same_as=_kin(record)))


def heading_type(numbers: list[str]) -> ConceptType | None:
    """The type of a heading by its tree numbers; None where it is no concept of medicine."""
    known = branch_type(numbers)
    if known is not None:
        return known
    if any(number.startswith(_SUBSTANCES) for number in numbers):
        return "chemical"
    return "anatomy" if any(number.startswith("A") for number in numbers) else None


def _take_supplement(record: Any, draft: Draft) -> None:
    type_ = _SUPPLEMENTS.get(record.get("SCRClass", "1"))
    if type_ is None:
        draft.counts["supplementary records of other classes left out"] += 1
        return
    title = record.findtext("SupplementalRecordName/String") or ""
    headings = record.iterfind("HeadingMappedToList/HeadingMappedTo/DescriptorReferredTo")
    above = [(node.findtext("DescriptorUI") or "").lstrip("*") for node in headings]
    draft.entries.append(
        Entry(
            f"MESH:{record.findtext('SupplementalRecordUI')}",
            title,
            type_,
            _names(record, title),
            parents=[f"MESH:{heading}" for heading in dict.fromkeys(above) if heading],
            same_as=_kin(record),
        )
    )


def _names(record: Any, title: str) -> list[Name]:
    names = [Name(title, PREFERRED)]
    spelled = {title}
    for term in record.iterfind("ConceptList/Concept/TermList/Term"):
        text = term.findtext("String") or ""
        if text and text not in spelled:
            spelled.add(text)
            names.append(Name(text, SYNONYM, term.get("LexicalTag") in _ACRONYMS))
    return names


def _kin(record: Any) -> list[str]:
    """UNII codes of the preferred concept; registry numbers of CAS and of enzymes are no ids."""
    numbers: list[str] = []
    for concept in record.iterfind("ConceptList/Concept[@PreferredConceptYN='Y']"):
        numbers += [node.text or "" for node in concept.iter("RegistryNumber")]
    return [f"UNII:{number}" for number in dict.fromkeys(numbers) if _UNII.fullmatch(number)]
