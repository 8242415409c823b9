"""The queue against a plain model, events in any order: nothing lost, nothing twice, in order."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.client.errors import DecisionError
from core.client.outbox import FINAL_STATES, ItemKind, OutboxItem, OutboxState
from core.client.outbox_file import OutboxFile
from core.protocol.messages import AnswerKind
from tests.client.build import OFFICER, Clock
from tests.client.queueing import (
    COLLEAGUE,
    DEVICE,
    SEALER,
    answer_for,
    decide,
    take_back,
)

QUEUED, SENDING = OutboxState.QUEUED, OutboxState.SENDING
ACCEPTED, REFUSED = OutboxState.ACCEPTED, OutboxState.REFUSED
NEEDS_PERSON, WITHDRAWN = OutboxState.NEEDS_PERSON, OutboxState.WITHDRAWN
# An earlier key of each, and the one that signs now.
DEVICES = {OFFICER: (UUID(int=0xD8), DEVICE), COLLEAGUE: (UUID(int=0xD7), UUID(int=0xD9))}
CHOICE = st.integers(0, 2**16)


@dataclass
class Expected:
    """One item as the model knows it. Not frozen: the model is what changes."""

    number: int
    officer: UUID
    enrollment: int
    payload: bytes
    state: OutboxState = QUEUED
    due: timedelta = timedelta()
    settled: bool = False
    dismissed: bool = False
    withdraws: Expected | None = None


class Queue(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "o.db"
        self.clock = Clock()
        self.start = self.clock()
        self.items: list[Expected] = []
        self.made = 0
        self.file = OutboxFile(self.path, SEALER, self.clock)

    def teardown(self) -> None:
        self.file.close()
        self.folder.cleanup()

    def pick(self, choice: int, *states: OutboxState) -> Expected | None:
        fitting = [item for item in self.items if not states or item.state in states]
        return fitting[choice % len(fitting)] if fitting else None

    def next_number(self) -> int:
        self.made += 1
        return self.made

    # --- what happens ---

    @initialize()
    def two_wait(self) -> None:
        self.add(1, OFFICER)
        self.add(1, OFFICER)

    @rule(
        enrollment=st.integers(1, 3),
        officer=st.sampled_from([OFFICER, OFFICER, COLLEAGUE]),
        key=st.integers(0, 1),
    )
    def add(self, enrollment: int, officer: UUID, key: int = 0) -> None:
        number, at = self.next_number(), self.clock()
        device = DEVICES[officer][key]
        item = decide(self.file, number, enrollment, officer=officer, device=device, at=at)
        self.items.append(Expected(number, officer, enrollment, item.payload, due=at - self.start))

    @rule(officer=st.sampled_from([OFFICER, OFFICER, COLLEAGUE]), limit=st.integers(1, 4))
    def take(self, officer: UUID, limit: int) -> None:
        now = self.clock() - self.start
        expected: list[Expected] = []
        busy: set[int] = set()
        for item in self.items:
            if item.officer != officer or item.state not in {QUEUED, SENDING}:
                continue
            if item.state is QUEUED and item.enrollment not in busy and item.due <= now:
                expected.append(item)
            busy.add(item.enrollment)
        batch = self.file.next_batch(officer=officer, now=self.clock(), limit=limit)
        assert [item.id.int for item in batch] == [item.number for item in expected[:limit]]
        for item, sent in zip(expected, batch, strict=False):
            assert (sent.payload, sent.state) == (item.payload, SENDING)
            item.state = SENDING

    @rule(choice=CHOICE, state=st.sampled_from([ACCEPTED, REFUSED, OutboxState.CONFLICT]))
    def answer(self, choice: int, state: OutboxState) -> None:
        if (item := self.pick(choice, SENDING)) is None:
            return
        kinds = {ACCEPTED: AnswerKind.ACCEPTED, REFUSED: AnswerKind.REFUSED}
        answer = answer_for(self.stored(item), kinds.get(state, AnswerKind.CONFLICT_DECIDED))
        # Told twice, as after a lost answer: the second changes nothing.
        changed = self.file.answer_many([(answer, state), (answer, REFUSED)])
        item.state, item.settled = state, True
        told = [item]
        if item.withdraws is not None:
            item.withdraws.settled = True
            told.append(item.withdraws)
        assert [one.id.int for one in changed] == [one.number for one in told]

    @rule(choice=CHOICE)
    def withdrawal_came_too_late(self, choice: int) -> None:
        sent = [item for item in self.items if item.withdraws and item.state is SENDING]
        if not sent:
            return
        item = sent[choice % len(sent)]
        answer = answer_for(self.stored(item), AnswerKind.REFUSED, code="already_decided")
        self.file.answer_many([(answer, REFUSED)])
        item.state, item.settled = REFUSED, True
        assert item.withdraws is not None
        item.withdraws.state, item.withdraws.settled = ACCEPTED, True

    @rule(choice=CHOICE, seconds=st.integers(0, 20))
    def postpone(self, choice: int, seconds: int) -> None:
        if (item := self.pick(choice)) is None:
            return
        until = self.clock() + timedelta(seconds=seconds)
        changed = self.file.postpone(UUID(int=item.number), until=until, code="x", message="y")
        assert (changed is not None) == (item.state is SENDING)
        if changed is not None:
            item.state, item.due = QUEUED, until - self.start

    @rule(choice=CHOICE)
    def get_stuck(self, choice: int) -> None:
        if item := self.pick(choice, QUEUED, SENDING):
            self.file.give_to_person(UUID(int=item.number), code="x", message="y")
            item.state = NEEDS_PERSON

    @rule(choice=CHOICE)
    def retry(self, choice: int) -> None:
        if (item := self.pick(choice)) is None:
            return
        self.file.retry(UUID(int=item.number), self.clock())
        if item.state in {QUEUED, NEEDS_PERSON}:
            item.state, item.due = QUEUED, self.clock() - self.start

    @rule(choice=CHOICE)
    def discard(self, choice: int) -> None:
        if (item := self.pick(choice)) is None:
            return
        stored, number = self.stored(item), self.next_number()
        if item.state in {QUEUED, NEEDS_PERSON} and item.withdraws is None:
            _, withdrawal = take_back(self.file, stored, number)
            item.state = WITHDRAWN
            self.items.append(
                Expected(number, item.officer, item.enrollment, withdrawal.payload, withdraws=item)
            )
        else:
            with pytest.raises(DecisionError):
                take_back(self.file, stored, number)

    @rule(choice=CHOICE, over=st.booleans())
    def dismiss(self, choice: int, over: bool) -> None:
        if (item := self.pick(choice, *(FINAL_STATES if over else ()))) is None:
            return
        if item.settled:
            self.file.dismiss(UUID(int=item.number))
            item.dismissed = True
        else:
            with pytest.raises(DecisionError):
                self.file.dismiss(UUID(int=item.number))

    @rule(seconds=st.integers(1, 15))
    def time_passes(self, seconds: int) -> None:
        self.clock.forward(seconds)

    @rule()
    def release(self) -> None:
        self.file.release(OFFICER, self.clock())
        now = self.clock() - self.start
        for item in self.items:
            if item.officer == OFFICER and item.state is QUEUED:
                item.due = min(item.due, now)

    @rule()
    def restart(self) -> None:
        """As after a crash too: every change above was on the disk when it returned."""
        self.file.close()
        self.file = OutboxFile(self.path, SEALER, self.clock)
        self.file.sweep()
        for item in self.items:
            if item.state is SENDING:
                item.state = QUEUED

    @precondition(lambda self: any(item.settled for item in self.items))
    @rule()
    def forget(self) -> None:
        """What ended is confirmed and forgotten, but not what its officer still has to see."""
        over = [
            item
            for item in self.items
            if item.settled and (item.state in {ACCEPTED, WITHDRAWN} or item.dismissed)
        ]
        self.file.mark_confirmed([UUID(int=item.number) for item in over])
        assert self.file.prune(self.clock() + timedelta(days=31), keep=0) == len(over)
        self.items = [item for item in self.items if item not in over]

    # --- what always holds ---

    def stored(self, item: Expected) -> OutboxItem:
        return self.file.get(UUID(int=item.number))

    @invariant()
    def every_item_is_on_exactly_one_list(self) -> None:
        for officer in (OFFICER, COLLEAGUE):
            mine = [item for item in self.items if item.officer == officer]
            over = {
                item.number
                for item in mine
                if item.dismissed
                or item.state is ACCEPTED
                or (item.state is WITHDRAWN and item.settled)
            }
            shown = self.file.open_for(officer)
            assert [(one.id.int, one.state) for one in shown] == [
                (item.number, item.state) for item in mine if item.number not in over
            ]
            assert {one.id.int for one in self.file.history_for(officer, 1000)} == over
            waiting = sum(item.state in {QUEUED, SENDING} for item in mine)
            assert self.file.summary(officer).waiting == waiting
        assert self.file.notices() == ()

    @invariant()
    def what_is_told_of_an_item_fits_together(self) -> None:
        for item in self.items:
            stored = self.stored(item)
            assert stored.payload == item.payload
            assert (stored.kind is ItemKind.WITHDRAWAL) == (item.withdraws is not None)
            assert stored.is_settled == item.settled
            assert not (item.settled and item.state not in FINAL_STATES)


Queue.TestCase.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
TestQueue = Queue.TestCase
