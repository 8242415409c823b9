"""The HTTP application over the services: routes, live endpoints, pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from core.backend.services.container import Services
from core.backend.web import (
    administration,
    audit,
    decisions,
    devices,
    enrollments,
    health,
    ledger,
    live,
    pages,
    payments,
    problems,
    staff,
    student,
    webhooks,
)
from core.backend.web.live import LiveLimits
from core.backend.web.openapi import DescribedApi, refusals
from core.backend.web.shield import BodyLimit, SecurityHeaders, UnexpectedErrors

_ROUTERS = (
    staff, administration, devices, enrollments, decisions, payments, webhooks, ledger, audit,
    student, live, health,
)  # fmt: skip


def create_app(services: Services, *, live_limits: LiveLimits | None = None) -> FastAPI:
    """The application; it starts and stops `services` with itself."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await services.start()
            yield
        finally:
            await services.stop()

    config = services.config
    origins = config.allowed_origins | {config.public_url.rstrip("/")}
    https = config.public_url.startswith("https://")
    # The interactive documentation needs inline scripts, which our pages forbid.
    app = DescribedApi(
        title="Bursar",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # A redirect would lead to whatever host the request names.
        redirect_slashes=False,
        responses=refusals(),
    )
    app.state.services = services
    app.state.origins = origins
    app.state.https = https
    app.state.live_limits = live_limits or LiveLimits()
    problems.install(app)
    for part in _ROUTERS:
        app.include_router(part.router)
    pages.install(app)
    # The last one added is the outermost: every answer gets the headers.
    app.add_middleware(BodyLimit)
    app.add_middleware(UnexpectedErrors)
    app.add_middleware(SecurityHeaders, origins=origins, https=https)
    return app
