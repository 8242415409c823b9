"""The live endpoints: one task per direction, every end with a close code, nothing left behind.

The staff's socket says hello first, within some seconds; after that a client has nothing to say.
Once it has caught up, the server's protocol takes over (`line.py`) and the tasks end.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import ValidationError
from starlette import status
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.backend.services.errors import AccountDisabledError, SignInNeededError
from core.backend.services.mailbox import FeedClosedError
from core.backend.services.realtime import Subscription
from core.backend.web.auth import (
    origin_allowed,
    require_own_password,
    require_role,
    services_of,
    student_of,
)
from core.backend.web.line import handover
from core.backend.web.problems import ProblemError
from core.domain.roles import STAFF_ROLES
from core.protocol.messages import CloseCode, Hello

router = APIRouter()


@dataclass(frozen=True, slots=True)
class LiveLimits:
    """Seconds that a client may take: to say hello, and to take one message or the farewell."""

    hello_seconds: float = 5.0
    send_seconds: float = 10.0


@router.websocket("/live")
async def staff_feed(socket: WebSocket) -> None:
    limits = _limits(socket)
    if not await _accepted(socket):
        return
    try:
        subscription = await _staff_subscription(socket, limits)
        await _relay(socket, subscription, limits)
    except FeedClosedError as end:
        await _close(socket, end, limits)
    except WebSocketDisconnect:
        return


@router.websocket("/live/student")
async def student_feed(socket: WebSocket) -> None:
    limits = _limits(socket)
    if not await _accepted(socket):
        return
    try:
        identity = await student_of(socket)
        subscription = await services_of(socket).sync.subscribe_student(identity)
        await _relay(socket, subscription, limits)
    except SignInNeededError as error:
        await _close(socket, FeedClosedError(CloseCode.SIGN_IN_NEEDED, error.message), limits)
    except FeedClosedError as end:
        await _close(socket, end, limits)
    except WebSocketDisconnect:
        return


def _limits(socket: WebSocket) -> LiveLimits:
    limits = socket.app.state.live_limits
    if not isinstance(limits, LiveLimits):
        raise TypeError("the application was built without its limits")
    return limits


async def _accepted(socket: WebSocket) -> bool:
    """A page of another site does not even get a socket."""
    if not origin_allowed(socket):
        await socket.close(CloseCode.NOT_ALLOWED)
        return False
    await socket.accept()
    return True


async def _staff_subscription(socket: WebSocket, limits: LiveLimits) -> Subscription:
    """Raises FeedClosedError with the code that the console acts on."""
    services = services_of(socket)
    hello = await _hello(socket, limits)
    try:
        identity = await services.accounts.staff_identity(hello.token)
        require_role(identity, STAFF_ROLES)
        require_own_password(identity)
    except SignInNeededError as error:
        raise FeedClosedError(CloseCode.SIGN_IN_NEEDED, error.message) from error
    except AccountDisabledError as error:
        raise FeedClosedError(CloseCode.NOT_ALLOWED, error.message) from error
    except ProblemError as error:
        raise FeedClosedError(CloseCode.NOT_ALLOWED, error.detail) from error
    return await services.sync.subscribe_staff(hello, identity)


async def _hello(socket: WebSocket, limits: LiveLimits) -> Hello:
    try:
        async with asyncio.timeout(limits.hello_seconds):
            message = await socket.receive()
    except TimeoutError:
        raise FeedClosedError(CloseCode.NO_HELLO, "No hello came in time.") from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    try:
        return Hello.model_validate_json(message.get("text") or "")
    except ValidationError:
        raise FeedClosedError(CloseCode.BAD_MESSAGE, "The hello cannot be read.") from None


async def _relay(socket: WebSocket, subscription: Subscription, limits: LiveLimits) -> None:
    """Send what comes until either side ends it, or the server takes over.

    Raises FeedClosedError or WebSocketDisconnect.
    """
    take_over = handover(socket)
    sending = asyncio.create_task(
        _send(socket, subscription, limits, for_ever=take_over is None), name="live-send"
    )
    listening = asyncio.create_task(_listen(socket), name="live-listen")
    kept = False
    try:
        done, _ = await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await _cancel(sending, listening)
        if take_over is not None and take_over(subscription, limits.send_seconds):
            kept = True
        else:  # it has just said something, or left
            await _listen(socket)
    finally:
        if not kept:
            subscription.close()
        await _cancel(sending, listening)


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _send(
    socket: WebSocket, subscription: Subscription, limits: LiveLimits, *, for_ever: bool
) -> None:
    """Until the client has caught up, or for ever."""
    while for_ever or not subscription.following:
        message = await anext(subscription)
        try:
            async with asyncio.timeout(limits.send_seconds):
                await socket.send({"type": "websocket.send", "text": message.decode()})
        except TimeoutError:
            raise FeedClosedError(CloseCode.TOO_SLOW, "Too slow; please resume.") from None
        except RuntimeError as error:
            # uvicorn closed it beneath us (a frame too large, junk) while this send was on its way.
            raise WebSocketDisconnect(status.WS_1006_ABNORMAL_CLOSURE) from error


async def _listen(socket: WebSocket) -> None:
    """Notice that the client went away; whatever else it says is a mistake."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    raise FeedClosedError(CloseCode.BAD_MESSAGE, "Nothing was expected here.")


async def _close(socket: WebSocket, end: FeedClosedError, limits: LiveLimits) -> None:
    """Say why; a client that does not take even this is cut off by the server."""
    try:
        async with asyncio.timeout(limits.send_seconds):
            await socket.close(end.code, end.reason)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        return
