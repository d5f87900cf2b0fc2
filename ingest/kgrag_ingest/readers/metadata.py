"""What sources say of themselves, brought to the forms of ``kgrag.records.text.Metadata``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from kgrag.records.text import Metadata
from kgrag_ingest.readers.build import clean

_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_ISO: Final = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?=$|[T\s])")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})$")
_SLASHED: Final = re.compile(r"(\d{4})/(\d{1,2})(?:/(\d{1,2}))?$")
_DAY_FIRST: Final = re.compile(r"(?:(\d{1,2})(?:st|nd|rd|th)?\s+)?([A-Za-z]{3,9})\.?,?\s+(\d{4})$")
_MONTH_FIRST: Final = re.compile(r"([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})$")
_DOI: Final = re.compile(r"10\.\d{4,9}/\S+")
_PMCID: Final = re.compile(r"(?:PMC)?(\d{3,9})$", re.IGNORECASE)
_LICENCES: Final = re.compile(
    r"creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/(\d\.\d)", re.IGNORECASE
)

# ISO 639-2, as MEDLINE has it, to the shorter codes that all other sources use.
_LANGUAGES: Final = {
    "eng": "en", "fre": "fr", "fra": "fr", "ger": "de", "deu": "de", "spa": "es", "ita": "it",
    "por": "pt", "dut": "nl", "nld": "nl", "chi": "zh", "zho": "zh", "jpn": "ja", "kor": "ko",
    "rus": "ru", "pol": "pl", "tur": "tr", "ara": "ar", "cze": "cs", "ces": "cs", "hun": "hu",
    "dan": "da", "swe": "sv", "nor": "no", "fin": "fi", "gre": "el", "ell": "el", "heb": "he",
}  # fmt: skip
_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z0-9]{2,8}))*$")

# Names that sources use, lower case with "_" and "-" and "." left out, to ours.
_NAMES: Final = {
    "title": ("title", "dctitle", "dctermstitle", "citationtitle", "ogtitle", "name", "focus"),
    "publisher": (
        "publisher", "dcpublisher", "dctermspublisher", "citationpublisher", "issuer",
        "citationjournaltitle", "organisation", "organization", "ogsitename",
    ),
    "date": (
        "date", "dcdate", "dctermsdate", "dctermsissued", "citationpublicationdate",
        "citationdate", "articlepublishedtime", "published", "publicationdate", "dcdateissued",
    ),
    "version": ("version", "dctermshasversion", "edition"),
    "licence": ("licence", "license", "dcrights", "dctermslicense", "rights", "dctermsrights"),
    "language": ("language", "lang", "dclanguage", "dctermslanguage"),
    "doi": ("doi", "citationdoi", "dcidentifierdoi", "prismdoi"),
    "pmid": ("pmid", "citationpmid", "pubmedid"),
    "pmcid": ("pmcid", "pmc"),
    "isbn": ("isbn", "citationisbn"),
    "identifier": ("identifier", "dcidentifier", "dctermsidentifier"),
    "url": ("url", "canonical", "ogurl"),
    "retracted": ("retracted", "retraction", "withdrawn"),
}  # fmt: skip
_OURS: Final = {alias: ours for ours, aliases in _NAMES.items() for alias in aliases}


def iso_date(text: str | None) -> str | None:
    """``text`` as ISO 8601, as precise as it is; None when it is no date that can be told.

    Dates of digits only whose order is a matter of country (03/04/2020) are not told.
    """
    value = clean(text or "")
    if found := _ISO.match(value) or _COMPACT.match(value) or _SLASHED.match(value):
        return make_date(*found.groups())
    if found := _MONTH_FIRST.match(value):
        return make_date(found.group(3), found.group(1), found.group(2))
    if found := _DAY_FIRST.match(value):
        return make_date(found.group(3), found.group(2), found.group(1))
    return None


def make_date(year: str | None, month: str | None = None, day: str | None = None) -> str | None:
    """ISO 8601 of the parts; a part that is no such number ends the date before it."""
    if not year or not re.fullmatch(r"\d{4}", year.strip()):
        return None
    date = year.strip()
    number = _number(month, 12) or _MONTHS.get((month or "").strip()[:3].lower())
    if number is None:
        return date
    date += f"-{number:02}"
    of_month = _number(day, 31)
    return f"{date}-{of_month:02}" if of_month else date


def _number(text: str | None, most: int) -> int | None:
    value = (text or "").strip()
    return int(value) if re.fullmatch(r"\d{1,2}", value) and 1 <= int(value) <= most else None


def doi(text: str | None) -> str | None:
    """The DOI in ``text`` without resolver and scheme; None when there is none."""
    found = _DOI.search(text or "")
    return found.group().rstrip(".,;)") if found else None


def pmcid(text: str | None) -> str | None:
    """``PMC`` and the number; None when ``text`` is no such id."""
    found = _PMCID.match((text or "").strip())
    return f"PMC{found.group(1)}" if found else None


def licence_of(url: str | None) -> str | None:
    """``CC BY 4.0`` for the address of a Creative Commons licence, else None."""
    found = _LICENCES.search(url or "")
    if not found:
        return None
    kind, version = found.group(1).lower(), found.group(2)
    return f"CC0 {version}" if kind == "zero" else f"CC {kind.upper()} {version}"


def language_of(text: str | None) -> str | None:
    """A language tag (``en``, ``pt-BR``); None for what is none, such as ``und``."""
    value = clean(text or "")
    if not _LANGUAGE.match(value):
        return None
    first, *rest = re.split("[-_]", value)
    first = _LANGUAGES.get(first.lower(), first.lower())
    return None if first in ("und", "mul", "zxx") else "-".join([first, *rest])


def from_pairs(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Metadata:
    """Metadata of named values as front matter, HTML ``meta`` and records have them.

    The first value of a name counts; names of other meaning are left out.
    """
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    found: dict[str, str] = {}
    for key, value in items:
        ours = _OURS.get(re.sub(r"[\s_.:-]", "", key.lower()))
        text = clean(value)
        if ours and text:
            found.setdefault(ours, text)
    return of(**found)  # type: ignore[arg-type]  # every key is one of the names above


def of(
    *,
    title: str | None = None,
    publisher: str | None = None,
    date: str | None = None,
    version: str | None = None,
    licence: str | None = None,
    language: str | None = None,
    doi: str | None = None,
    pmid: str | None = None,
    pmcid: str | None = None,
    isbn: str | None = None,
    identifier: str | None = None,
    url: str | None = None,
    retracted: str | None = None,
    extra: Iterable[tuple[str, str]] = (),
) -> Metadata:
    """Metadata of raw values; those that are not of their form are left out."""
    ids: list[tuple[str, str]] = []
    if (known := _find_doi(doi) or _find_doi(identifier)) is not None:
        ids.append(("doi", known))
    if pmid and pmid.strip().isdigit():
        ids.append(("pmid", pmid.strip()))
    if (number := _pmcid(pmcid)) is not None:
        ids.append(("pmcid", number))
    if isbn:
        ids.append(("isbn", clean(isbn).replace(" ", "")))
    address = clean(url or "")
    if address.lower().startswith(("http://", "https://")) and " " not in address:
        ids.append(("url", address))
    return Metadata(
        title=clean(title or "") or None,
        publisher=clean(publisher or "") or None,
        date=iso_date(date),
        version=clean(version or "") or None,
        licence=licence_of(licence) or clean(licence or "") or None,
        language=language_of(language),
        identifiers=tuple(ids),
        retracted=_mark(retracted),
        extra=tuple(extra),
    )


_NO: Final = frozenset({"", "no", "n", "none", "null", "false", "off", "0", "not retracted"})


def _mark(said: str | None) -> str | None:
    """What a source says of its own retraction: in doubt it is retracted."""
    value = clean(said or "").replace("_", " ").lower()
    if value in _NO:
        return None
    return "expression_of_concern" if "concern" in value else "retraction"


# The parameters of ``of`` bear the public names and hide these two functions there.
_find_doi = doi
_pmcid = pmcid
