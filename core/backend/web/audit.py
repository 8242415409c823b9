"""The audit trail: filtered pages of the ledger, and the proof that an entry is in it."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from core.backend.services.audit import AuditQuery
from core.backend.services.errors import InvalidError
from core.backend.web.auth import AnyStaff, Backend
from core.protocol.messages import (
    AUDIT_PAGE_ROWS,
    AuditActors,
    AuditOutline,
    AuditPage,
    InclusionProof,
)

router = APIRouter(prefix="/api/ledger")

Index = Annotated[int, Query(ge=0, le=2**53 - 1)]
Text = Annotated[str | None, Query(min_length=1, max_length=80, pattern=r"^[\x20-\x7e]+$")]
Moment = Annotated[AwareDatetime | None, Query()]


def wanted(
    actor: Text = None,
    action: Text = None,
    about: Text = None,
    since: Moment = None,
    until: Moment = None,
) -> AuditQuery:
    """The filter in the address. Raises InvalidError for a time that no calendar here has."""
    try:
        return AuditQuery(
            actor=actor,
            action=action,
            about=about,
            since=since and since.astimezone(UTC),
            until=until and until.astimezone(UTC),
        )
    except OverflowError as error:
        raise InvalidError("wrong_time", "This time cannot be.") from error


Wanted = Annotated[AuditQuery, Depends(wanted)]


@router.get("/entries")
async def entries(
    _: AnyStaff,
    services: Backend,
    query: Wanted,
    before: Index | None = None,
    limit: Annotated[int, Query(ge=1, le=AUDIT_PAGE_ROWS)] = AUDIT_PAGE_ROWS,
) -> AuditPage:
    """Newest first; the next page begins below the last index of this one."""
    return await services.audit.page(query, before=before, limit=limit)


@router.get("/outline")
async def outline(
    _: AnyStaff, services: Backend, query: Wanted, before: Index | None = None
) -> AuditOutline:
    """Where each page of such a list begins, so that one can scroll to any of them."""
    return await services.audit.outline(query, before=before)


@router.get("/actors")
async def actors(_: AnyStaff, services: Backend) -> AuditActors:
    return await services.audit.actors()


@router.get("/inclusion")
async def inclusion(_: AnyStaff, services: Backend, index: Index, size: Index) -> InclusionProof:
    """The proof that entry `index` is in the tree of the first `size` entries."""
    return await services.audit.inclusion(index, size)
