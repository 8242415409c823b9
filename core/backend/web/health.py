"""Health, for whoever keeps the program running; public, and says nothing about data."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.backend.services.container import Services
from core.backend.web.auth import Backend, Public
from core.backend.web.problems import ProblemError

router = APIRouter(prefix="/health")


@router.get("/live", dependencies=[Public])
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/ready", dependencies=[Public])
async def ready(services: Backend) -> dict[str, str]:
    """The database answers too."""
    try:
        await run_in_threadpool(_ask, services)
    except SQLAlchemyError as error:
        raise ProblemError(503, "not-ready", "The database does not answer.") from error
    return {"status": "ready"}


def _ask(services: Services) -> None:
    with services.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
