"""The sender: every answer lands where it belongs, and nothing is dropped or sent out of turn."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from core.client.backoff import CAP_SECONDS, FIRST_SECONDS
from core.client.errors import (
    ClientError,
    ProtocolError,
    SignInNeededError,
    UnreachableError,
)
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.client.sender import MAYBE_DONE, SenderState
from core.protocol.messages import (
    MAX_DECISIONS,
    MAX_INBOUND_BYTES,
    AnswerKind,
    DecisionAnswers,
    DecisionBatch,
    SignedDecision,
)
from tests.client.build import Clock
from tests.client.sending import Backend, Desk, enrollment, problem
from tests.support.waiting import until


@pytest.fixture
def desk(outbox: Outbox, clock: Clock) -> Desk:
    return Desk(outbox, clock)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("accepted", "accepted"),
        ("conflict_decided", "conflict"),
        ("conflict_changed", "conflict"),
        ("refused", "refused"),
        ("transient", "queued"),
    ],
)
async def test_where_each_answer_leads(desk: Desk, kind: str, state: str) -> None:
    desk.backend.reply = lambda _: AnswerKind(kind)
    await desk.decide(1)
    assert await desk.sender.send_due() == 1
    assert desk.told() == [(1, state)]
    assert desk.results[0].reason_message == "So it is."
    assert desk.states == [SenderState.SENDING, SenderState.IDLE]


async def test_what_is_sent_is_what_was_signed(desk: Desk) -> None:
    seen: list[SignedDecision] = []

    def reply(item: SignedDecision) -> AnswerKind:
        seen.append(item)
        return AnswerKind.ACCEPTED

    desk.backend.reply = reply
    [item] = await desk.decide(1, note="words")
    await desk.sender.send_due()
    assert seen[0].payload.encode() == item.payload
    assert seen[0].note == item.note


async def test_a_network_that_is_gone_returns_everything_to_the_queue(desk: Desk) -> None:
    desk.backend.fail = lambda _: UnreachableError("gone")
    await desk.decide(1, 2)
    await desk.sender.send_due()
    assert desk.told() == [(1, "queued"), (2, "queued")]
    assert desk.results[0].reason_code == "unreachable"
    assert desk.states == [SenderState.SENDING, SenderState.UNREACHABLE]
    assert await desk.sender.send_due() == 0
    desk.backend.fail = lambda _: None
    desk.clock.forward(FIRST_SECONDS)
    while await desk.sender.send_due():
        pass
    assert desk.told()[2:] == [(1, "accepted"), (2, "accepted")]
    assert desk.states[2:4] == [SenderState.SENDING, SenderState.IDLE]


async def test_the_delay_grows_with_each_failure_of_an_item(desk: Desk) -> None:
    desk.backend.fail = lambda _: UnreachableError("gone")
    await desk.decide(1)
    waits = []
    for _ in range(9):
        await desk.sender.send_due()
        wait = (desk.results[-1].not_before - desk.clock()).total_seconds()
        waits.append(wait)
        desk.clock.forward(wait)
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == CAP_SECONDS


async def test_retry_now_does_not_wait(desk: Desk) -> None:
    desk.backend.fail = lambda _: UnreachableError("gone")
    await desk.decide(1)
    await desk.sender.send_due()
    desk.backend.fail = lambda _: None
    await desk.sender.retry_now()
    assert await desk.sender.send_due() == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_backend_in_trouble_is_tried_again(desk: Desk, status: int) -> None:
    desk.backend.fail = lambda _: problem(status)
    await desk.decide(1)
    await desk.sender.send_due()
    assert desk.told() == [(1, "queued")]


async def test_a_sign_in_that_is_needed_pauses_until_there_is_one(desk: Desk) -> None:
    desk.backend.fail = lambda _: SignInNeededError("sign in")
    await desk.decide(1)
    await desk.sender.send_due()
    assert desk.sender.state is SenderState.SIGN_IN_NEEDED
    desk.clock.forward(3600)
    assert await desk.sender.send_due() == 0
    assert len(desk.backend.requests) == 1
    desk.backend.fail = lambda _: None
    await desk.sender.signed_in()
    await desk.sender.send_due()
    assert desk.told() == [(1, "queued"), (1, "accepted")]


async def test_an_answer_that_asks_for_a_sign_in_pauses_too(desk: Desk) -> None:
    def reply(item: SignedDecision) -> AnswerKind:
        return AnswerKind.TRANSIENT if enrollment(item).int == 2 else AnswerKind.ACCEPTED

    desk.backend.reply, desk.backend.code = reply, "sign_in_needed"
    await desk.decide(1, 2, 3)
    await desk.sender.send_due()
    assert desk.told() == [(1, "accepted"), (3, "accepted"), (2, "queued")]
    assert desk.sender.state is SenderState.SIGN_IN_NEEDED


async def test_one_bad_decision_never_blocks_the_others(desk: Desk) -> None:
    def fail(batch: DecisionBatch) -> ClientError | None:
        return problem(422) if any(enrollment(i).int == 2 for i in batch.items) else None

    desk.backend.fail = fail
    await desk.decide(1, 2, 3)
    await desk.sender.send_due()
    assert sorted(desk.told()) == [(1, "accepted"), (2, "needs_person"), (3, "accepted")]
    stuck = next(item for item in desk.results if item.state is OutboxState.NEEDS_PERSON)
    assert (stuck.reason_code, stuck.reason_message) == ("urn:bursar:x", f"No. {MAYBE_DONE}")


async def test_an_answer_that_makes_no_sense_needs_a_person_who_can_retry(desk: Desk) -> None:
    desk.backend.fail = lambda _: ProtocolError("strange")
    [item] = await desk.decide(1)
    await desk.sender.send_due()
    assert desk.told() == [(1, "needs_person")]
    desk.backend.fail = lambda _: None
    await desk.outbox.retry(item.id, desk.clock())
    await desk.sender.send_due()
    assert desk.told()[-1] == (1, "accepted")


async def test_a_failure_in_the_middle_tells_no_answer_twice(desk: Desk) -> None:
    """Sent one by one after a refusal, the network goes after the first: it stays accepted."""

    def fail(batch: DecisionBatch) -> ClientError | None:
        if len(batch.items) > 1:
            return problem(422)
        return UnreachableError("gone") if enrollment(batch.items[0]).int == 2 else None

    desk.backend.fail = fail
    await desk.decide(1, 2, 3)
    await desk.sender.send_due()
    assert desk.told() == [(1, "accepted"), (2, "queued"), (3, "queued")]


async def test_a_decision_without_an_answer_is_asked_about_again(desk: Desk) -> None:
    class Forgetful(Backend):
        async def decide(self, batch: DecisionBatch) -> DecisionAnswers:
            answers = await super().decide(batch)
            return DecisionAnswers(results=answers.results[1:])

    desk.sender._api = Forgetful()
    await desk.decide(1, 2)
    await desk.sender.send_due()
    assert desk.told() == [(2, "accepted"), (1, "queued")]
    assert desk.results[1].reason_code == "no_answer"


@pytest.mark.parametrize("words", ["\x01" * 900 + "x", None])
async def test_requests_stay_under_both_limits(desk: Desk, words: str | None) -> None:
    await desk.decide(*range(1, MAX_DECISIONS + 30), note=words)
    while await desk.sender.send_due():
        pass
    assert sum(map(len, desk.backend.requests)) == MAX_DECISIONS + 29
    assert max(map(len, desk.backend.requests)) <= MAX_DECISIONS
    assert max(desk.backend.sizes) <= MAX_INBOUND_BYTES
    assert {state for _, state in desk.told()} == {"accepted"}


async def test_decisions_about_one_enrollment_keep_their_order(desk: Desk) -> None:
    made = await desk.decide(1, 1, 2, 1)
    while await desk.sender.send_due():
        pass
    assert desk.backend.requests == [[UUID(int=1), UUID(int=2)], [UUID(int=1)], [UUID(int=1)]]
    sent = [item.id for item in desk.results if item.enrollment.int == 1]
    assert sent == [item.id for item in made if item.enrollment.int == 1]


async def test_a_note_that_was_lost_is_not_sent_without_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue of an older console kept the words under a key of their own."""
    next_batch = desk.outbox.next_batch

    async def without_the_first_note(**wanted: Any) -> list[OutboxItem]:
        return [
            replace(item, note_lost=item.enrollment.int == 1) for item in await next_batch(**wanted)
        ]

    monkeypatch.setattr(desk.outbox, "next_batch", without_the_first_note)
    await desk.decide(1, 2)
    await desk.sender.send_due()
    assert desk.told() == [(1, "needs_person"), (2, "accepted")]
    assert desk.backend.requests == [[UUID(int=2)]]


async def test_running_it_sends_what_is_added_and_comes_back_by_itself(desk: Desk) -> None:
    failures = iter([UnreachableError("gone")])
    desk.backend.fail = lambda _: next(failures, None)
    task = asyncio.create_task(desk.sender.run())
    await desk.decide(1)
    desk.sender.wake()
    await until(lambda: desk.sender.state is SenderState.UNREACHABLE)
    desk.clock.forward(CAP_SECONDS)
    await desk.sender.retry_now()
    await until(lambda: desk.told()[-1:] == [(1, "accepted")])
    await desk.decide(2)
    desk.sender.wake()
    await until(lambda: desk.told()[-1:] == [(2, "accepted")])
    task.cancel()
    await asyncio.wait([task])


async def test_a_due_time_wakes_it_without_being_asked(desk: Desk) -> None:
    def fail(_: DecisionBatch) -> ClientError | None:
        desk.backend.fail = lambda _: None
        return UnreachableError("gone")

    desk.backend.fail = fail
    desk.sender._jitter = lambda: 0.0
    await desk.decide(1)
    task = asyncio.create_task(desk.sender.run())
    await until(lambda: desk.sender.state is SenderState.UNREACHABLE)
    desk.clock.forward(FIRST_SECONDS)
    await until(lambda: desk.told()[-1:] == [(1, "accepted")])
    task.cancel()
    await asyncio.wait([task])
