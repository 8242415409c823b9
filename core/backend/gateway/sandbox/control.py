"""Steering a sandbox from another process: what goes wrong, who pays, what is released.

Every route wants `Authorization: Bearer <control token>`; without a token there are no routes.
"""

from __future__ import annotations

import hmac
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from core.backend.gateway.sandbox.book import BookError, SandboxLink
from core.backend.gateway.sandbox.mischief import Mischief
from core.backend.gateway.sandbox.routes import The


def _steering(request: Request, sandbox: The) -> None:
    token = sandbox.keys.control_token
    if token is None:
        raise HTTPException(404)
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise HTTPException(401)


router = APIRouter(prefix="/control", dependencies=[Depends(_steering)])


class Decline(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(default="05", pattern=r"^[0-9A-Z]{1,4}$")


class Release(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    backwards: bool = False


@router.put("/mischief", status_code=204)
async def set_mischief(mischief: Mischief, sandbox: The) -> None:
    sandbox.mischief = mischief


@router.get("/links")
async def links(sandbox: The) -> list[dict[str, Any]]:
    return [_told(link) for link in sandbox.book.links]


@router.post("/links/{link_id}/pay")
async def pay(link_id: str, sandbox: The) -> dict[str, Any]:
    try:
        return _told(sandbox.pay(link_id))
    except BookError as error:
        raise HTTPException(409, error.message) from None


@router.post("/links/{link_id}/decline")
async def decline(link_id: str, order: Decline, sandbox: The) -> dict[str, Any]:
    try:
        return _told(sandbox.decline(link_id, order.code))
    except BookError as error:
        raise HTTPException(409, error.message) from None


@router.post("/callbacks/release", status_code=204)
async def release(order: Release, sandbox: The) -> None:
    await sandbox.callbacks.release(backwards=order.backwards)


@router.get("/callbacks")
async def callbacks(sandbox: The) -> dict[str, Any]:
    sent = [
        {"paylinkID": d.link_id, "success": d.success, "answered": d.status}
        for d in sandbox.callbacks.deliveries
    ]
    return {"sent": sent, "held": sandbox.callbacks.held}


def _told(link: SandboxLink) -> dict[str, Any]:
    return {
        "paylinkID": link.id,
        "externalTransactionID": link.external_id,
        "amount": link.amount_cents,
        "status": link.state.value,
        "declined": link.declined,
    }
