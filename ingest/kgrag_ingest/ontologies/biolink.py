"""The Biolink Model, from the package biolink-model: what our types and predicates align with.

Its classes and slots are no concepts that texts are searched for. The file is a LinkML schema; of
it only the names of classes and slots and what each stands under are read, line by line.
"""

from __future__ import annotations

import re
from typing import Any, Final

from kgrag_ingest.ontologies.base import Vocabulary, file_sha256, package_file, package_version

_PARTS: Final = ("biolink-model", "biolink_model", "schema", "biolink_model.yaml")
_TOP: Final = re.compile(r"(\w+):\s*$")
_NAME: Final = re.compile(r"  (\S[^:#]*):\s*$")
_IS_A: Final = re.compile(r"    is_a: (.+?)\s*$")
_DEPRECATED: Final = re.compile(r"    deprecated: ")
_VERSION: Final = re.compile(r"version: (\S+)")


def read() -> tuple[Vocabulary, dict[str, Any]]:
    """The record, and ``{"classes": {CURIE: CURIE above or None}, "predicates": {...}}``.

    Predicates are the slots below ``related to``; deprecated ones are left out.
    """
    path = package_file(*_PARTS)
    above: dict[str, dict[str, str | None]] = {"classes": {}, "slots": {}}
    left_out: set[str] = set()
    version, section, name = package_version("biolink-model"), "", ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := _TOP.match(line):
            section = found[1]
        elif found := _VERSION.match(line):
            version = found[1]
        elif section in above:
            if found := _NAME.match(line):
                name = found[1].strip("'\"")
                above[section][name] = None
            elif found := _IS_A.match(line):
                above[section][name] = found[1].strip("'\"")
            elif _DEPRECATED.match(line):
                left_out.add(name)
    classes = {
        class_curie(name): class_curie(parent) if parent else None
        for name, parent in above["classes"].items()
        if name not in left_out
    }
    predicates = {
        slot_curie(name): slot_curie(parent) if parent else None
        for name, parent in above["slots"].items()
        if name not in left_out and _is_predicate(name, above["slots"])
    }
    vocabulary = Vocabulary(
        id="biolink",
        name="Biolink Model, classes and predicates",
        version=version,
        licence="CC0 1.0",
        origin=f"pypi:{'/'.join(_PARTS)}",
        sha256=file_sha256(path),
        date=None,
        entries=(),
        counts={"classes": len(classes), "predicates": len(predicates)},
    )
    return vocabulary, {"classes": classes, "predicates": predicates}


def _is_predicate(name: str, above: dict[str, str | None]) -> bool:
    passed: set[str] = set()
    at: str | None = name
    while at is not None and at not in passed:
        if at == "related to":
            return True
        passed.add(at)
        at = above.get(at)
    return False


def class_curie(name: str) -> str:
    """``biolink:ChemicalEntity`` of ``chemical entity``."""
    return "biolink:" + "".join(word[:1].upper() + word[1:] for word in name.split())


def slot_curie(name: str) -> str:
    """``biolink:related_to`` of ``related to``."""
    return "biolink:" + "_".join(name.split())
