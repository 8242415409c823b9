"""Whoever was let in and may be no more loses every socket, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from core.backend.services.realtime import SyncLimits
from core.domain.roles import Role
from core.protocol.messages import CloseCode, Session
from tests.backend.web.asking import (
    as_student,
    bearer,
    close_code,
    live,
    live_student,
    next_message,
    say_hello,
)
from tests.support.live_backend import LiveBackend
from tests.support.live_people import LiveStudent
from tests.support.live_template import PASSWORD

PATIENCE = 10.0  # seconds until the wait is given up; the promise of one is in the settings
NEW = "another long password"
CHANGE = {"old_password": PASSWORD, "new_password": NEW}
Ask = tuple[str, str, dict[str, str], Any]


def _admin(backend: LiveBackend) -> dict[str, str]:
    return {**bearer(backend.staff(Role.ADMINISTRATOR)), "Idempotency-Key": str(uuid4())}


def _sign_out(_: LiveBackend, session: Session) -> Ask:
    return "POST", "/api/staff/sign-out", bearer(session), None


def _disabled(backend: LiveBackend, session: Session) -> Ask:
    return "POST", f"/api/users/{session.user.id}/disable", _admin(backend), None


def _reset(backend: LiveBackend, session: Session) -> Ask:
    return "POST", f"/api/users/{session.user.id}/password", _admin(backend), {}


def _changed_elsewhere(backend: LiveBackend, _: Session) -> Ask:
    return "POST", "/api/staff/password", bearer(backend.staff()), CHANGE


def _ended_elsewhere(backend: LiveBackend, _: Session) -> Ask:
    return "DELETE", "/api/staff/sessions", bearer(backend.staff()), None


def _ended_by_administrator(backend: LiveBackend, session: Session) -> Ask:
    return "DELETE", f"/api/users/{session.user.id}/sessions", _admin(backend), None


async def _listening(socket: ClientConnection, session: Session) -> None:
    await say_hello(socket, session)
    while (await next_message(socket)).type != "snapshot_end":
        pass


async def _do(backend: LiveBackend, ask: Ask) -> None:
    method, path, headers, body = ask
    async with httpx.AsyncClient(base_url=backend.url, trust_env=False, verify=False) as http:  # noqa: S501 - plain http on this machine
        answer = await http.request(method, path, headers=headers, json=body)
    assert answer.is_success, answer.text


@pytest.mark.parametrize(
    "end",
    [_sign_out, _disabled, _reset, _changed_elsewhere, _ended_elsewhere, _ended_by_administrator],
)
async def test_a_console_is_cut_off(
    live_backend: LiveBackend, end: Callable[[LiveBackend, Session], Ask]
) -> None:
    session, colleague = live_backend.staff(), live_backend.staff(number=1)
    ask = end(live_backend, session)
    async with live(live_backend) as socket, live(live_backend) as other:
        await _listening(socket, session)
        await _listening(other, colleague)
        await _do(live_backend, ask)
        async with asyncio.timeout(PATIENCE):
            assert await close_code(socket) == CloseCode.SIGN_IN_NEEDED
        await other.ping()  # a colleague's stays
        assert other.close_code is None


def _student_sign_out(_: LiveBackend, student: LiveStudent) -> Ask:
    return "POST", "/api/student/sign-out", as_student(student), None


def _student_password(backend: LiveBackend, student: LiveStudent) -> Ask:
    return "POST", "/api/student/password", _elsewhere(backend, student), CHANGE


def _student_sessions(backend: LiveBackend, student: LiveStudent) -> Ask:
    return "DELETE", "/api/student/sessions", _elsewhere(backend, student), None


def _elsewhere(backend: LiveBackend, student: LiveStudent) -> dict[str, str]:
    """The same student in another browser."""
    with httpx.Client(base_url=backend.url, trust_env=False, verify=False) as http:  # noqa: S501 - plain http on this machine
        body = {"email": student.email, "password": student.password}
        answer = http.post("/api/student/sign-in", json=body)
        assert answer.is_success, answer.text
        cookie = answer.cookies["bursar_session"]
    return {"Cookie": f"bursar_session={cookie}", "Origin": backend.url}


@pytest.mark.parametrize("end", [_student_sign_out, _student_password, _student_sessions])
async def test_a_browser_is_cut_off(
    live_backend: LiveBackend, end: Callable[[LiveBackend, LiveStudent], Ask]
) -> None:
    student, stranger = live_backend.student(), live_backend.student()
    ask = end(live_backend, student)
    async with (
        live_student(live_backend, student) as socket,
        live_student(live_backend, stranger) as other,
    ):
        await socket.recv()
        await other.recv()
        await _do(live_backend, ask)
        async with asyncio.timeout(PATIENCE):
            assert await close_code(socket) == CloseCode.SIGN_IN_NEEDED
        await other.ping()
        assert other.close_code is None


async def test_it_holds_while_the_ledger_grows_all_the_time(
    live_backend: LiveBackend,
) -> None:
    """News wakes the follower again and again: the look at ended sessions must not slip."""
    session = live_backend.staff()
    growing = asyncio.Event()

    async def grow() -> None:
        while True:
            await asyncio.to_thread(live_backend.claim)
            growing.set()

    async with live(live_backend, max_queue=None) as socket:
        await _listening(socket, session)
        news = asyncio.create_task(grow())
        try:
            await growing.wait()
            await _do(live_backend, _sign_out(live_backend, session))
            async with asyncio.timeout(PATIENCE):
                assert await close_code(socket) == CloseCode.SIGN_IN_NEEDED
        finally:
            news.cancel()
            await asyncio.gather(news, return_exceptions=True)


async def test_a_first_password_opens_no_socket(live_backend: LiveBackend) -> None:
    reset = _reset(live_backend, live_backend.staff())
    await _do(live_backend, (*reset[:3], {"password": NEW}))
    person = live_backend.person(Role.OFFICER)
    async with httpx.AsyncClient(base_url=live_backend.url, trust_env=False, verify=False) as http:  # noqa: S501 - plain http on this machine
        body = {"email": person.email, "password": NEW}
        answer = await http.post("/api/staff/sign-in", json=body)
    session = Session.model_validate_json(answer.content)
    async with live(live_backend) as socket:
        await say_hello(socket, session)
        assert await close_code(socket) == CloseCode.NOT_ALLOWED


def test_the_looks_are_close_enough_for_the_promise_of_a_second() -> None:
    """Two looks at the ended sessions fit into it, whatever wakes the follower between them."""
    assert 2 * SyncLimits().poll_seconds <= 1.0
