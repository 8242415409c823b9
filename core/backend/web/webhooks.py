"""The card provider's callbacks, and what staff see and do about them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from core.backend.services.webhooks import CallbackRefusedError
from core.backend.web.auth import (
    AnyStaff,
    Backend,
    IdempotencyKey,
    Public,
    Replayer,
    address_of,
)
from core.backend.web.problems import ProblemError
from core.domain.webhooks import DeliveryState
from core.protocol.messages import (
    WEBHOOK_PAGE_ROWS,
    ReplayWebhooks,
    SecurityAlertPage,
    WebhookDetail,
    WebhookPage,
    WebhooksReplayed,
    WebhookStanding,
)

router = APIRouter()

Limit = Annotated[int, Query(ge=1, le=WEBHOOK_PAGE_ROWS)]


# The path is signed: it is `CardAddresses.callback_path`, and never changes.
@router.post("/webhooks/ikhokha", include_in_schema=False, dependencies=[Public])
async def callback(request: Request, services: Backend) -> dict[str, str]:
    """Answered once it is on the disk; whether it was new is nobody's business."""
    handler = services.webhooks
    if handler is None:
        raise ProblemError(404, "no-cards", "There are no card payments here.")
    try:
        await handler.receive(
            await request.body(),
            signature=request.headers.get("ik-sign"),
            app_id=request.headers.get("ik-appid"),
            address=address_of(request),
        )
    except CallbackRefusedError as error:
        raise ProblemError(401, "bad-signature", "The signature is not valid.") from error
    return {"status": "received"}


@router.get("/api/webhooks")
async def deliveries(
    _: AnyStaff,
    services: Backend,
    state: DeliveryState | None = None,
    after: UUID | None = None,
    limit: Limit = WEBHOOK_PAGE_ROWS,
) -> WebhookPage:
    """One page; `after` is the `next_after` of the page before, `state=dead` the dead letters."""
    return await services.webhook_desk.page(state=state, after=after, limit=limit)


@router.get("/api/webhooks/standing")
async def standing(_: AnyStaff, services: Backend) -> WebhookStanding:
    return await services.webhook_desk.standing()


@router.get("/api/webhooks/alerts")
async def alerts(
    _: AnyStaff, services: Backend, after: UUID | None = None, limit: Limit = WEBHOOK_PAGE_ROWS
) -> SecurityAlertPage:
    return await services.webhook_desk.alerts(after=after, limit=limit)


@router.post("/api/webhooks/replay")
async def replay(
    body: ReplayWebhooks, who: Replayer, key: IdempotencyKey, services: Backend
) -> WebhooksReplayed:
    """Have them worked on again; those that wait already are left as they are."""
    return await services.webhook_desk.replay(who.asking(key), body.deliveries)


@router.get("/api/webhooks/{delivery}")
async def delivery(delivery: UUID, _: AnyStaff, services: Backend) -> WebhookDetail:
    """One callback, its body and every try."""
    return await services.webhook_desk.detail(delivery)
