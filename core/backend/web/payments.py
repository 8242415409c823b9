"""Card payments for staff: attempts and links, late money, refunds."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from core.backend.web.auth import AnyStaff, Backend, Decider, IdempotencyKey
from core.domain.card_money import RefundState
from core.protocol.messages import (
    PAYMENT_PAGE_ROWS,
    CardAsked,
    CardAttemptPage,
    LateMoneyPage,
    LateMoneyRow,
    RefundPage,
    RefundRow,
    SettleLateMoney,
)

router = APIRouter(prefix="/api/payments")

Limit = Annotated[int, Query(ge=1, le=PAYMENT_PAGE_ROWS)]


@router.get("")
async def attempts(
    _: AnyStaff, services: Backend, after: UUID | None = None, limit: Limit = PAYMENT_PAGE_ROWS
) -> CardAttemptPage:
    """One page; `after` is the `next_after` of the page before."""
    return await services.payments.attempts(after=after, limit=limit)


@router.get("/enrollments/{enrollment}")
async def attempts_of(enrollment: UUID, _: AnyStaff, services: Backend) -> CardAttemptPage:
    return await services.payments.attempts_of(enrollment)


@router.post("/attempts/{attempt}/ask")
async def ask(attempt: UUID, _: AnyStaff, services: Backend) -> CardAsked:
    """Ask the provider now, and apply what it says; asking twice applies once."""
    return await services.payments.ask(attempt)


@router.get("/late-money")
async def late_money(
    _: AnyStaff,
    services: Backend,
    after: UUID | None = None,
    limit: Limit = PAYMENT_PAGE_ROWS,
    open_only: bool = False,  # noqa: FBT001, FBT002 - a parameter of the query, always by name
) -> LateMoneyPage:
    return await services.payments.late_money(after=after, limit=limit, open_only=open_only)


@router.post("/late-money/{money}/settle")
async def settle(
    money: UUID, body: SettleLateMoney, who: Decider, key: IdempotencyKey, services: Backend
) -> LateMoneyRow:
    """What a person did with it, and why."""
    return await services.payments.settle(who.asking(key), money, body)


@router.get("/refunds")
async def refunds(
    _: AnyStaff,
    services: Backend,
    after: UUID | None = None,
    limit: Limit = PAYMENT_PAGE_ROWS,
    open_only: bool = False,  # noqa: FBT001, FBT002 - as above
) -> RefundPage:
    return await services.payments.refunds(after=after, limit=limit, open_only=open_only)


@router.post("/refunds/{attempt}/sent")
async def refund_sent(
    attempt: UUID, who: Decider, key: IdempotencyKey, services: Backend
) -> RefundRow:
    """The money is on its way."""
    return await services.payments.move_refund(who.asking(key), attempt, RefundState.SENT)


@router.post("/refunds/{attempt}/done")
async def refund_done(
    attempt: UUID, who: Decider, key: IdempotencyKey, services: Backend
) -> RefundRow:
    """It arrived."""
    return await services.payments.move_refund(who.asking(key), attempt, RefundState.DONE)
