"""What comes in over HTTP, checked before anything looks at it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# The engine refuses longer questions; the wire refuses absurd ones before they cost anything.
_MAX_QUESTION_CHARS = 20_000

Question = Annotated[str, Field(max_length=_MAX_QUESTION_CHARS)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AskRequest(_Request):
    """The body of ``POST /v1/ask``."""

    question: Question
    id: Annotated[str, Field(max_length=200)] | None = None
    collections: Annotated[list[str], Field(max_length=100)] = []
    statements: Annotated[int, Field(ge=1, le=50)] | None = None
    words: Annotated[int, Field(ge=5, le=1000)] | None = None
    as_of: Annotated[str, Field(max_length=10)] | None = None


class SearchRequest(_Request):
    """The body of ``POST /v1/search``."""

    question: Question
    limit: Annotated[int, Field(ge=1, le=1000)] = 10
    collections: Annotated[list[str], Field(max_length=100)] = []
