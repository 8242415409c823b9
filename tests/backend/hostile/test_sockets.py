"""The live endpoints under attack: each end with its own close code, and nothing stays behind."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from core.backend.storage.tables import staff_sessions, student_sessions, users
from core.domain.roles import Role
from core.protocol.messages import MAX_INBOUND_BYTES, CloseCode, Hello, Session
from tests.backend.hostile.place import Place
from tests.backend.hostile.routes import sockets
from tests.backend.hostile.samples import Samples, Spoiled
from tests.backend.web.asking import close_code, live, live_student, next_message, say_hello
from tests.support.live_backend import LiveBackend
from tests.support.waiting import until
from tests.support.watch import ExpectedLogs

_LARGEST = 2**53 - 1
_SAMPLES = Samples({"components": {"schemas": {}}}, {})
_HELLO = Hello.model_json_schema()


@asynccontextmanager
async def _left_as_found(backend: LiveBackend) -> AsyncIterator[None]:
    """Afterwards nobody listens any more, and no more sockets are open than before."""
    before = backend.connections
    yield
    sync = backend.services.sync
    await until(lambda: not sync._subscriptions, what="no subscription")
    assert not sync._staff
    assert not sync._students
    await until(lambda: backend.connections <= before, what="the end of every connection")


def _spoiled_hellos() -> list[Spoiled]:
    return [s for s in _SAMPLES.spoiled(_HELLO) if s.kind != "endless"]


async def test_every_spoiled_hello_is_a_bad_message(live_backend: LiveBackend) -> None:
    good = _SAMPLES.good(_HELLO)
    tried = 0
    async with _left_as_found(live_backend):
        for spoiled in _spoiled_hellos():
            async with live(live_backend) as client:
                await client.send(json.dumps(spoiled.applied_to(good)))
                assert await close_code(client) == CloseCode.BAD_MESSAGE, spoiled
                tried += 1
    assert tried >= 25


_JUNK = ("", "\x00", "[" * 60_000, "9" * 5000, "NaN", b"", b"\xff\xfe", b"\0" * MAX_INBOUND_BYTES)


async def test_junk_on_either_socket(live_backend: LiveBackend) -> None:
    student = live_backend.student()
    async with _left_as_found(live_backend):
        for junk in _JUNK:
            for opening in (live(live_backend), live_student(live_backend, student)):
                async with opening as client:
                    await client.send(junk)
                    assert await close_code(client) == CloseCode.BAD_MESSAGE, junk[:10]


async def test_too_large_is_told_by_the_server_beneath(live_backend: LiveBackend) -> None:
    officer = live_backend.staff()
    async with (
        _left_as_found(live_backend),
        live(live_backend) as before_hello,
        live(live_backend) as after_hello,
        live_student(live_backend, live_backend.student()) as tab,
        live(live_backend) as in_parts,
    ):
        await say_hello(after_hello, officer)
        for client in (before_hello, after_hello, tab):
            await client.send("x" * (MAX_INBOUND_BYTES + 1))
        await in_parts.send(["x" * 1000] * (MAX_INBOUND_BYTES // 1000 + 1))
        for client in (before_hello, after_hello, tab, in_parts):
            assert await close_code(client) == CloseCode.TOO_LARGE


async def test_every_wrong_place_in_the_ledger(live_backend: LiveBackend) -> None:
    officer, size = live_backend.staff(), live_backend.size
    async with live(live_backend) as client:
        await say_hello(client, officer)
        begin = await next_message(client)
        assert begin.type == "snapshot"
        epoch = str(begin.epoch)
    wrong: list[tuple[Mapping[str, Any], int]] = [
        ({"epoch": epoch, "next": size + 1}, CloseCode.AHEAD),
        ({"epoch": epoch, "next": _LARGEST}, CloseCode.AHEAD),
        ({"epoch": epoch, "next": _LARGEST + 1}, CloseCode.BAD_MESSAGE),
        ({"epoch": epoch, "next": -1}, CloseCode.BAD_MESSAGE),
        ({"epoch": str(uuid4()), "next": 0}, CloseCode.OTHER_EPOCH),
        ({"epoch": str(uuid4())}, CloseCode.OTHER_EPOCH),
    ]
    async with _left_as_found(live_backend):
        for fields, code in wrong:
            async with live(live_backend) as client:
                await say_hello(client, officer, **fields)
                assert await close_code(client) == code, fields


async def test_hello_twice(live_backend: LiveBackend) -> None:
    officer = live_backend.staff()
    async with _left_as_found(live_backend), live(live_backend) as client:
        await say_hello(client, officer)
        await say_hello(client, officer)
        assert await close_code(client) == CloseCode.BAD_MESSAGE


async def test_no_token_that_is_over_opens_the_staffs_socket(place: Place) -> None:
    backend = place.backend
    tokens = [place.owner.token, "x" * 43]
    expired = backend.staff(Role.SUPERVISOR)
    place.expire(staff_sessions, staff_sessions.c.user_id == expired.user.id)
    revoked = backend.staff()
    await backend_sign_out(backend, revoked)
    tokens += [session.access_token for session in (expired, revoked)]
    tokens.append(backend.staff().refresh_token)
    async with _left_as_found(backend):
        for token in tokens:
            async with live(backend) as client:
                await client.send(json.dumps({"type": "hello", "token": token}))
                assert await close_code(client) == CloseCode.SIGN_IN_NEEDED


async def test_a_disabled_account_is_not_asked_to_sign_in_again(place: Place) -> None:
    backend = place.backend
    disabled = backend.staff(Role.OFFICER, 1)
    with backend.services.engine.begin() as connection:
        who = update(users).where(users.c.id == disabled.user.id)
        connection.execute(who.values(disabled=True))
    async with _left_as_found(backend), live(backend) as client:
        await client.send(json.dumps({"type": "hello", "token": disabled.access_token}))
        assert await close_code(client) == CloseCode.NOT_ALLOWED


async def backend_sign_out(backend: LiveBackend, session: Session) -> None:
    identity = await asyncio.wrap_future(
        asyncio.run_coroutine_threadsafe(
            backend.services.accounts.staff_identity(session.access_token),
            backend._thread.loop,
        )
    )
    backend.run(backend.services.accounts.staff_sign_out(identity))


async def test_no_session_that_is_over_opens_the_students_socket(place: Place) -> None:
    expired = place.backend.student()
    place.expire(student_sessions, student_sessions.c.student_id == expired.id)
    officer = place.backend.staff().access_token
    async with _left_as_found(place.backend):
        for cookie in (expired.token, officer, "", "x" * 5000, "%00", '"'):
            url, header = f"{place.backend.ws_url}/live/student", f"bursar_session={cookie}"
            headers = {"Cookie": header}
            async with connect(url, proxy=None, additional_headers=headers) as client:
                assert await close_code(client) == CloseCode.SIGN_IN_NEEDED


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "file://"])
async def test_no_page_of_another_site_gets_a_socket(place: Place, origin: str) -> None:
    async with _left_as_found(place.backend):
        for path in sockets(place.app):
            with pytest.raises(InvalidStatus) as refused:
                await connect(
                    place.backend.ws_url + path,
                    proxy=None,
                    origin=origin,  # type: ignore[arg-type]  # a NewType of str
                    additional_headers={"Cookie": place.owner.headers["Cookie"]},
                )
            assert refused.value.response.status_code == 403


async def test_a_second_origin_helps_nobody(place: Place) -> None:
    headers = [("Origin", place.backend.url), ("Origin", "https://evil.example")]
    url = f"{place.backend.ws_url}/live/student"
    with pytest.raises(InvalidStatus):
        await connect(url, proxy=None, additional_headers=headers)


@pytest.mark.parametrize(
    "path", ["/", "/static/page.js", "/static/", "/api/staff/me", "/live/x", "/fonts/x"]
)
async def test_no_socket_elsewhere(live_backend: LiveBackend, path: str) -> None:
    async with _left_as_found(live_backend):
        with pytest.raises(InvalidStatus) as refused:
            await connect(live_backend.ws_url + path, proxy=None)
        assert refused.value.response.status_code in (403, 404)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x05hello", 1002),  # not masked
        (b"\x83\x80\x00\x00\x00\x00", 1002),  # an opcode that is none
        (b"\xf1\x80\x00\x00\x00\x00", 1002),  # reserved bits
        (b"\x80\x80\x00\x00\x00\x00", 1002),  # goes on with nothing
        (b"\x89\xfe\xff\xff" + b"\x00" * 65_539, 1002),  # a ping that is too long
        (b"\x81\xff" + b"\xff" * 8 + b"\x00" * 4, 1009),  # longer than any length
    ],
)
async def test_frames_that_are_none(live_backend: LiveBackend, frame: bytes, code: int) -> None:
    async with _left_as_found(live_backend), live(live_backend) as client:
        client.transport.write(frame)
        assert await close_code(client) == code


async def test_text_that_is_no_text(live_backend: LiveBackend, expected_logs: ExpectedLogs) -> None:
    with expected_logs("Invalid UTF-8"):
        async with _left_as_found(live_backend), live(live_backend) as client:
            client.transport.write(b"\x81\x82\x00\x00\x00\x00\xff\xfe")
            assert await close_code(client) == 1007


async def test_a_tab_that_never_reads_leaves_nothing_behind(live_backend: LiveBackend) -> None:
    async with _left_as_found(live_backend):
        opened: list[ClientConnection] = []
        for _ in range(5):
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.connect(("127.0.0.1", httpx.URL(live_backend.url).port))
            raw.setblocking(False)
            client = await live(live_backend, sock=raw, max_queue=1)
            await say_hello(client, live_backend.staff())
            opened.append(client)
        sync = live_backend.services.sync
        await until(lambda: len(sync._subscriptions) == 5, what="five listeners")
        for client in opened:
            client.transport.abort()
            await client.wait_closed()
