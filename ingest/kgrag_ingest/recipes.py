"""Recipes: what is said once of a source, its files, its reader and its licence.

A recipe is a TOML file. Those that kgrag ships lie in ``ingest/recipes``; a user's own is named
by its path.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kgrag.errors import SettingsError, UnknownName
from kgrag.ids import sha256
from kgrag.paths import resource
from kgrag_ingest.readers.base import Reader


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Where a JSON record has its parts: names of fields, ``a.b`` reaching into an object.

    Of several names the first that a record has counts; of ``text`` all are read, in order.
    ``metadata`` is by names of ``Metadata`` and of identifiers (publisher, date, doi, url, ...).
    """

    text: tuple[str, ...]
    record: tuple[str, ...] = ()
    title: tuple[str, ...] = ()
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a source is ingested. ``metadata`` fills in what its documents do not say.

    ``reader`` is None where each file's own format decides; ``include`` and ``exclude`` are
    patterns (``fnmatch``) over the path relative to the root. ``grades`` is the system by which its
    documents grade advice, None where issuer or document say it. ``sha256`` is of the TOML's bytes.
    """

    name: str
    sha256: str
    description: str = ""
    home: str | None = None
    reader: str | Reader | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    fields: FieldMap | None = None
    grades: str | None = None


_Names = Annotated[list[str], Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Metadata(_Strict):
    title: str | None = None
    publisher: str | None = None
    date: str | None = None
    version: str | None = None
    licence: str | None = None
    language: str | None = None


class _Fields(_Strict):
    text: _Names
    record: list[str] = []
    title: list[str] = []
    publisher: list[str] = []
    date: list[str] = []
    version: list[str] = []
    licence: list[str] = []
    language: list[str] = []
    doi: list[str] = []
    pmid: list[str] = []
    pmcid: list[str] = []
    url: list[str] = []
    extra: list[str] = []


class _Grades(_Strict):
    system: str


class _File(_Strict):
    description: str
    home: str | None = None
    reader: str | None = None
    include: list[str] = []
    exclude: list[str] = []
    metadata: _Metadata = _Metadata()
    fields: _Fields | None = None
    grades: _Grades | None = None


def names() -> tuple[str, ...]:
    """The names of the shipped recipes, sorted."""
    return tuple(sorted(path.stem for path in resource("recipes").glob("*.toml")))


def load(name_or_path: str) -> Recipe:
    """The shipped recipe of that name, or the recipe in the TOML file at that path.

    SettingsError when it cannot be read or says what a recipe cannot say; UnknownName lists the
    shipped ones.
    """
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
    elif name_or_path in names():
        path = resource("recipes", f"{name_or_path}.toml")
    else:
        raise UnknownName("recipe", name_or_path, names())
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"the recipe {path} cannot be read: {error.strerror}") from error
    try:
        stated = _File.model_validate(tomllib.loads(data.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the recipe {path} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"the recipe {path}: {where}: {first['msg']}") from error
    return _recipe(path.stem, data, stated)


def _recipe(name: str, data: bytes, stated: _File) -> Recipe:
    fields = None if stated.fields is None else _field_map(stated.fields)
    if fields is not None and stated.reader != "jsonl":
        raise SettingsError(f'the recipe {name}: [fields] goes with reader = "jsonl"')
    reader: str | Reader | None = stated.reader
    if fields is not None:
        from kgrag_ingest.readers.jsonl import JsonlReader

        reader = JsonlReader(fields)
    if stated.grades is not None:
        from kgrag_ingest.recommend.grades import check_system

        check_system(stated.grades.system)
    said = stated.metadata.model_dump(exclude_none=True)
    return Recipe(
        name=name,
        sha256=sha256(data),
        description=stated.description,
        home=stated.home,
        reader=reader,
        include=tuple(stated.include),
        exclude=tuple(stated.exclude),
        metadata=said,
        fields=fields,
        grades=stated.grades.system if stated.grades else None,
    )


def _field_map(stated: _Fields) -> FieldMap:
    given = stated.model_dump()
    own = ("text", "record", "title", "extra")
    return FieldMap(
        text=tuple(stated.text),
        record=tuple(stated.record),
        title=tuple(stated.title),
        metadata={k: tuple(v) for k, v in given.items() if k not in own and v},
        extra=tuple(stated.extra),
    )
