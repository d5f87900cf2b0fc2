"""The ATC classification as a table: codes with names, the level told by the length of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from kgrag.errors import UnreadableFile
from kgrag.vocabulary.lexicon import PREFERRED
from kgrag_ingest.ontologies.base import Entry, Name
from kgrag_ingest.ontologies.loaders.base import Draft, Options, table_rows

_CODE_COLUMNS: Final = ("atc code", "atc_code", "atccode", "code", "class id")
_NAME_COLUMNS: Final = (
    "atc level name", "atc_name", "atc name", "atclevelname", "name", "preferred label", "title",
)  # fmt: skip
_CODE: Final = re.compile(r"[A-Z](?:\d\d(?:[A-Z](?:[A-Z](?:\d\d)?)?)?)?")
_ABOVE: Final = {7: 5, 5: 4, 4: 3, 3: 1}  # length of a code, to that of its parent
# Top groups are systems of the body, and these wordings are of a catalogue: no text writes them.
_CATALOGUE: Final = re.compile(r"(?i)\bother\b|\bvarious\b|\bexcl\.|\bincl\.|combinations|,")


class Atc:
    """Drugs and groups of drugs by ATC code."""

    kind = "atc"

    def recognises(self, path: Path, head: str) -> bool:
        if not path.is_file():
            return False
        first = next((line for line in head.splitlines() if line and line[0] != "#"), "").lower()
        return "atc" in first and _column(_split(first), _CODE_COLUMNS) is not None

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        draft.authority.add("ATC")
        seen: set[str] = set()
        code_column = name_column = None
        for row in table_rows(path, draft, ()):
            if code_column is None or name_column is None:
                code_column = _column(list(row), _CODE_COLUMNS)
                name_column = _column(list(row), _NAME_COLUMNS)
                if code_column is None or name_column is None:
                    raise UnreadableFile(
                        str(path),
                        f"has no column of ATC codes and names (it has: {', '.join(row)})",
                    )
            code, name = row[code_column].rpartition("/")[2].strip(), row[name_column].strip()
            if _CODE.fullmatch(code) is None or not name:
                draft.problem(code or path.name, "is no ATC code with a name; left out")
            elif code not in seen:  # one code has a row a dose
                seen.add(code)
                draft.entries.append(_entry(code, name))


def _split(line: str) -> list[str]:
    return [cell.strip(' "') for cell in re.split(r"[\t,;|]", line)]


def _column(columns: list[str], wanted: tuple[str, ...]) -> str | None:
    by_name = {name.lower().strip(): name for name in columns}
    return next((by_name[name] for name in wanted if name in by_name), None)


def _entry(code: str, name: str) -> Entry:
    matched = len(code) > 1 and not _CATALOGUE.search(name)
    shown = name.capitalize() if name.isupper() else name
    above = [f"ATC:{code[: _ABOVE[len(code)]]}"] if len(code) in _ABOVE else []
    return Entry(f"ATC:{code}", shown, "drug", [Name(shown, PREFERRED, matched=matched)], above)
