"""What comes in to be verified or linked, checked before anything looks at it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from kgrag_services.wire import SelectionRequest

_MAX_CHARS = 200_000

_Text = Annotated[str, Field(max_length=_MAX_CHARS)]
_Id = Annotated[str, Field(max_length=200)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StatementRequest(_Request):
    """The body of ``POST /v1/verify`` for one statement."""

    statement: _Text
    evidence: _Text | Annotated[list[_Text], Field(max_length=100)]
    id: _Id | None = None


class NoteRequest(_Request):
    """The body of ``POST /v1/verify`` for a note; ``seconds`` bounds how long it is checked."""

    note: _Text
    id: _Id | None = None
    collections: Annotated[list[str], Field(max_length=100)] = []
    selection: SelectionRequest = SelectionRequest()
    seconds: Annotated[float, Field(gt=0, le=900)] = 120.0


class LinkRequest(_Request):
    """The body of ``POST /v1/link``."""

    text: _Text
    id: _Id | None = None
