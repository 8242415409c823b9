"""The sender in trouble: smaller requests, numbers of an old queue file, withdrawals."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import ValidationError

from core.client.backoff import CAP_SECONDS
from core.client.errors import (
    ClientError,
    NotSentError,
    OutboxError,
    SignInNeededError,
    UnreachableError,
)
from core.client.outbox import Outbox, OutboxState
from core.client.sender import SenderState
from core.domain.decisions import Verdict
from core.protocol.messages import (
    AnswerKind,
    DecisionAnswer,
    DecisionBatch,
)
from tests.client.build import Clock, decider, device_key
from tests.client.full_disk import no_room
from tests.client.queueing import SEALER
from tests.client.sending import Desk, problem
from tests.protocol.build import row
from tests.support.waiting import until


@pytest.fixture
def desk(outbox: Outbox, clock: Clock) -> Desk:
    return Desk(outbox, clock)


# --- sizes ---


async def sizes(desk: Desk) -> list[int]:
    """How many decisions each further request carries, until none is due."""
    start = len(desk.backend.requests)
    while await desk.sender.send_due():
        pass
    return [len(request) for request in desk.backend.requests[start:]]


async def test_requests_shrink_in_trouble_and_grow_back(desk: Desk) -> None:
    await desk.decide(*range(1, 41))
    desk.backend.fail = lambda _: UnreachableError("timed out")
    assert await sizes(desk) == [40]
    desk.clock.forward(CAP_SECONDS)
    assert await sizes(desk) == [20, 10, 5, 2, 1, 1, 1]
    desk.backend.fail = lambda _: None
    await desk.sender.retry_now()
    assert await sizes(desk) == [1, 2, 4, 8, 16, 9]


async def test_a_sign_in_that_is_needed_does_not_make_requests_smaller(desk: Desk) -> None:
    await desk.decide(*range(1, 31))
    desk.backend.fail = lambda _: SignInNeededError("sign in")
    assert await sizes(desk) == [30]
    desk.backend.fail = lambda _: None
    await desk.sender.signed_in()
    assert await sizes(desk) == [30]


async def test_what_was_not_even_sent_does_not_make_requests_smaller(desk: Desk) -> None:
    await desk.decide(*range(1, 31))
    desk.backend.fail = lambda _: NotSentError("offline")
    assert await sizes(desk) == [30]
    desk.clock.forward(CAP_SECONDS)
    assert await sizes(desk) == [30]


async def test_a_request_that_is_too_large_for_somebody_on_the_way_is_halved(desk: Desk) -> None:
    desk.backend.fail = lambda batch: problem(413) if len(batch.items) > 3 else None
    await desk.decide(*range(1, 11))
    await desk.sender.send_due()
    assert {state for _, state in desk.told()} == {"accepted"}
    assert [len(request) for request in desk.backend.requests] == [10, 5, 2, 3, 5, 2, 3]


# --- devices and numbers ---


async def test_a_number_that_was_used_before_is_refused_and_the_next_one_is_right(
    desk: Desk,
) -> None:
    """The queue file is an old copy: the backend has seen more numbers than it has."""
    desk.backend.reply, desk.backend.code = lambda _: AnswerKind.REFUSED, "number_reused"
    desk.backend.next_n = 7
    await desk.decide(1)
    await desk.sender.send_due()
    assert [(item.n, item.state) for item in desk.results] == [(0, OutboxState.REFUSED)]
    [item] = await desk.decide(2)
    assert item.n == 7


async def test_numbers_that_cannot_be_asked_for_now_are_asked_for_later(desk: Desk) -> None:
    desk.backend.reply, desk.backend.code = lambda _: AnswerKind.REFUSED, "number_reused"
    desk.backend.next_n = None
    await desk.decide(1)
    await desk.sender.send_due()
    assert desk.told() == [(1, "refused")]
    desk.backend.next_n = 7
    await desk.sender.send_due()
    [item] = await desk.decide(2)
    assert item.n == 7


async def test_what_became_of_an_earlier_keys_number_says_nothing_about_this_keys(
    desk: Desk,
) -> None:
    desk.backend.reply, desk.backend.code = lambda _: AnswerKind.REFUSED, "number_reused"
    desk.backend.next_n = 7
    earlier = decider(desk.outbox, desk.clock, device_key(number=2))
    await earlier.decide(row(1), Verdict.APPROVE)
    await desk.sender.send_due()
    assert desk.told() == [(1, "refused")]
    [item] = await desk.decide(2)
    assert item.n == 0


async def test_an_unknown_outcome_is_asked_about_under_the_same_id(desk: Desk) -> None:
    ids: list[UUID] = []

    def fail(batch: DecisionBatch) -> ClientError | None:
        ids.extend(item.id for item in batch.items)
        return UnreachableError("the answer was lost") if len(ids) == 1 else None

    desk.backend.fail = fail
    [item] = await desk.decide(1)
    await desk.sender.send_due()
    await desk.sender.retry_now()
    await desk.sender.send_due()
    assert ids == [item.id, item.id]
    assert desk.told() == [(1, "queued"), (1, "accepted")]


async def test_an_acceptance_without_an_entry_is_none() -> None:
    """Nobody could ever look it up in the ledger."""
    for kind, code in ((AnswerKind.ACCEPTED, "accepted"), (AnswerKind.REFUSED, "already_decided")):
        with pytest.raises(ValidationError, match="has an entry"):
            DecisionAnswer(id=UUID(int=1), kind=kind, code=code, message="Done.")


# --- a queue that cannot be used ---


async def test_a_full_disk_stops_nothing_for_good(desk: Desk, tmp_path: Path) -> None:
    """Told once; as soon as there is room the answer is asked for again, and nothing is lost."""
    told: list[OutboxError] = []
    file = await Outbox.open(tmp_path / "full.sqlite3", SEALER, desk.clock)
    full = Desk(file, desk.clock)
    full.sender._on_trouble = told.append
    await full.decide(1, 2)
    with no_room(1):
        running = asyncio.create_task(full.sender.run())
        await until(lambda: full.sender.state is SenderState.BLOCKED)
        full.sender.wake()
        await until(lambda: full.sender._blocked > 1, what="another try")
    assert len(told) == 1
    full.sender.wake()
    await until(lambda: len(full.told()) == 2)
    assert sorted(full.told()) == [(1, "accepted"), (2, "accepted")]
    assert full.sender.state is SenderState.IDLE
    running.cancel()
    await asyncio.wait([running])
    await file.close()


# --- withdrawals ---


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_withdrawal_travels_like_a_decision(desk: Desk, carried_out: bool) -> None:
    desk.backend.code = "already_decided" if carried_out else "withdrawn"
    kind = AnswerKind.REFUSED if carried_out else AnswerKind.ACCEPTED
    desk.backend.reply = lambda _: kind
    [item] = await desk.decide(1)
    _, withdrawal = await decider(desk.outbox, desk.clock).withdraw(item)
    while await desk.sender.send_due():
        pass
    assert desk.backend.requests == [[UUID(int=1)]]
    told = {changed.id: changed.state for changed in desk.results}
    assert told == {
        item.id: OutboxState.ACCEPTED if carried_out else OutboxState.WITHDRAWN,
        withdrawal.id: OutboxState.REFUSED if carried_out else OutboxState.ACCEPTED,
    }
