"""``GET /v1/documents/{id}``: what a citation opens."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

router = APIRouter(prefix="/v1")


@router.get("/documents/{identifier}")
def document(identifier: str, request: Request) -> dict[str, Any]:
    """A document version with its stored text."""
    found: dict[str, Any] = request.app.state.engine.document(identifier)
    return found
