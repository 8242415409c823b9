"""What waits for the finance office, and everything about one enrollment."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from core.backend.web.auth import AnyStaff, Backend
from core.protocol.messages import PAGE_ROWS, EnrollmentDetail, RowPage

router = APIRouter(prefix="/api/enrollments")


@router.get("/pending")
async def pending(
    _: AnyStaff,
    services: Backend,
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS)] = PAGE_ROWS,
) -> RowPage:
    """One page; `after` is the `next_after` of the page before."""
    return await services.approval.pending(after=after, limit=limit)


@router.get("/{enrollment}")
async def detail(enrollment: UUID, _: AnyStaff, services: Backend) -> EnrollmentDetail:
    return await services.approval.detail(enrollment)
