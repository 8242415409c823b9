"""The durable queue: nothing is lost, nothing is sent by the wrong person, order is kept."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from core.client.errors import DecisionError, OutboxError
from core.client.file_lock import FileLock
from core.client.outbox import Outbox, OutboxState, OutboxSummary
from core.domain.decisions import ReasonCode, Verdict
from core.ledger.commitments import commit
from core.ledger.keys import verify
from core.protocol.messages import AnswerKind
from core.protocol.signing import read_decision, seen_digest, seen_facts
from tests.client.build import OFFICER, START, Clock, decider, device_key
from tests.client.queueing import DEVICE, SEALER, answer_for, due
from tests.protocol.build import row
from tests.support.waiting import until

# --- deciding ---


async def test_a_decision_is_bound_to_the_row_signed_and_stored(
    outbox: Outbox, clock: Clock
) -> None:
    shown = row(7, version=3)
    item = await decider(outbox, clock).decide(
        shown, Verdict.REJECT, reason=ReasonCode.OTHER, note="  Her own words  ",
        amount_received=5,
    )  # fmt: skip
    decision = read_decision(item.payload)
    assert verify(device_key().key.public, item.payload, item.signature)
    assert decision.officer == OFFICER
    assert decision.device == DEVICE
    assert (decision.n, decision.as_of, decision.expected_version) == (0, 41, 3)
    assert (decision.verdict, decision.reason_code) == (Verdict.REJECT, ReasonCode.OTHER)
    assert decision.seen == seen_digest(seen_facts(shown))
    assert decision.amount_received == 5
    assert item.note is not None
    assert item.note.text == "Her own words"
    assert decision.reason_commitment == commit(bytes.fromhex(item.note.salt), item.note.text)
    assert b"Her own words" not in item.payload
    assert item.shown == shown
    assert (item.state, item.reference, item.cents) == (OutboxState.QUEUED, "K7QM3XRA", 125_000)
    assert await outbox.waiting_for(OFFICER) == [item]


async def test_what_a_person_can_put_right_is_told_and_nothing_is_stored(
    outbox: Outbox, clock: Clock
) -> None:
    decide = decider(outbox, clock).decide
    for verdict, more, words in (
        (Verdict.REJECT, {}, "reason"),
        (Verdict.REVERSE_APPROVAL, {}, "reason"),
        (Verdict.APPROVE, {"note": "x" * 1001}, "1000"),
        (Verdict.APPROVE, {"note": "\ud800"}, "broken"),
        (Verdict.APPROVE, {"amount_received": -1}, "amount"),
    ):
        with pytest.raises(DecisionError, match=words):
            await decide(row(), verdict, **more)
    assert await outbox.waiting_for(OFFICER) == []


async def test_numbers_go_on_after_a_restart_and_after_what_the_backend_knows(
    tmp_path: Path, clock: Clock
) -> None:
    numbers = []
    for _ in range(2):
        outbox = await Outbox.open(tmp_path / "o.db", SEALER)
        decide = decider(outbox, clock).decide
        numbers += [(await decide(row(n), Verdict.APPROVE)).n for n in (1, 2)]
        await outbox.close()
    outbox = await Outbox.open(tmp_path / "o.db", SEALER)
    await outbox.learn_next_n(DEVICE, 10)
    await outbox.learn_next_n(DEVICE, 3)
    numbers.append((await decider(outbox, clock).decide(row(), Verdict.APPROVE)).n)
    other = decider(outbox, clock, device_key(number=2))
    assert (await other.decide(row(), Verdict.APPROVE)).n == 0
    await outbox.close()
    assert numbers == [0, 1, 2, 3, 10]


async def test_a_signing_that_fails_stores_nothing_and_uses_no_number(
    outbox: Outbox, clock: Clock
) -> None:
    class Broken:
        public = b""

        def sign(self, _data: bytes) -> bytes:
            raise ValueError("no key")

    broken = replace(device_key(), key=Broken())  # type: ignore[arg-type]  # a key that fails
    with pytest.raises(ValueError, match="no key"):
        await decider(outbox, clock, broken).decide(row(), Verdict.APPROVE)
    assert (await decider(outbox, clock).decide(row(), Verdict.APPROVE)).n == 0


# --- the file ---


async def test_the_file_is_private_and_holds_nothing_to_read(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "deep" / "outbox.db"
    outbox = await Outbox.open(path, SEALER)
    item = await decider(outbox, clock).decide(row(), Verdict.APPROVE, note="Secret words of hers")
    await due(outbox, clock())
    await outbox.mark_answered(answer_for(item), OutboxState.ACCEPTED)
    files = [file for file in path.parent.iterdir() if not file.name.endswith(".lock")]
    assert files
    for file in files:
        assert file.stat().st_mode & 0o077 == 0
        content = file.read_bytes()
        for text in (
            b"Secret words", b"Mokoena", b"thandi@", b"K7QM3XRA", b"125000", b"approve", b"Done.",
            item.signature,
        ):  # fmt: skip
            assert text not in content
    await outbox.close()


async def test_a_queue_in_memory_ends_with_it(clock: Clock) -> None:
    outbox = await Outbox.open(None, SEALER)
    item = await decider(outbox, clock).decide(row(), Verdict.APPROVE)
    assert [taken.id for taken in await due(outbox, clock())] == [item.id]
    await outbox.close()
    outbox = await Outbox.open(None, SEALER)
    assert await outbox.waiting_for(OFFICER) == []
    await outbox.close()


async def test_what_was_being_sent_when_the_console_ended_is_queued_again(
    tmp_path: Path, clock: Clock
) -> None:
    outbox = await Outbox.open(tmp_path / "o.db", SEALER)
    item = await decider(outbox, clock).decide(row(), Verdict.APPROVE)
    [sent] = await due(outbox, clock())
    assert sent.state is OutboxState.SENDING
    await outbox.close()
    outbox = await Outbox.open(tmp_path / "o.db", SEALER)
    [again] = await due(outbox, clock())
    assert (again.id, again.payload) == (item.id, item.payload)
    await outbox.close()


async def test_an_opening_that_was_given_up_lets_go_of_the_file(tmp_path: Path) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow() -> datetime:
        started.set()
        go_on.wait(30)
        return START

    opening = asyncio.create_task(Outbox.open(tmp_path / "o.db", SEALER, slow))
    await asyncio.to_thread(started.wait, 30)
    opening.cancel()
    await asyncio.wait([opening])
    assert opening.cancelled()
    go_on.set()
    lock = FileLock(tmp_path / "o.db")
    await until(lock.acquire)
    lock.release()
    await (await Outbox.open(tmp_path / "o.db", SEALER)).close()


async def test_a_second_console_and_a_damaged_file_are_told_in_plain_words(
    tmp_path: Path,
) -> None:
    tmp_path.joinpath("o.db").write_bytes(b"no queue")
    outbox = await Outbox.open(tmp_path / "o.db", SEALER)
    [notice] = await outbox.notices()
    assert "was kept" in notice.message
    with pytest.raises(OutboxError, match="Another Bursar console"):
        await Outbox.open(tmp_path / "o.db", SEALER)
    await outbox.dismiss_notice(notice.id)
    assert await outbox.notices() == ()
    await outbox.close()


# --- the queue ---


async def test_one_decision_per_enrollment_at_a_time(outbox: Outbox, clock: Clock) -> None:
    decide = decider(outbox, clock).decide
    first = await decide(row(1), Verdict.APPROVE)
    second = await decide(row(1), Verdict.APPROVE)
    other = await decide(row(2), Verdict.APPROVE)
    assert [item.id for item in await due(outbox, clock())] == [first.id, other.id]
    assert await due(outbox, clock()) == []
    await outbox.mark_postponed(first.id, until=START + timedelta(seconds=1), code="x", message="y")
    assert await due(outbox, clock()) == []
    await outbox.mark_answered(answer_for(first), OutboxState.ACCEPTED)
    assert [item.id for item in await due(outbox, clock())] == [second.id]


async def test_another_officer_cannot_send_it(outbox: Outbox, clock: Clock) -> None:
    await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    stranger = UUID(int=0xBB)
    assert await outbox.next_batch(officer=stranger, now=clock()) == []
    assert await outbox.waiting_for(stranger) == []
    # nor does it hold up somebody else's decision about the same enrollment
    theirs = decider(outbox, clock, device_key(stranger, 2))
    item = await theirs.decide(row(1), Verdict.APPROVE)
    batch = await outbox.next_batch(officer=stranger, now=clock())
    assert [taken.id for taken in batch] == [item.id]


async def test_a_new_key_sends_what_the_one_before_signed_in_order(
    outbox: Outbox, clock: Clock
) -> None:
    """What is signed needs no key any more."""
    before, after = decider(outbox, clock), decider(outbox, clock, device_key(number=2))
    first = await before.decide(row(1), Verdict.APPROVE)
    second = await after.decide(row(1), Verdict.REJECT, reason=ReasonCode.OTHER)
    other = await after.decide(row(2), Verdict.APPROVE)
    assert (first.n, second.n) == (0, 0)
    assert [item.id for item in await due(outbox, clock())] == [first.id, other.id]
    assert await outbox.next_due(OFFICER) is None  # the second waits for an answer, not for a time
    await outbox.mark_answered(answer_for(first), OutboxState.ACCEPTED)
    assert await outbox.next_due(OFFICER) == second.not_before
    assert [item.id for item in await due(outbox, clock())] == [second.id]


async def test_a_postponed_decision_waits_for_its_time(outbox: Outbox, clock: Clock) -> None:
    item = await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    await due(outbox, clock())
    later = clock() + timedelta(seconds=5)
    changed = await outbox.mark_postponed(item.id, until=later, code="busy", message="Busy.")
    assert changed is not None
    assert (changed.state, changed.attempts, changed.reason_code) == (
        OutboxState.QUEUED, 1, "busy",
    )  # fmt: skip
    assert await outbox.next_due(OFFICER) == later
    assert await due(outbox, clock()) == []
    clock.forward(5)
    assert len(await due(outbox, clock())) == 1
    assert await outbox.next_due(OFFICER) is None


async def test_a_clock_that_was_set_back_does_not_hold_a_decision(
    outbox: Outbox, clock: Clock
) -> None:
    await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    clock.forward(-86_400)
    assert len(await due(outbox, clock())) == 1


async def test_released_decisions_are_due_now(outbox: Outbox, clock: Clock) -> None:
    item = await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    await due(outbox, clock())
    later = clock() + timedelta(seconds=20)
    await outbox.mark_postponed(item.id, until=later, code="x", message="y")
    await outbox.release(OFFICER, clock())
    assert len(await due(outbox, clock())) == 1


async def test_a_final_answer_stays(outbox: Outbox, clock: Clock) -> None:
    item = await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    await due(outbox, clock())
    answered = await outbox.mark_answered(answer_for(item), OutboxState.ACCEPTED)
    assert answered.answer == answer_for(item)
    refused = answer_for(item, AnswerKind.REFUSED)
    for changed in (
        await outbox.mark_answered(refused, OutboxState.REFUSED),
        await outbox.mark_needs_person(item.id, code="x", message="y"),
        await outbox.retry(item.id, clock()),
        await outbox.get(item.id),
    ):
        assert changed == answered
    assert await outbox.mark_postponed(item.id, until=clock(), code="x", message="y") is None
    assert await outbox.waiting_for(OFFICER) == []
    assert await outbox.open_for(OFFICER) == []


async def test_a_person_can_try_again(outbox: Outbox, clock: Clock) -> None:
    item = await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    await due(outbox, clock())
    stuck = await outbox.mark_needs_person(item.id, code="bad", message="Bad.")
    assert stuck.state is OutboxState.NEEDS_PERSON
    assert await due(outbox, clock()) == []
    assert [found.id for found in await outbox.open_for(OFFICER)] == [item.id]
    await outbox.retry(item.id, clock())
    assert len(await due(outbox, clock())) == 1


async def test_from_the_first_click_to_forgetting(outbox: Outbox, clock: Clock) -> None:
    decide = decider(outbox, clock).decide
    made = [await decide(row(n), Verdict.APPROVE) for n in (1, 2, 3)]
    batch = await outbox.next_batch(officer=OFFICER, now=clock(), limit=2)
    assert [item.id for item in batch] == [item.id for item in made[:2]]
    answers = [
        (answer_for(made[0]), OutboxState.ACCEPTED),
        (answer_for(made[1], AnswerKind.REFUSED), OutboxState.REFUSED),
    ]
    changed = await outbox.mark_answered_many(answers)
    assert [item.state for item in changed] == [OutboxState.ACCEPTED, OutboxState.REFUSED]
    await due(outbox, clock())
    [later] = await outbox.mark_postponed_many(
        [made[2].id], until=lambda item: item.created_at, code="x", message="y"
    )
    assert (later.attempts, later.not_before) == (1, made[2].created_at)
    assert await outbox.summary(OFFICER) == OutboxSummary(1, made[2].created_at, 1)
    assert await outbox.others_waiting(UUID(int=0xBB)) == 1
    assert [item.id for item in await outbox.unconfirmed(OFFICER, 10)] == [made[0].id]
    await outbox.mark_confirmed([made[0].id])
    await outbox.dismiss(made[1].id)
    assert [item.id for item in await outbox.open_for(OFFICER)] == [made[2].id]
    assert len(await outbox.history_for(OFFICER, 10)) == 2
    assert await outbox.prune(clock() + timedelta(days=31), keep=0) == 2
    assert await outbox.history_for(OFFICER, 10) == []


async def test_a_decision_that_is_not_there(outbox: Outbox) -> None:
    with pytest.raises(OutboxError, match="not in the outbox"):
        await outbox.get(UUID(int=404))
