"""Around every route: a limit on bodies, security headers, and one answer to what nobody expected.

Plain ASGI, so that nothing is buffered twice and websockets pass through untouched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.backend.web.problems import problem_response
from core.protocol.messages import MAX_INBOUND_BYTES, CloseCode

BODY_SECONDS = 20.0
_DISCARD_BYTES = 1024 * 1024

log = structlog.get_logger(__name__)


class BodyLimit:
    """Reads the body, at most `MAX_INBOUND_BYTES`, before the application sees the request.

    Covers chunked bodies, which name no length, and bodies that arrive a byte at a time.
    """

    def __init__(self, app: ASGIApp, *, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                body = await _read(receive)
        except TimeoutError:
            response = problem_response(408, "too-slow", "The request took too long to arrive.")
            await response(scope, receive, send)
            return
        if body is None:
            limit = MAX_INBOUND_BYTES // 1024
            detail = f"The request is too large: {limit} KiB at most."
            await problem_response(413, "too-large", detail)(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


async def _read(receive: Receive) -> list[Message] | None:
    """The messages of the whole body; None if it is too large.

    A body that is somewhat too large is read to its end, or the client would see a broken
    connection instead of the answer.
    """
    messages: list[Message] = []
    size = 0
    while size <= _DISCARD_BYTES:
        message = await receive()
        size += len(message.get("body", b""))
        if size <= MAX_INBOUND_BYTES:
            messages.append(message)
        if message["type"] != "http.request" or not message.get("more_body", False):
            return messages if size <= MAX_INBOUND_BYTES else None
    return None


def _replay(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def replayed() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return replayed


class SecurityHeaders:
    """The page runs its own scripts and styles only and cannot be framed; no API answer is kept."""

    def __init__(self, app: ASGIApp, *, origins: Iterable[str], https: bool) -> None:
        self._app = app
        self._headers = [
            ("content-security-policy", content_security_policy(sorted(origins))),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ]
        if https:
            self._headers.append(("strict-transport-security", "max-age=63072000"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fresh = scope["path"].startswith(("/api/", "/health/"))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers:
                    headers[name] = value
                if fresh:
                    headers["cache-control"] = "no-store"
            await send(message)

        await self._app(scope, receive, with_headers)


def content_security_policy(origins: Sequence[str]) -> str:
    """`origins` such as `https://pay.example.co.za`; older browsers need their websockets named."""
    sockets = [origin.replace("http", "ws", 1) for origin in origins]
    return "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' data:",
            " ".join(["connect-src 'self'", *sockets]),
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class UnexpectedErrors:
    """Logs a bug once, without the values it handled, and answers with a plain problem, or with
    the close code 1011 on a websocket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:
            log.exception("request failed unexpectedly", method=scope["method"])
            if started:
                return
            detail = "Something went wrong on our side. Nothing was lost: please try again."
            await problem_response(500, "unexpected", detail)(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception:
            log.exception("live connection failed unexpectedly")
            with suppress(RuntimeError, OSError):  # it may be closed already
                await send({"type": "websocket.close", "code": CloseCode.UNEXPECTED})
