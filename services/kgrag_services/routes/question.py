"""``POST /v1/ask`` and ``POST /v1/search``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from kgrag.reasoning.notices import notice
from kgrag.records.answer import to_plain
from kgrag.records.question import selection
from kgrag_services.wire import AskRequest, SearchRequest

router = APIRouter(prefix="/v1")


@router.post("/ask")
def ask(body: AskRequest, request: Request) -> dict[str, Any]:
    """An answer of verified statements, or an abstention with its reason."""
    answer = request.app.state.engine.ask(
        body.question,
        id=body.id,
        collections=body.collections,
        selection=selection(body.selection.model_dump()),
        statements=body.statements,
        words=body.words,
        as_of=body.as_of,
        mode=body.mode,
        seconds=body.seconds,
    )
    result: dict[str, Any] = answer.to_json()
    return result


@router.post("/search")
def search(body: SearchRequest, request: Request) -> dict[str, Any]:
    """The passages nearest to the question; with ``explain`` why, and no answer with it."""
    engine = request.app.state.engine
    asked = engine.explain if body.explain else engine.search
    found = asked(
        body.question,
        limit=body.limit,
        collections=body.collections,
        selection=selection(body.selection.model_dump()),
    )
    told = found.to_json() if body.explain else {"hits": to_plain(found)}
    generation, stamp = engine.generations()
    warnings = [notice("index_behind")] if stamp < generation else []
    return {**told, "question": body.question, "warnings": warnings}
