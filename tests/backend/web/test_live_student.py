"""The student's socket: their own cards, and why it is closed."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from starlette.types import Message, Scope
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from core.backend.web.app import create_app
from core.protocol.messages import CloseCode, StudentCard, StudentCards
from tests.backend.web.asking import close_code, live_student
from tests.support.live_backend import LiveBackend


async def test_first_all_cards_then_only_ones_own_changes(live_backend: LiveBackend) -> None:
    student, other = live_backend.student(), live_backend.student()
    device = live_backend.device()
    async with live_student(live_backend, student) as socket:
        first = StudentCards.model_validate_json(await socket.recv())
        assert first.student is not None
        assert first.student.id == student.id
        assert {card.course for card in first.cards} == {c.id for c in live_backend.courses}

        live_backend.approve(device, live_backend.claim(other).enrollment)
        mine = live_backend.claim(student)
        versions = []
        for label in ("Enroll Now", "Pending Approval"):
            changed = StudentCard.model_validate_json(await socket.recv()).card
            assert changed.enrollment == mine.enrollment
            assert changed.label in (label, "Pending Approval")  # the state now, not then
            versions.append(changed.version)
        assert versions == sorted(versions)


@pytest.mark.parametrize("cookie", [None, "bursar_session=" + "x" * 40])
async def test_without_a_session(live_backend: LiveBackend, cookie: str | None) -> None:
    headers = {"Cookie": cookie} if cookie else {}
    url = f"{live_backend.ws_url}/live/student"
    async with connect(url, proxy=None, additional_headers=headers) as socket:
        assert await close_code(socket) == CloseCode.SIGN_IN_NEEDED


async def test_a_page_of_another_site_gets_no_socket(live_backend: LiveBackend) -> None:
    student = live_backend.student()
    with pytest.raises(InvalidStatus) as refused:
        await connect(
            f"{live_backend.ws_url}/live/student",
            proxy=None,
            additional_headers={"Cookie": student.headers["Cookie"]},
            origin="https://evil.example",  # type: ignore[arg-type]  # a NewType of str
        )
    assert refused.value.response.status_code == 403


async def test_signing_out_closes_every_tab(live_backend: LiveBackend) -> None:
    student = live_backend.student()
    async with live_student(live_backend, student) as socket:
        await socket.recv()
        async with httpx.AsyncClient(base_url=live_backend.url, trust_env=False) as http:
            await http.post("/api/student/sign-out", headers=student.headers)
        assert await close_code(socket) == CloseCode.SIGN_IN_NEEDED


async def test_a_tab_has_nothing_to_say(live_backend: LiveBackend) -> None:
    async with live_student(live_backend, live_backend.student()) as socket:
        await socket.send(json.dumps({"type": "hello"}))
        assert await close_code(socket) == CloseCode.BAD_MESSAGE


async def test_the_server_closes_beneath_an_answer(live_backend: LiveBackend) -> None:
    student, sent = live_backend.student(), list[str]()

    async def receive() -> Message:
        if not sent:
            return {"type": "websocket.connect"}
        await asyncio.Event().wait()
        raise AssertionError("an event that nobody sets")

    async def send(message: Message) -> None:
        sent.append(message["type"])
        if message["type"] == "websocket.send":  # as uvicorn says it
            raise RuntimeError("Unexpected ASGI message, after sending 'websocket.close'.")

    headers = {**student.headers, "Origin": student.origin, "Host": live_backend.url[7:]}
    scope: Scope = {
        "type": "websocket",
        "path": "/live/student",
        "query_string": b"",
        "scheme": "ws",
        "client": ("127.0.0.1", 1),
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
    }
    live_backend.run(create_app(live_backend.services)(scope, receive, send))
    assert sent == ["websocket.accept", "websocket.send"]
    assert not live_backend.services.sync._subscriptions
