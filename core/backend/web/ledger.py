"""The head of the ledger, and proofs that it only ever grew."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from core.backend.web.auth import AnyStaff, Backend
from core.protocol.messages import ConsistencyProof, LedgerHead

router = APIRouter(prefix="/api/ledger")

Size = Annotated[int, Query(ge=0, le=2**53 - 1)]


@router.get("/head")
async def head(_: AnyStaff, services: Backend) -> LedgerHead:
    return await services.signer.head()


@router.get("/consistency")
async def consistency(_: AnyStaff, services: Backend, size1: Size, size2: Size) -> ConsistencyProof:
    return await services.signer.consistency(size1, size2)
