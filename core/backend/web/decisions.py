"""Decisions arrive in batches; each gets an answer of its own."""

from __future__ import annotations

from fastapi import APIRouter

from core.backend.web.auth import AnyStaff, Backend
from core.protocol.messages import DecisionAnswers, DecisionBatch

router = APIRouter(prefix="/api/decisions")


@router.post("")
async def decide(body: DecisionBatch, staff: AnyStaff, services: Backend) -> DecisionAnswers:
    """One result per item, in order.

    Whether this officer may decide is answered per item too: a queue made before a role was taken
    away must end with an answer that its officer can read.
    """
    return await services.approval.decide(staff, body)
