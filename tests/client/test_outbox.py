"""The durable queue: nothing is lost, nothing is sent by the wrong person, order is kept."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.client.errors import DecisionError, OutboxError
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.client.sealing import Sealer
from core.domain.decisions import ReasonCode, Verdict
from core.ledger.commitments import commit
from core.ledger.keys import verify
from core.protocol.messages import AnswerKind, DecisionAnswer
from core.protocol.signing import read_decision, seen_digest, seen_facts
from tests.client.build import OFFICER, START, Clock, decider, device_key
from tests.protocol.build import row

DEVICE = device_key().id
SEALER = Sealer(b"k" * 32)


async def due(outbox: Outbox, clock: Clock) -> list[OutboxItem]:
    return await outbox.next_batch(officer=OFFICER, device=DEVICE, now=clock())


def answer_for(item: OutboxItem, kind: AnswerKind = AnswerKind.ACCEPTED) -> DecisionAnswer:
    return DecisionAnswer(id=item.id, kind=kind, code=kind.value, message="Done.", index=5)


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


async def test_the_file_is_private_and_holds_no_words(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "deep" / "outbox.db"
    outbox = await Outbox.open(path, SEALER)
    await decider(outbox, clock).decide(row(), Verdict.APPROVE, note="Secret words of hers")
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0
        content = file.read_bytes()
        for text in (b"Secret words", b"Mokoena", b"thandi@"):
            assert text not in content
    await outbox.close()


async def test_a_note_whose_key_is_gone_is_lost_and_says_so(tmp_path: Path, clock: Clock) -> None:
    outbox = await Outbox.open(tmp_path / "o.db", SEALER)
    await decider(outbox, clock).decide(row(), Verdict.APPROVE, note="words")
    await outbox.close()
    outbox = await Outbox.open(tmp_path / "o.db", Sealer(b"x" * 32))
    [item] = await outbox.waiting_for(OFFICER)
    assert item.note is None
    assert item.note_lost
    await outbox.close()


@pytest.mark.parametrize("content", [b"not a database at all, certainly not" * 100])
async def test_a_file_that_is_no_queue_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "o.db"
    path.write_bytes(content)
    with pytest.raises(OutboxError):
        await Outbox.open(path, SEALER)


async def test_a_queue_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(OutboxError, match="version"):
        await Outbox.open(path, SEALER)


async def test_what_was_being_sent_when_the_console_ended_is_queued_again(
    tmp_path: Path, clock: Clock
) -> None:
    outbox = await Outbox.open(tmp_path / "o.db", SEALER)
    item = await decider(outbox, clock).decide(row(), Verdict.APPROVE)
    [taken] = await due(outbox, clock)
    assert taken.state is OutboxState.SENDING
    await outbox.close()
    outbox = await Outbox.open(tmp_path / "o.db", SEALER)
    [again] = await due(outbox, clock)
    assert (again.id, again.payload) == (item.id, item.payload)
    await outbox.close()


# --- the queue ---


async def test_one_decision_per_enrollment_at_a_time(outbox: Outbox, clock: Clock) -> None:
    decide = decider(outbox, clock).decide
    first = await decide(row(1), Verdict.APPROVE)
    second = await decide(row(1), Verdict.APPROVE)
    other = await decide(row(2), Verdict.APPROVE)
    assert [item.id for item in await due(outbox, clock)] == [first.id, other.id]
    assert await due(outbox, clock) == []
    await outbox.mark_postponed(first.id, until=START + timedelta(seconds=1), code="x", message="y")
    assert await due(outbox, clock) == []
    await outbox.mark_answered(answer_for(first), OutboxState.ACCEPTED)
    assert [item.id for item in await due(outbox, clock)] == [second.id]


async def test_another_officer_or_device_cannot_send_it(outbox: Outbox, clock: Clock) -> None:
    await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    stranger = UUID(int=0xBB)
    assert await outbox.next_batch(officer=stranger, device=DEVICE, now=clock()) == []
    assert await outbox.next_batch(officer=OFFICER, device=UUID(int=1), now=clock()) == []
    assert await outbox.waiting_for(stranger) == []
    # nor does it hold up somebody else's decision about the same enrollment
    theirs = decider(outbox, clock, device_key(stranger, 2))
    item = await theirs.decide(row(1), Verdict.APPROVE)
    batch = await outbox.next_batch(officer=stranger, device=item.device, now=clock())
    assert [taken.id for taken in batch] == [item.id]


async def test_a_postponed_decision_waits_for_its_time(outbox: Outbox, clock: Clock) -> None:
    item = await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    await due(outbox, clock)
    later = clock() + timedelta(seconds=5)
    changed = await outbox.mark_postponed(item.id, until=later, code="busy", message="Busy.")
    assert changed is not None
    assert (changed.state, changed.attempts, changed.reason_code) == (
        OutboxState.QUEUED, 1, "busy",
    )  # fmt: skip
    assert await outbox.next_due(OFFICER, DEVICE) == later
    assert await due(outbox, clock) == []
    clock.forward(5)
    assert len(await due(outbox, clock)) == 1
    assert await outbox.next_due(OFFICER, DEVICE) is None


async def test_a_clock_that_was_set_back_does_not_hold_a_decision(
    outbox: Outbox, clock: Clock
) -> None:
    await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    clock.forward(-86_400)
    assert len(await due(outbox, clock)) == 1


async def test_released_decisions_are_due_now(outbox: Outbox, clock: Clock) -> None:
    item = await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    await due(outbox, clock)
    later = clock() + timedelta(seconds=20)
    await outbox.mark_postponed(item.id, until=later, code="x", message="y")
    await outbox.release(OFFICER, clock())
    assert len(await due(outbox, clock)) == 1


async def test_a_final_answer_stays(outbox: Outbox, clock: Clock) -> None:
    item = await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    await due(outbox, clock)
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
    await due(outbox, clock)
    stuck = await outbox.mark_needs_person(item.id, code="bad", message="Bad.")
    assert stuck.state is OutboxState.NEEDS_PERSON
    assert await due(outbox, clock) == []
    assert [found.id for found in await outbox.open_for(OFFICER)] == [item.id]
    await outbox.retry(item.id, clock())
    assert len(await due(outbox, clock)) == 1


async def test_a_decision_that_is_not_there(outbox: Outbox) -> None:
    with pytest.raises(OutboxError, match="not in the outbox"):
        await outbox.get(UUID(int=404))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=70), st.integers(0, 2**32))
def test_every_decision_is_sent_once_and_in_order_per_enrollment(
    enrollments: list[int], seed: int
) -> None:
    chance = random.Random(seed)

    async def play(folder: str) -> None:
        clock = Clock()
        outbox = await Outbox.open(Path(folder) / "o.db", SEALER)
        decide = decider(outbox, clock).decide
        made = [await decide(row(n), Verdict.APPROVE) for n in enrollments]
        sent: list[OutboxItem] = []
        while batch := await due(outbox, clock):
            assert len(batch) <= 50
            for item in batch:
                if chance.random() < 0.3:
                    await outbox.mark_postponed(item.id, until=clock(), code="x", message="y")
                else:
                    sent.append(await outbox.mark_answered(answer_for(item), OutboxState.ACCEPTED))
        await outbox.close()
        for number in set(enrollments):
            expected = [item.id for item in made if item.enrollment.int == number]
            assert [item.id for item in sent if item.enrollment.int == number] == expected

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(folder))
