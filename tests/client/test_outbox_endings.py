"""How items of the queue end: answered in bulk, withdrawn, dismissed, confirmed, forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from core.client.errors import DecisionError
from core.client.outbox import ItemKind, Outbox, OutboxState, OutboxSummary
from core.domain.decisions import Verdict
from core.ledger.keys import verify
from core.protocol.messages import AnswerKind
from core.protocol.signing import Withdrawal, read_withdrawal
from tests.client.build import OFFICER, START, Clock, decider, device_key
from tests.client.queueing import (
    COLLEAGUE,
    DEVICE,
    answer_for,
    decide,
    due,
    edit,
    ids,
    opened,
    settle,
    take_back,
    taken,
)
from tests.protocol.build import row

LATER = START + timedelta(days=31)


def clock_of(start: datetime, *, seconds: int) -> Callable[[], datetime]:
    """Goes on by so much whenever it is asked."""
    times = count()
    return lambda: start + timedelta(seconds=seconds * next(times))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "o.db"


# --- many at once ---


def test_many_answers_are_stored_together_and_only_changes_are_told(path: Path) -> None:
    with opened(path) as file:
        items = [decide(file, number, number) for number in (1, 2, 3)]
        taken(file)
        settle(file, items[0])
        accepted, refused = OutboxState.ACCEPTED, OutboxState.REFUSED
        changed = file.answer_many(
            [
                (answer_for(items[0], AnswerKind.REFUSED), refused),
                (answer_for(items[1]), accepted),
                (answer_for(items[1], AnswerKind.REFUSED), refused),
                (answer_for(items[2], AnswerKind.REFUSED), refused),
            ]
        )
        assert [(item.id.int, item.state) for item in changed] == [(2, accepted), (3, refused)]
        assert [item.settled_at for item in changed] == [START, START]
        assert file.get(UUID(int=1)).state is accepted


def test_many_are_put_off_each_by_its_own_tries(path: Path) -> None:
    with opened(path) as file:
        for number in (1, 2, 3):
            decide(file, number, number)
        taken(file, limit=1)
        file.postpone(UUID(int=1), until=START, code="x", message="y")
        assert ids(taken(file, limit=2)) == [1, 2]
        changed = file.postpone_many(
            [UUID(int=number) for number in (1, 2, 3)],
            until=lambda item: START + timedelta(seconds=1 + item.attempts),
            code="unreachable",
            message="No network.",
        )
        assert ids(changed) == [1, 2]
        assert [(item.not_before - START).seconds for item in changed] == [2, 1]
        assert {item.reason_code for item in changed} == {"unreachable"}
        assert ids(taken(file)) == [3]


def test_what_waits_for_a_later_time_can_be_tried_now(path: Path) -> None:
    with opened(path) as file:
        item = decide(file, 1)
        taken(file)
        file.postpone(item.id, until=START + timedelta(seconds=20), code="x", message="y")
        assert taken(file) == []
        file.retry(item.id, START)
        assert ids(taken(file)) == [1]


# --- withdrawing ---


async def test_a_withdrawal_is_signed_and_takes_the_decisions_number(
    outbox: Outbox, clock: Clock
) -> None:
    her = decider(outbox, clock)
    await her.decide(row(2), Verdict.APPROVE)
    item = await her.decide(row(1), Verdict.APPROVE, note="words")
    clock.forward(60)
    decision, withdrawal = await her.withdraw(item)
    assert (decision.id, decision.state) == (item.id, OutboxState.WITHDRAWN)
    assert (withdrawal.kind, withdrawal.withdraws) == (ItemKind.WITHDRAWAL, item.id)
    assert withdrawal.created_at == clock()
    assert withdrawal.note is None
    assert read_withdrawal(withdrawal.payload) == Withdrawal(
        id=withdrawal.id, officer=OFFICER, device=DEVICE, n=1, decision=item.id,
        enrollment=UUID(int=1),
    )  # fmt: skip
    assert verify(device_key().key.public, withdrawal.payload, withdrawal.signature)
    assert await outbox.get(withdrawal.id) == withdrawal
    assert [one.kind for one in await due(outbox, clock())] == [
        ItemKind.DECISION, ItemKind.WITHDRAWAL,
    ]  # fmt: skip
    third = await her.decide(row(3), Verdict.APPROVE)
    assert third.n == 2


async def test_only_the_key_that_signed_it_withdraws_it(outbox: Outbox, clock: Clock) -> None:
    item = await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    for key, words in (
        (device_key(number=2), "revoke that key: then it ends refused"),
        (device_key(COLLEAGUE), "Only the officer who signed it"),
    ):
        with pytest.raises(DecisionError, match=words):
            await decider(outbox, clock, key).withdraw(item)
    assert [one.id for one in await due(outbox, clock())] == [item.id]


@pytest.mark.parametrize("state", ["sending", "accepted", "refused", "conflict", "withdrawn"])
def test_what_does_not_wait_is_not_discarded(path: Path, state: str) -> None:
    with opened(path) as file:
        item = decide(file, 1)
        if state == "withdrawn":
            take_back(file, item, 9)
        else:
            taken(file)
        if state in {"accepted", "refused", "conflict"}:
            settle(file, item, OutboxState(state))
        before = file.get(item.id)
        with pytest.raises(DecisionError):
            take_back(file, item, 10)
        assert file.get(item.id) == before


def test_a_withdrawal_is_not_withdrawn_itself(path: Path) -> None:
    with opened(path) as file:
        _, withdrawal = take_back(file, decide(file, 1), 9)
        with pytest.raises(DecisionError, match="withdrawal"):
            take_back(file, withdrawal, 10)


def test_what_needed_a_person_can_be_discarded(path: Path) -> None:
    with opened(path) as file:
        item = decide(file, 1)
        file.give_to_person(item.id, code="bad", message="Bad.")
        take_back(file, item, 9)
        assert ids(taken(file)) == [9]


def test_a_withdrawal_waits_for_what_was_decided_before_it(path: Path) -> None:
    with opened(path) as file:
        decide(file, 1)
        second = decide(file, 2)
        assert ids(taken(file)) == [1]
        take_back(file, second, 9)
        assert taken(file) == []
        settle(file, file.get(UUID(int=1)))
        assert ids(taken(file)) == [9]


def test_an_accepted_withdrawal_settles_the_decision(path: Path) -> None:
    with opened(path) as file:
        decision, withdrawal = take_back(file, decide(file, 1), 9)
        assert not decision.is_settled
        assert ids(file.open_for(OFFICER)) == [1, 9]
        taken(file)
        answer = answer_for(withdrawal, code="withdrawn")
        first, second = file.answer_many([(answer, OutboxState.ACCEPTED)])
        assert (first.id, first.state) == (withdrawal.id, OutboxState.ACCEPTED)
        assert (second.id, second.state) == (decision.id, OutboxState.WITHDRAWN)
        assert second.is_settled
        assert file.open_for(OFFICER) == []
        assert ids(file.history_for(OFFICER, 10)) == [9, 1]


def test_a_withdrawal_that_came_too_late_shows_the_decision_as_carried_out(path: Path) -> None:
    with opened(path) as file:
        decision, withdrawal = take_back(file, decide(file, 1), 9)
        taken(file)
        answer = answer_for(withdrawal, AnswerKind.REFUSED, code="already_decided")
        _, carried_out = file.answer_many([(answer, OutboxState.REFUSED)])
        assert (carried_out.id, carried_out.state) == (decision.id, OutboxState.ACCEPTED)
        assert carried_out.answer is not None
        assert carried_out.answer.index == answer.index
        assert (carried_out.answer.id, carried_out.answer.kind) == (
            decision.id, AnswerKind.ACCEPTED,
        )  # fmt: skip
        assert file.get(withdrawal.id).state is OutboxState.REFUSED
        assert ids(file.unconfirmed(OFFICER, 10)) == [1]


def test_a_withdrawal_refused_for_another_reason_leaves_the_decision_withdrawn(path: Path) -> None:
    with opened(path) as file:
        decision, withdrawal = take_back(file, decide(file, 1), 9)
        taken(file)
        settle(file, withdrawal, OutboxState.REFUSED)
        after = file.get(decision.id)
        assert (after.state, after.is_settled) == (OutboxState.WITHDRAWN, True)
        assert ids(file.open_for(OFFICER)) == [9]


def test_a_decision_whose_withdrawal_was_damaged_asks_for_its_officer(path: Path) -> None:
    with opened(path) as file:
        take_back(file, decide(file, 1), 9)
    edit(path, "UPDATE items SET officer = 'nobody' WHERE kind = 'withdrawal'")
    with opened(path) as file:
        [item] = file.open_for(OFFICER)
        assert (item.state, item.reason_code) == (OutboxState.NEEDS_PERSON, "withdrawal_lost")
        assert len(file.notices()) == 1
        take_back(file, item, 10)
        assert ids(taken(file)) == [10]


# --- lists ---


def test_a_final_one_is_dismissed_and_moves_to_the_history(path: Path) -> None:
    with opened(path) as file:
        item = decide(file, 1)
        for state in (OutboxState.QUEUED, OutboxState.SENDING):
            assert file.get(item.id).state is state
            with pytest.raises(DecisionError, match="no final answer"):
                file.dismiss(item.id)
            taken(file)
        settle(file, item, OutboxState.REFUSED)
        assert file.summary(OFFICER) == OutboxSummary(0, None, 1)
        assert file.dismiss(item.id).dismissed
        assert file.summary(OFFICER) == OutboxSummary(0, None, 0)
        assert file.open_for(OFFICER) == []
        assert ids(file.history_for(OFFICER, 10)) == [1]


def test_the_summary_counts_what_waits_and_what_needs_eyes(path: Path) -> None:
    with opened(path) as file:
        for number in (1, 2, 3, 4):
            decide(file, number, number, at=START + timedelta(minutes=number))
        decide(file, 5, officer=COLLEAGUE, device=UUID(int=7))
        file.give_to_person(UUID(int=1), code="x", message="y")
        taken(file, LATER, limit=1)
        settle(file, file.get(UUID(int=2)), OutboxState.CONFLICT)
        assert file.summary(OFFICER) == OutboxSummary(2, START + timedelta(minutes=3), 2)
        assert file.others_waiting(OFFICER) == 1
        assert file.others_waiting(COLLEAGUE) == 2


def test_the_history_is_newest_first_and_limited(path: Path) -> None:
    clock = Clock()
    with opened(path, now=clock) as file:
        items = [decide(file, number, number) for number in (1, 2, 3)]
        taken(file)
        for item in (items[1], items[0], items[2]):
            clock.forward(1)
            settle(file, item)
        assert ids(file.history_for(OFFICER, 10)) == [3, 1, 2]
        assert ids(file.history_for(OFFICER, 2)) == [3, 1]
        assert file.history_for(COLLEAGUE, 10) == []


def test_what_was_held_against_the_ledger_is_not_checked_again(path: Path) -> None:
    with opened(path) as file:
        items = [decide(file, number, number) for number in (1, 2, 3)]
        taken(file)
        settle(file, items[0])
        settle(file, items[1])
        settle(file, items[2], OutboxState.REFUSED)
        assert ids(file.unconfirmed(OFFICER, 10)) == [1, 2]
        assert ids(file.unconfirmed(OFFICER, 1)) == [1]
        file.mark_confirmed([items[0].id, UUID(int=404)])
    with opened(path) as file:
        assert ids(file.unconfirmed(OFFICER, 10)) == [2]


def test_only_what_ended_long_ago_and_needs_nobody_is_forgotten(path: Path) -> None:
    with opened(path) as file:
        for number in range(1, 9):
            decide(file, number, number)
        take_back(file, file.get(UUID(int=7)), 17)
        take_back(file, file.get(UUID(int=8)), 18)
        taken(file, limit=5)
        settle(file, file.get(UUID(int=1)))  # accepted, to be confirmed
        settle(file, file.get(UUID(int=2)))
        settle(file, file.get(UUID(int=3)), OutboxState.REFUSED)
        settle(file, file.get(UUID(int=4)), OutboxState.CONFLICT)
        file.dismiss(UUID(int=4))
        file.give_to_person(UUID(int=5), code="x", message="y")
        file.answer(answer_for(file.get(UUID(int=17)), code="withdrawn"), OutboxState.ACCEPTED)
        file.mark_confirmed([UUID(int=2), UUID(int=17)])
        assert file.prune(START + timedelta(days=30), keep=0) == 0
        assert file.prune(LATER, keep=0) == 4
        assert ids(file.open_for(OFFICER)) == [3, 5, 6, 8, 18]
        assert ids(file.history_for(OFFICER, 10)) == [1]
        assert decide(file, 20, 20).n == 8


def test_a_clock_that_is_years_ahead_leaves_the_newest_endings(path: Path) -> None:
    with opened(path, now=clock_of(START, seconds=1)) as file:
        for number in range(1, 6):
            item = decide(file, number, number)
            taken(file)
            settle(file, item)
        hers = decide(file, 6, 6, officer=COLLEAGUE)
        file.next_batch(officer=COLLEAGUE, now=START, limit=1)
        settle(file, hers)
        file.mark_confirmed([UUID(int=number) for number in range(1, 7)])
        assert file.prune(START + timedelta(days=3000)) == 0
        assert file.prune(START + timedelta(days=3000), keep=3) == 2
        assert ids(file.history_for(OFFICER, 10)) == [5, 4, 3]
        assert ids(file.history_for(COLLEAGUE, 10)) == [6]


def test_a_decision_and_its_withdrawal_are_forgotten_together(path: Path) -> None:
    with opened(path) as file:
        taken_back = decide(file, 1, 1)
        take_back(file, taken_back, 11)
        file.answer(answer_for(file.get(UUID(int=11)), code="withdrawn"), OutboxState.ACCEPTED)
        file.mark_confirmed([UUID(int=11)])
        assert file.prune(LATER, keep=1) == 0
        assert ids(file.history_for(OFFICER, 10)) == [11, 1]
        assert file.prune(LATER, keep=0) == 2


def test_a_notice_stays_until_somebody_read_it(path: Path) -> None:
    path.write_bytes(b"no queue")
    with opened(path) as file:
        [notice] = file.notices()
    with opened(path) as file:
        assert file.notices() == (notice,)
        file.dismiss_notice(notice.id)
        assert file.notices() == ()
