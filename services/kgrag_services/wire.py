"""What comes in over HTTP, checked before anything looks at it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

# The engine refuses longer questions; the wire refuses absurd ones before they cost anything.
_MAX_QUESTION_CHARS = 20_000

Question = Annotated[str, Field(max_length=_MAX_QUESTION_CHARS)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


_Names = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=100)]
_Date = Annotated[str, Field(max_length=10)]


class SelectionRequest(_Request):
    """What may be found; the fields are those of ``kgrag.records.question.Selection``."""

    collections: _Names = []
    publishers: _Names = []
    versions: _Names = []
    languages: _Names = []
    since: _Date | None = None
    until: _Date | None = None
    grades: _Names = []
    age: Annotated[float, Field(ge=0, le=130)] | None = None
    sex: Literal["female", "male"] | None = None
    prefer: _Names = []
    cutoff: Annotated[float, Field(ge=0, le=1)] = 0.0
    per_document: Annotated[int, Field(ge=1)] | None = None
    repeats: bool = False


class AskRequest(_Request):
    """The body of ``POST /v1/ask``."""

    question: Question
    id: Annotated[str, Field(max_length=200)] | None = None
    collections: Annotated[list[str], Field(max_length=100)] = []
    selection: SelectionRequest = SelectionRequest()
    statements: Annotated[int, Field(ge=1, le=50)] | None = None
    words: Annotated[int, Field(ge=5, le=1000)] | None = None
    as_of: Annotated[str, Field(max_length=10)] | None = None
    mode: Literal["quote", "fluent"] | None = None
    seconds: Annotated[float, Field(gt=0, le=3600)] | None = None


class SearchRequest(_Request):
    """The body of ``POST /v1/search``."""

    question: Question
    limit: Annotated[int, Field(ge=1, le=1000)] = 10
    collections: Annotated[list[str], Field(max_length=100)] = []
    selection: SelectionRequest = SelectionRequest()
    explain: bool = False
