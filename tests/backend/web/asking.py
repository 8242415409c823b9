"""Small words for asking over HTTP and websockets."""

from __future__ import annotations

import json
from typing import Any

import httpx
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from core.protocol.messages import Problem, ServerMessage, Session
from tests.support.live_backend import LiveBackend
from tests.support.live_people import LiveStudent

_SERVER: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)


def bearer(session: Session) -> dict[str, str]:
    return {"Authorization": f"Bearer {session.access_token}"}


def as_student(student: LiveStudent, key: str | None = None) -> dict[str, str]:
    """The headers that the student's browser sends with a write."""
    return {**student.headers, "Idempotency-Key": key} if key else student.headers


def problem(answer: httpx.Response, status: int, code: str | None = None) -> Problem:
    """The problem in an answer, after checking that it is one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    read = Problem.model_validate_json(answer.content)
    assert read.status == status
    assert read.detail
    if code is not None:
        assert read.type == f"urn:bursar:{code}"
    return read


def live(backend: LiveBackend, **options: Any) -> connect:
    """A console's socket, before its hello."""
    return connect(f"{backend.ws_url}/live", proxy=None, compression=None, **options)


def live_student(backend: LiveBackend, student: LiveStudent) -> connect:
    """A browser tab's socket."""
    return connect(
        f"{backend.ws_url}/live/student",
        proxy=None,
        compression=None,
        additional_headers={"Cookie": student.headers["Cookie"]},
        origin=student.origin,  # type: ignore[arg-type]  # a NewType of str
    )


async def say_hello(socket: ClientConnection, session: Session, **fields: Any) -> None:
    await socket.send(json.dumps({"type": "hello", "token": session.access_token, **fields}))


async def next_message(socket: ClientConnection) -> ServerMessage:
    return _SERVER.validate_json(await socket.recv())


async def close_code(socket: ClientConnection) -> int:
    """Read whatever still comes, then the code that the backend closed with."""
    closed: ConnectionClosed | None = None
    while closed is None:
        try:
            await socket.recv()
        except ConnectionClosed as error:
            closed = error
    assert closed.rcvd is not None, "closed without a code"
    return closed.rcvd.code
