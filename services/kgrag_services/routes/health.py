"""``/healthz``: the process lives. ``/readyz``: it can answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from kgrag_services.problems import problem

router = APIRouter()


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


@router.get("/readyz", response_model=None)
def readyz(request: Request) -> dict[str, Any] | JSONResponse:
    """The models are loaded and the index reflects the truth; 503 otherwise."""
    engine = request.app.state.engine
    generation, stamp = engine.generations()
    if not request.app.state.ready:
        return problem(503, "NotReady", "the models are being loaded", retry=True)
    if generation != stamp:
        failed = request.app.state.catching_up.failed
        why = f"; catching up ended with {failed}" if failed else ""
        told = f"the index is at {stamp} of {generation}{why}"
        return problem(503, "NotReady", told, retry=True)
    return {"status": "ready", "generation": generation}
