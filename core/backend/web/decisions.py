"""Decisions arrive in batches; each gets an answer of its own."""

from __future__ import annotations

from fastapi import APIRouter

from core.backend.web.auth import AnyStaff, Backend, Public
from core.protocol.messages import DecisionAnswers, DecisionBatch, HeldDecisions

router = APIRouter(prefix="/api/decisions")


@router.post("")
async def decide(body: DecisionBatch, staff: AnyStaff, services: Backend) -> DecisionAnswers:
    """One result per item, in order.

    Whether this officer may decide is answered per item too: a queue made before a role was taken
    away must end with an answer that its officer can read.
    """
    return await services.approval.decide(staff, body)


@router.post("/held", dependencies=[Public])
async def hand_in(body: HeldDecisions, services: Backend) -> DecisionAnswers:
    """From the console of somebody whose account was disabled: each ends with an entry, refused.

    What was carried out before that gets the answer it had.
    """
    officer = await services.accounts.disabled_identity(body.refresh_token)
    return await services.approval.decide(officer, body)
