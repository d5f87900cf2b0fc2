"""``POST /v1/verify``: a statement against texts, or a note against the kb. ``POST /v1/link``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from kgrag.linking import mention_json
from kgrag.records.question import selection
from kgrag.verification.verdict import to_record
from kgrag_services.wire_verify import LinkRequest, NoteRequest, StatementRequest

router = APIRouter(prefix="/v1")


@router.post("/verify")
def verify(body: StatementRequest | NoteRequest, request: Request) -> dict[str, Any]:
    """The verdict on a statement with its checks, or a note with its sentences checked."""
    engine = request.app.state.engine
    if isinstance(body, NoteRequest):
        check = engine.check_note(
            body.note,
            id=body.id,
            collections=body.collections,
            selection=selection(body.selection.model_dump()),
            seconds=body.seconds,
        )
        told: dict[str, Any] = check.to_json()
        return told
    evidence = [body.evidence] if isinstance(body.evidence, str) else body.evidence
    found = to_record(engine.check_statement(body.statement, evidence))
    return {**found, **({} if body.id is None else {"id": body.id})}


@router.post("/link")
def link(body: LinkRequest, request: Request) -> dict[str, Any]:
    """The medical concepts of a text, with the characters they stand at."""
    mentions = request.app.state.engine.linker.link(body.text)
    told = {"mentions": [mention_json(m) for m in mentions]}
    return {**told, **({} if body.id is None else {"id": body.id})}
