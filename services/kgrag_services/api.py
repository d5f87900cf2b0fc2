"""The HTTP reasoning API over one open kb."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from kgrag import Engine, __version__
from kgrag_services import problems
from kgrag_services.catching_up import catching_up
from kgrag_services.routes import documents, health, question, verify


def create_app(engine: Engine) -> FastAPI:
    """An application that answers from ``engine``, warmed up when it starts.

    When its index lags behind, or was damaged and discarded, it is caught up while questions are
    answered from what is there. The caller opens and closes the engine.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine.warm_up()
        app.state.ready = True
        with catching_up(engine) as app.state.catching_up:
            yield
        app.state.ready = False

    app = FastAPI(
        title="kgrag",
        version=__version__,
        summary="Answers to medical questions, each statement opened at its source.",
        lifespan=lifespan,
        # The interactive pages load scripts from outside; this service calls nobody.
        docs_url=None,
        redoc_url=None,
    )
    app.state.engine = engine
    app.state.ready = False
    problems.install(app)
    for module in (health, question, documents, verify):
        app.include_router(module.router)
    return app
