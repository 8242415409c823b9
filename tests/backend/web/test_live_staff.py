"""The console's socket: hello, snapshot, resume, and why it is closed."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from core.backend.services.realtime import SyncLimits
from core.backend.web.live import LiveLimits
from core.ledger.leaf import decode
from core.protocol.messages import CloseCode, EntryMessage, LedgerHead
from tests.backend.web.asking import bearer, close_code, live, next_message, say_hello
from tests.support.live_backend import LiveBackend
from tests.support.live_template import Template
from tests.support.waiting import until


async def _snapshot(socket: ClientConnection) -> tuple[int, list[str]]:
    """The size that the snapshot stands for and the enrollments in it."""
    begin = await next_message(socket)
    assert begin.type == "snapshot"
    rows: list[str] = []
    while (message := await next_message(socket)).type != "snapshot_end":
        assert message.type == "rows"
        rows += [str(row.enrollment) for row in message.rows]
    return begin.size, rows


async def _entry(socket: ClientConnection) -> EntryMessage:
    while (message := await next_message(socket)).type != "entry":
        assert message.type == "checkpoint"
    assert isinstance(message, EntryMessage)
    return message


def _head(backend: LiveBackend) -> LedgerHead:
    answer = httpx.get(f"{backend.url}/api/ledger/head", headers=bearer(backend.staff()))
    return LedgerHead.model_validate_json(answer.content)


async def test_a_first_hello_gets_what_waits_and_then_what_happens(
    live_backend: LiveBackend,
) -> None:
    waiting = live_backend.claim()
    async with live(live_backend) as socket:
        await say_hello(socket, live_backend.staff())
        size, rows = await _snapshot(socket)
        assert rows == [str(waiting.enrollment)]
        new = live_backend.claim()
        entry = await _entry(socket)
        assert entry.index == size
        seen = entry
        while seen.row is None or not seen.row.waiting:
            seen = await _entry(socket)
        assert seen.row.enrollment == new.enrollment
        assert decode(seen.leaf.encode()).subject == f"enrollment:{new.enrollment}"


async def test_resume_brings_every_entry_once_and_in_order(live_backend: LiveBackend) -> None:
    live_backend.push_claims(3)
    head = _head(live_backend)
    async with live(live_backend) as socket:
        await say_hello(socket, live_backend.staff(), epoch=str(head.epoch), next=2)
        resumed = await next_message(socket)
        assert resumed.type == "resumed"
        assert resumed.next == 2
        live_backend.push_claims(3)
        indexes = [(await _entry(socket)).index for _ in range(2, live_backend.size)]
        assert indexes == list(range(2, live_backend.size))


async def test_a_client_resumes_after_the_backend_was_away(live_backend: LiveBackend) -> None:
    officer, head = live_backend.staff(), _head(live_backend)
    async with live(live_backend) as socket:
        await say_hello(socket, officer, epoch=str(head.epoch), next=head.size)
        assert (await next_message(socket)).type == "resumed"
        with live_backend.offline():
            await socket.wait_closed()
            live_backend.claim()
            with pytest.raises(ConnectionRefusedError):
                await live(live_backend)
    async with live(live_backend) as again:
        await say_hello(again, officer, epoch=str(head.epoch), next=head.size)
        assert (await next_message(again)).type == "resumed"
        assert (await _entry(again)).index == head.size


async def test_a_client_that_knows_more_than_the_ledger_is_an_alarm(
    live_backend: LiveBackend,
) -> None:
    head = _head(live_backend)
    async with live(live_backend) as socket:
        await say_hello(socket, live_backend.staff(), epoch=str(head.epoch), next=head.size + 1)
        assert await close_code(socket) == CloseCode.AHEAD


async def test_another_epoch_is_an_alarm(live_backend: LiveBackend) -> None:
    async with live(live_backend) as socket:
        await say_hello(socket, live_backend.staff(), epoch=str(uuid4()), next=1)
        assert await close_code(socket) == CloseCode.OTHER_EPOCH


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "hello",
        "{}",
        "[" * 5000,
        '{"type": "hello"}',
        '{"type": "hello", "token": 5}',
        '{"type": "hello", "token": "' + "x" * 40 + '", "next": -1}',
        '{"type": "hello", "token": "' + "x" * 40 + '", "admin": true}',
        b"\x00\xff",
    ],
)
async def test_a_hello_that_is_junk(live_backend: LiveBackend, junk: str | bytes) -> None:
    async with live(live_backend) as socket:
        await socket.send(junk)
        assert await close_code(socket) == CloseCode.BAD_MESSAGE


async def test_a_token_that_is_none(live_backend: LiveBackend) -> None:
    async with live(live_backend) as socket:
        await socket.send(json.dumps({"type": "hello", "token": "x" * 40}))
        assert await close_code(socket) == CloseCode.SIGN_IN_NEEDED


async def test_talking_after_the_hello(live_backend: LiveBackend) -> None:
    async with live(live_backend) as socket:
        await say_hello(socket, live_backend.staff())
        await socket.send("and another thing")
        assert await close_code(socket) == CloseCode.BAD_MESSAGE


async def test_a_message_over_the_limit(live_backend: LiveBackend) -> None:
    async with live(live_backend) as socket:
        await socket.send("x" * (64 * 1024 + 1))
        assert await close_code(socket) == 1009  # "message too big", from the server itself


async def test_a_page_of_another_site_gets_no_socket(live_backend: LiveBackend) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await live(live_backend, origin="https://evil.example")
    assert refused.value.response.status_code == 403


async def test_a_revoked_session_is_closed(live_backend: LiveBackend) -> None:
    officer = live_backend.staff()
    async with live(live_backend) as socket:
        await say_hello(socket, officer)
        await _snapshot(socket)
        async with httpx.AsyncClient(base_url=live_backend.url, trust_env=False) as http:
            await http.post("/api/staff/sign-out", headers=bearer(officer))
        assert await close_code(socket) == CloseCode.SIGN_IN_NEEDED


async def test_clients_that_leave_leave_nothing_behind(live_backend: LiveBackend) -> None:
    """What stays behind on the backend's loop fails the fixture."""
    officer = live_backend.staff()
    opened = [await live(live_backend) for _ in range(10)]
    for socket in opened[:5]:
        await say_hello(socket, officer)
        await _snapshot(socket)
    assert live_backend.connections >= 10
    for socket in opened:
        socket.transport.abort()
        await socket.wait_closed()
    await until(lambda: live_backend.connections == 0, what="no connection")


@pytest.fixture
def hasty_backend(live_template: Template, tmp_path: Path) -> Iterator[LiveBackend]:
    """A backend with little patience."""
    limits = LiveLimits(hello_seconds=0.05)
    backend = LiveBackend(live_template, tmp_path / "hasty", live_limits=limits)
    yield backend
    backend.close()


@pytest.fixture
def short_backend(live_template: Template, tmp_path: Path) -> Iterator[LiveBackend]:
    """A backend with short queues."""
    limits = SyncLimits(queue=300, page=50)
    backend = LiveBackend(live_template, tmp_path / "short", sync_limits=limits)
    yield backend
    backend.close()


async def test_no_hello(hasty_backend: LiveBackend) -> None:
    async with live(hasty_backend) as socket:
        assert await close_code(socket) == CloseCode.NO_HELLO


async def test_a_client_that_does_not_read_is_cut_off_and_no_other_waits_for_it(
    short_backend: LiveBackend,
) -> None:
    officer = short_backend.staff()
    slow_socket = sockets.socket()
    slow_socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    slow_socket.connect(("127.0.0.1", httpx.URL(short_backend.url).port))
    slow_socket.setblocking(False)
    slow = await live(short_backend, sock=slow_socket, max_queue=1)
    await say_hello(slow, officer)
    quick = await live(short_backend)
    await say_hello(quick, officer)
    await _snapshot(quick)
    seen: list[int] = []

    async def read() -> None:
        while True:
            seen.append((await _entry(quick)).index)

    reading = asyncio.create_task(read())
    for _ in range(3):  # more than the system buffers for a socket
        await asyncio.to_thread(short_backend.push_claims, 100)
        end = short_backend.size - 1
        await until(lambda end=end: seen[-1] == end, what="the quick one")  # type: ignore[misc]
    assert await close_code(slow) == CloseCode.TOO_SLOW
    reading.cancel()
    await asyncio.wait([reading])
    await quick.close()
