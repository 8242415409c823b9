"""The provider's own routes, as facts and samples tell of them: create, status, history."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.backend.gateway.ikpay import HISTORY, PAYMENT, STATUS, STATUS_BY_OUR_ID
from core.backend.gateway.sandbox.book import BookError, SandboxLink
from core.backend.gateway.sandbox.sandbox import Sandbox
from core.backend.gateway.signature import sign

router = APIRouter()

_MAX_CENTS = 10**9
Url = Annotated[str, Field(pattern=r"^https?://[^\s?#]+/[^\s#]*$", max_length=500)]
CallbackUrl = Annotated[str, Field(pattern=r"^https?://[^\s?#]+/[^\s?#]*$", max_length=500)]


class _Urls(BaseModel):
    model_config = ConfigDict(frozen=True)

    callbackUrl: CallbackUrl
    successPageUrl: Url
    failurePageUrl: Url
    cancelUrl: Url


class _Create(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    entityID: str = Field(min_length=1, max_length=200)
    amount: int = Field(gt=0, le=_MAX_CENTS)
    currency: Literal["ZAR"]
    requesterUrl: str = Field(max_length=500)
    description: str = Field(default="", max_length=500)
    paymentReference: str = Field(default="", max_length=200)
    mode: Literal["live", "test"]
    externalTransactionID: str = Field(min_length=1, max_length=100)
    urls: _Urls


class _RefusedError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = JSONResponse({"responseCode": code, "message": message}, status)


async def refused(_: Request, error: Exception) -> JSONResponse:
    """How a refusal of these routes is answered."""
    assert isinstance(error, _RefusedError)  # noqa: S101 - registered for this one
    return error.answer


REFUSED = _RefusedError


def the_sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


The = Annotated[Sandbox, Depends(the_sandbox)]


async def _signed(request: Request, sandbox: The) -> bytes:
    """The body of a call that our keys signed; like the real one, the body is dumped anew first."""
    body = await request.body()
    try:
        dumped = _compact(json.loads(body)) if body else ""
    except (ValueError, RecursionError):
        raise _RefusedError(400, "30", "The body is not JSON.") from None
    keys = sandbox.keys
    expected = sign(request.url.path, dumped, keys.secret)
    given = request.headers.get("ik-sign", "")
    app_id = request.headers.get("ik-appid", "")
    if not (_same(given, expected) and _same(app_id, keys.app_id)):
        raise _RefusedError(401, "63", "The signature does not match.")
    return body


def _readable(sandbox: The) -> None:
    if sandbox.fails_read():
        raise _RefusedError(500, "96", "The sandbox was told to fail.")


Signed = Annotated[bytes, Depends(_signed)]
Readable = Depends(_readable)


@router.post(PAYMENT)
async def create(body: Signed, sandbox: The) -> JSONResponse:
    fails = sandbox.fails_create()
    if fails and not sandbox.mischief.create_anyway:
        raise _RefusedError(500, "96", "The sandbox was told to fail.")
    link = _added(sandbox, _read(body))
    if fails:
        raise _RefusedError(500, "96", "The sandbox was told to fail after it made the link.")
    if sandbox.mischief.early:
        sandbox.pay(link.id)
        await sandbox.callbacks.settled()
    return JSONResponse(
        {
            "responseCode": "00",
            "message": "",
            "paylinkUrl": sandbox.pay_url(link),
            "paylinkID": link.id,
            "externalTransactionID": link.external_id,
        }
    )


# Before the route by link: "external" would pass for a link's id.
@router.get(STATUS_BY_OUR_ID, dependencies=[Depends(_signed), Readable])
async def status_by_our_id(sandbox: The, externalReference: str = "") -> JSONResponse:  # noqa: N803 - theirs
    return _said(sandbox, sandbox.book.find_external(externalReference))


@router.get(f"{STATUS}/{{link_id}}", dependencies=[Depends(_signed), Readable])
async def status(sandbox: The, link_id: str) -> JSONResponse:
    return _said(sandbox, sandbox.book.find(link_id))


@router.get(HISTORY, dependencies=[Depends(_signed), Readable])
async def history(sandbox: The, startDate: date, endDate: date) -> JSONResponse:  # noqa: N803 - theirs
    links = sandbox.book.of_days(startDate, endDate)
    return JSONResponse([sandbox.said_of(link) for link in links])


def _read(body: bytes) -> _Create:
    try:
        return _Create.model_validate_json(body)
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise _RefusedError(400, "30", f"{field} is not valid.") from None


def _added(sandbox: Sandbox, wanted: _Create) -> SandboxLink:
    try:
        return sandbox.book.add(
            external_id=wanted.externalTransactionID,
            amount_cents=wanted.amount,
            description=wanted.description,
            reference=wanted.paymentReference,
            callback_url=wanted.urls.callbackUrl,
            success_url=wanted.urls.successPageUrl,
            failure_url=wanted.urls.failurePageUrl,
            cancel_url=wanted.urls.cancelUrl,
        )
    except BookError as error:
        raise _RefusedError(409, error.code, error.message) from None


def _said(sandbox: Sandbox, link: SandboxLink | None) -> JSONResponse:
    if link is None:
        raise _RefusedError(404, "14", "There is no such payment.")
    return JSONResponse(sandbox.said_of(link))


def _compact(body: Mapping[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
