"""Two rounds at once: the answers of one are written down while the other's request is under way.

And what a sender does with a long queue while there is no backend: very little.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from core.client.backoff import CAP_SECONDS
from core.client.errors import NotSentError, SignInNeededError, UnreachableError
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.client.sender import SenderState
from core.protocol.messages import MAX_DECISIONS, DecisionAnswers, DecisionBatch
from tests.client.build import OFFICER, Clock
from tests.client.sending import Backend, Desk
from tests.support.waiting import until

TWO_REQUESTS = range(1, MAX_DECISIONS + 2)


class HeldBackend(Backend):
    """Answers once it may; `arrived` counts the requests that came to it."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = 0
        self.may_answer = asyncio.Event()

    async def decide(self, batch: DecisionBatch) -> DecisionAnswers:
        self.arrived += 1
        await self.may_answer.wait()
        return await super().decide(batch)


@pytest.fixture
def desk(outbox: Outbox, clock: Clock) -> Desk:
    return Desk(outbox, clock)


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[None]:
    task = asyncio.create_task(desk.sender.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def all_are(desk: Desk, state: OutboxState) -> bool:
    waiting = await desk.outbox.waiting_for(OFFICER)
    return bool(waiting) and all(item.state is state for item in waiting)


# --- two rounds ---


async def test_the_next_request_does_not_wait_until_answers_are_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write, write = asyncio.Event(), desk.outbox.mark_answered_many

    async def held(answers: Any) -> list[OutboxItem]:
        await may_write.wait()
        return await write(answers)

    monkeypatch.setattr(desk.outbox, "mark_answered_many", held)
    await desk.decide(*TWO_REQUESTS)
    async with running(desk):
        await until(lambda: len(desk.backend.requests) == 2, what="the second request")
        assert desk.told() == []
        may_write.set()
        await until(lambda: len(desk.told()) == len(TWO_REQUESTS), what="all answers")
    assert {state for _, state in desk.told()} == {"accepted"}


async def test_one_request_is_under_way_at_a_time(desk: Desk) -> None:
    desk.sender._api = backend = HeldBackend()
    await desk.decide(*TWO_REQUESTS)
    async with running(desk):
        await until(lambda: all_are(desk, OutboxState.SENDING), what="both rounds at work")
        assert backend.arrived == 1
        backend.may_answer.set()
        await until(lambda: len(desk.told()) == len(TWO_REQUESTS), what="all answers")
    assert backend.arrived == 2


async def test_a_sign_in_that_is_needed_keeps_the_other_round_from_asking(desk: Desk) -> None:
    desk.sender._api = backend = HeldBackend()
    backend.fail = lambda _: SignInNeededError("Please sign in.")
    await desk.decide(*TWO_REQUESTS)
    async with running(desk):
        await until(lambda: all_are(desk, OutboxState.SENDING), what="both rounds at work")
        backend.may_answer.set()
        await until(lambda: len(desk.told()) == len(TWO_REQUESTS), what="all put back")
    assert backend.arrived == 1
    assert desk.sender.state is SenderState.SIGN_IN_NEEDED
    assert {item.reason_code for item in desk.results} == {"sign_in_needed"}
    assert await all_are(desk, OutboxState.QUEUED)


async def test_answers_of_one_request_are_told_together(desk: Desk) -> None:
    told: list[Sequence[OutboxItem]] = []
    desk.sender._on_results = told.append
    await desk.decide(1, 2, 3)
    await desk.sender.send_due()
    assert [[item.enrollment.int for item in items] for items in told] == [[1, 2, 3]]


async def test_a_queue_that_fails_ends_both_rounds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(**_: Any) -> list[OutboxItem]:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(desk.outbox, "next_batch", broken)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        await desk.sender.run()


# --- without a backend ---


async def pauses(desk: Desk, monkeypatch: pytest.MonkeyPatch, count: int) -> list[float | None]:
    """How long one round pauses; meanwhile everything is due again."""
    found: list[float | None] = []

    async def pause(seconds: float | None) -> None:
        found.append(seconds)
        desk.clock.forward(CAP_SECONDS)
        if len(found) == count:
            raise asyncio.CancelledError

    monkeypatch.setattr(desk.sender, "_wait", pause)
    with suppress(asyncio.CancelledError):
        await desk.sender._go_round()
    return found


async def test_without_a_connection_it_tries_ever_more_seldom(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much is due: a thousand decisions must not keep a computer busy for a whole day."""
    desk.backend.fail = lambda _: NotSentError("offline")
    await desk.decide(1)
    assert await pauses(desk, monkeypatch, 8) == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


async def test_a_request_that_failed_holds_up_the_others_for_a_moment_only(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be to blame itself."""
    desk.backend.fail = lambda _: UnreachableError("timed out")
    await desk.decide(1)
    assert await pauses(desk, monkeypatch, 4) == [0.5] * 4


async def test_no_pause_once_there_is_an_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([NotSentError("offline")] * 3)
    desk.backend.fail = lambda _: next(failures, None)
    await desk.decide(1)
    # The last one waits for the next decision, whenever that comes.
    assert await pauses(desk, monkeypatch, 4) == [0.5, 1.0, 2.0, None]
    assert desk.told()[-1] == (1, "accepted")
    assert desk.sender.state is SenderState.IDLE
