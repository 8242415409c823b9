"""The live feed against small websocket servers that do what networks and backends do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from functools import partial
from http import HTTPStatus

import pytest
import pytest_asyncio
from websockets.asyncio.server import serve

from core.client import connection
from core.client.connection import ConnectionState
from core.client.errors import AccountDisabledError, SignInNeededError, UnreachableError
from core.client.live import BATCH_MESSAGES, Applied
from core.protocol.messages import (
    CheckpointMessage,
    CloseCode,
    EntryMessage,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotRows,
)
from tests.client.build import session
from tests.client.place import Console, Delays, Line, Place, entry, port_of, stay_after_opening
from tests.protocol.build import EPOCH, row
from tests.support.waiting import until


@pytest_asyncio.fixture
async def place() -> AsyncIterator[Place]:
    place = Place()
    async with serve(
        place.serve, "127.0.0.1", 0, process_request=place.handshake, compression=None
    ) as server:
        place.url = f"ws://127.0.0.1:{port_of(server)}/live"
        yield place


async def test_a_snapshot_then_entries_and_checkpoints(place: Place) -> None:
    async def talk(line: Line) -> None:
        await line.opening(3, 1, 2)
        changed = row(1, version=2, waiting=False)
        await line.say(
            EntryMessage(index=3, leaf="l", row=row(1, version=2)),
            EntryMessage(index=4, leaf="l", row=changed.model_copy(update={"version": 3})),
            CheckpointMessage(size=5, note="note"),
        )
        await line.stay()

    place.talks = [talk]
    console = Console(place.url)
    async with console.running():
        await until(lambda: console.batches and console.batches[-1].checkpoints)
    assert place.hellos[0].token == session(1).access_token
    assert place.hellos[0].next is None
    first = console.batches[0]
    assert first.snapshot is not None
    assert [shown.enrollment.int for shown in first.snapshot] == [1, 2]
    assert console.entries() == [3, 4]
    newest = [shown for batch in console.batches for shown in batch.changed][-1]
    assert (newest.version, newest.waiting) == (3, False)
    assert all(batch.snapshot is None for batch in console.batches[1:])
    assert console.states == [ConnectionState.LIVE]


@pytest.mark.parametrize("code", [1001, 1011, 1012, 4408, CloseCode.TOO_SLOW, 4999])
async def test_a_connection_that_ends_is_resumed_where_it_was(place: Place, code: int) -> None:
    async def first(line: Line) -> None:
        await line.opening(3)
        await line.say(entry(3), entry(4))
        await line.socket.close(code)

    async def second(line: Line) -> None:
        await line.opening()
        await line.say(entry(5))
        await line.stay()

    place.talks = [first, second]
    console = Console(place.url)
    async with console.running():
        await until(lambda: console.entries() == [3, 4, 5])
    assert place.hellos[1].next == 5
    assert place.hellos[1].epoch == EPOCH
    assert console.states == [ConnectionState.LIVE]  # it was over before anybody could see it


async def test_a_cable_that_is_pulled_is_resumed(place: Place) -> None:
    async def first(line: Line) -> None:
        await line.opening(3)
        line.socket.transport.abort()

    place.talks = [first, stay_after_opening]
    console = Console(place.url)
    async with console.running():
        await until(lambda: len(place.hellos) == 2)
        await until(lambda: console.feed.status.state is ConnectionState.LIVE)


async def test_a_gap_closes_and_resumes_before_it(place: Place) -> None:
    async def first(line: Line) -> None:
        await line.opening(3)
        await line.say(entry(3), entry(5))
        await line.stay()

    async def second(line: Line) -> None:
        await line.opening()
        await line.say(entry(4), entry(5))
        await line.stay()

    place.talks = [first, second]
    console = Console(place.url)
    async with console.running():
        await until(lambda: console.entries() == [3, 4, 5])
    assert place.hellos[1].next == 4


async def test_junk_is_answered_by_a_new_connection(place: Place) -> None:
    async def junk(line: Line) -> None:
        await line.socket.send("not json")
        await line.stay()

    place.talks = [junk, stay_after_opening]
    console = Console(place.url)
    async with console.running():
        await until(lambda: console.feed.status.state is ConnectionState.LIVE)
    assert len(place.hellos) == 2


async def test_an_access_token_that_ended_is_renewed(place: Place) -> None:
    async def ended(line: Line) -> None:
        await line.socket.close(CloseCode.SIGN_IN_NEEDED)

    place.talks = [ended, stay_after_opening]
    console = Console(place.url)
    async with console.running():
        await until(lambda: console.feed.status.state is ConnectionState.LIVE)
    assert [hello.token for hello in place.hellos] == [
        session(1).access_token,
        session(2).access_token,
    ]


async def test_a_session_that_ended_asks_for_a_sign_in(place: Place) -> None:
    async def ended(line: Line) -> None:
        console.tokens.failures = [SignInNeededError("sign in")]
        await line.socket.close(CloseCode.SIGN_IN_NEEDED)

    place.talks = [ended]
    console = Console(place.url)
    async with console.running() as task:
        await task
    assert console.feed.status.state is ConnectionState.SIGNED_OUT
    assert "sign in" in console.feed.status.message


async def test_a_token_that_cannot_be_renewed_now_is_tried_again(place: Place) -> None:
    place.talks = [stay_after_opening]
    console = Console(place.url)
    console.tokens.failures = [UnreachableError("gone")]
    async with console.running():
        await until(lambda: console.feed.status.state is ConnectionState.LIVE)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (CloseCode.AHEAD, ConnectionState.ALARM),
        (CloseCode.OTHER_EPOCH, ConnectionState.ALARM),
        (CloseCode.NOT_ALLOWED, ConnectionState.REFUSED),
        (CloseCode.BAD_MESSAGE, ConnectionState.REFUSED),
    ],
)
async def test_where_only_a_person_helps_it_ends(
    place: Place, code: int, state: ConnectionState
) -> None:
    async def refuse(line: Line) -> None:
        await line.socket.close(code)

    place.talks = [refuse]
    console = Console(place.url)
    async with console.running() as task:
        await task
    assert console.states[-1] is state
    assert console.feed.status.message
    assert len(place.hellos) == 1


async def test_who_is_shut_out_reads_why(place: Place) -> None:
    why = "Your account was disabled. Ask an administrator."

    async def refuse(line: Line) -> None:
        await line.socket.close(CloseCode.NOT_ALLOWED, why)

    place.talks = [refuse]
    told = Console(place.url)
    async with told.running() as task:
        await task
    unheard = Console(place.url)
    unheard.tokens.failures = [AccountDisabledError(why)]
    async with unheard.running() as task:
        await task
    for console in (told, unheard):
        assert console.feed.status.state is ConnectionState.REFUSED
        assert console.feed.status.message == why
    assert len(place.hellos) == 1


async def test_a_shorter_ledger_is_an_alarm_and_no_fresh_snapshot(place: Place) -> None:
    async def first(line: Line) -> None:
        await line.opening(9)
        await line.socket.close(1012)

    async def second(line: Line) -> None:
        await line.say(SnapshotBegin(epoch=EPOCH, size=2), SnapshotRows(rows=()), SnapshotEnd())
        await line.stay()

    place.talks = [first, second]
    console = Console(place.url)
    async with console.running() as task:
        await task
    assert console.feed.status.state is ConnectionState.ALARM
    assert len(console.batches) == 1


async def test_a_backend_that_is_starting_is_tried_again_and_a_stranger_is_not(
    place: Place,
) -> None:
    place.talks = [stay_after_opening]
    place.handshakes = [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY]
    console = Console(place.url)
    async with console.running():
        await until(lambda: console.feed.status.state is ConnectionState.LIVE)
    place.handshakes = [HTTPStatus.NOT_FOUND]
    console = Console(place.url)
    async with console.running() as task:
        await task
    assert console.feed.status.state is ConnectionState.REFUSED


async def test_nobody_there_is_tried_again_and_a_person_can_hurry() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        console = Console(f"ws://127.0.0.1:{taken.getsockname()[1]}/live")
        console.delays.seconds = 3600
        async with console.running():
            for tries in range(1, 5):
                await until(partial(_tried, console.delays, tries))
                await until(lambda: console.feed.status.state is ConnectionState.LOST)
                console.feed.retry_now()
                assert console.states[-1] is ConnectionState.CONNECTING
    assert ConnectionState.LIVE not in console.states
    assert console.delays.asked[:4] == [0, 1, 2, 3]


def _tried(delays: Delays, times: int) -> bool:
    return len(delays.asked) >= times


async def test_a_loss_that_lasts_is_shown_after_the_grace(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def first(line: Line) -> None:
        await line.opening(3)
        place.handshakes = [HTTPStatus.SERVICE_UNAVAILABLE] * 10_000
        line.socket.transport.abort()

    monkeypatch.setattr(connection, "GRACE_SECONDS", 0.05)
    place.talks = [first, stay_after_opening]
    console = Console(place.url)
    async with console.running():
        await until(lambda: ConnectionState.LOST in console.states)
        place.handshakes = []
        await until(lambda: console.states[-1] is ConnectionState.LIVE)
    assert console.states == [ConnectionState.LIVE, ConnectionState.LOST, ConnectionState.LIVE]


async def test_it_can_be_run_again_after_it_ended(place: Place) -> None:
    async def refuse(line: Line) -> None:
        await line.socket.close(CloseCode.NOT_ALLOWED)

    place.talks = [refuse, stay_after_opening]
    console = Console(place.url)
    async with console.running() as task:
        await task
    console.feed.retry_now()  # nobody runs it: this does nothing
    assert console.states == [ConnectionState.REFUSED]
    async with console.running():
        await until(lambda: console.states[-1] is ConnectionState.LIVE)


async def test_tokens_that_are_refused_again_and_again_end_the_session(place: Place) -> None:
    async def ended(line: Line) -> None:
        await line.socket.close(CloseCode.SIGN_IN_NEEDED)

    place.talks = [ended]
    console = Console(place.url)
    async with console.running() as task:
        await task
    assert console.feed.status.state is ConnectionState.SIGNED_OUT
    assert [hello.token for hello in place.hellos] == [
        session(number).access_token for number in (1, 2, 3)
    ]


async def test_a_server_that_says_nothing_is_left(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(line: Line) -> None:
        await line.stay()

    monkeypatch.setattr("core.client.live._FIRST_MESSAGE_SECONDS", 0.05)
    place.talks = [silent, stay_after_opening]
    console = Console(place.url)
    async with console.running():
        await until(lambda: len(place.hellos) == 2)


async def test_a_burst_comes_in_bounded_batches_and_the_loop_runs_between(place: Place) -> None:
    total = 5 * BATCH_MESSAGES
    rounds = 0

    async def talk(line: Line) -> None:
        await line.opening(0)
        await line.say(*(entry(index) for index in range(total)))
        await line.stay()

    place.talks = [talk]
    console = Console(place.url)

    async def others() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    async with console.running():
        other = asyncio.create_task(others())
        await until(lambda: len(console.entries()) == total)
        other.cancel()
        await asyncio.wait([other])
    assert console.entries() == list(range(total))
    assert max(len(batch.events) for batch in console.batches) <= BATCH_MESSAGES
    assert rounds > len(console.batches)


async def test_what_came_before_the_end_is_not_lost(place: Place) -> None:
    async def talk(line: Line) -> None:
        await line.opening(0)
        await line.say(*(entry(index) for index in range(50)))
        await line.socket.close(CloseCode.NOT_ALLOWED)

    place.talks = [talk]
    console = Console(place.url)
    async with console.running() as task:
        await task
    assert console.entries() == list(range(50))


async def test_the_delays_grow_until_something_comes(place: Place) -> None:
    async def silent(line: Line) -> None:
        await line.socket.close(1012)

    place.talks = [silent, silent, silent, silent, stay_after_opening]
    console = Console(place.url)
    async with console.running():
        await until(lambda: console.feed.status.state is ConnectionState.LIVE)
    assert console.delays.asked == [0, 1, 2, 3]


async def test_an_error_of_the_window_is_not_swallowed(place: Place) -> None:
    place.talks = [stay_after_opening]
    console = Console(place.url)

    async def broken(_: Applied) -> None:
        raise ValueError("a bug in a view")

    console.feed._on_batch = broken
    async with console.running() as task:
        with pytest.raises(ValueError, match="a bug"):
            await task
