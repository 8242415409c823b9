"""The connection's state machine: never two tries, never a flicker, never stuck."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.client.backoff import CAP_SECONDS, FIRST_SECONDS, delay
from core.client.connection import (
    GRACE_SECONDS,
    Connect,
    ConnectionMachine,
    ConnectionState,
    Reaction,
    Step,
    Stop,
    after_close,
    after_handshake,
)
from core.protocol.messages import CloseCode

LIVE, LOST, CONNECTING = ConnectionState.LIVE, ConnectionState.LOST, ConnectionState.CONNECTING
FINAL = {ConnectionState.REFUSED, ConnectionState.SIGNED_OUT, ConnectionState.ALARM}


def machine(jitter: float = 1.0) -> ConnectionMachine:
    return ConnectionMachine(jitter=lambda: jitter)


def went_live(made: ConnectionMachine, now: float = 0.0) -> ConnectionMachine:
    made.start(now)
    made.connecting(now)
    made.opened(now)
    made.live(now)
    return made


def after(reaction: Reaction) -> float:
    assert isinstance(reaction.action, Connect)
    return reaction.action.after


def test_a_short_loss_shows_nothing_and_a_long_one_shows_after_the_grace() -> None:
    made = went_live(machine())
    lost = made.closed(1012, 100.0)
    assert (lost.status.state, after(lost), lost.look_at) == (LIVE, FIRST_SECONDS, 102.0)
    assert made.connecting(100.5).status.state is LIVE
    assert made.opened(101.0).status.state is LIVE
    assert made.look(101.9).status.state is LIVE
    shown = made.look(102.0)
    assert (shown.status.state, shown.look_at) == (LOST, None)
    assert made.live(102.1).status.state is LIVE


def test_a_loss_is_shown_at_once_when_no_try_can_come_within_the_grace() -> None:
    made = went_live(machine())
    now, states = 100.0, []
    reaction = made.closed(None, now)
    while reaction.status.state is LIVE:
        states.append(now - 100.0)
        now += after(reaction)
        made.connecting(now)
        reaction = made.unreachable(now)
    assert now - 100.0 == FIRST_SECONDS + 2 * FIRST_SECONDS  # the third try comes too late
    made.connecting(now + after(reaction))
    assert made.opened(now + after(reaction)).status.state is LOST  # no "connecting" in between


def test_at_the_first_start_a_failure_is_not_a_loss_yet() -> None:
    made = machine()
    assert made.start(0.0).status.state is CONNECTING
    made.connecting(0.0)
    assert made.look(60.0).look_at is None  # a slow first try
    failed = made.unreachable(60.0)
    assert (failed.status.state, failed.look_at) == (CONNECTING, 62.0)
    assert made.look(62.0).status.state is LOST


def test_a_person_who_asks_sees_that_it_is_tried() -> None:
    made = went_live(machine())
    made.closed(None, 100.0)
    made.look(102.0)
    asked = made.retry_now(103.0)
    assert (asked.status.state, asked.action) == (CONNECTING, Connect(0.0))
    made.connecting(103.0)
    assert made.retry_now(103.5).action is None  # it is being tried
    assert made.unreachable(104.0).status.state is CONNECTING
    assert made.look(106.0).status.state is LOST


def test_a_token_is_renewed_twice_before_the_session_counts_as_ended() -> None:
    made = went_live(machine())
    now = 100.0
    for _ in range(2):
        refused = made.closed(CloseCode.SIGN_IN_NEEDED, now)
        assert isinstance(refused.action, Connect)
        assert refused.action.renew
        now += refused.action.after
        made.connecting(now)
        made.opened(now)
    ended = made.closed(CloseCode.SIGN_IN_NEEDED, now)
    assert (ended.status.state, ended.action) == (ConnectionState.SIGNED_OUT, Stop())
    assert made.retry_now(now + 60).action == Connect(0.0)


def test_a_renewed_token_that_was_taken_starts_the_count_anew() -> None:
    made = went_live(machine())
    for now in (100.0, 1000.0, 2000.0, 3000.0):
        refused = made.closed(CloseCode.SIGN_IN_NEEDED, now)
        assert after(refused) == FIRST_SECONDS
        made.connecting(now + 1)
        assert made.live(now + 1).status.state is LIVE


def test_delays_start_anew_after_a_steady_connection_and_not_after_a_flicker() -> None:
    made = machine()
    made.start(0.0)
    for _ in range(8):
        made.connecting(0.0)
        made.unreachable(0.0)
    made.connecting(0.0)
    made.live(0.0)
    assert after(made.closed(1011, 0.5)) == 4 * FIRST_SECONDS  # flapping
    made.connecting(3.0)
    made.live(3.0)
    assert after(made.closed(1011, 3.5)) == 4 * FIRST_SECONDS
    made.connecting(6.0)
    made.live(6.0)
    assert after(made.closed(1011, 60.0)) == FIRST_SECONDS


class Driven(RuleBasedStateMachine):
    """A network, people and a clock that do anything; a driver that obeys the machine."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.luck = 0.5
        self.machine = ConnectionMachine(jitter=lambda: self.luck)
        self.due: float | None = None  # when the try that is waited for begins
        self.trying = False
        self.final = False
        self.lost_at: float | None = None  # the live connection ended then
        self.asked_at: float | None = None  # a person, since it ended
        self.look_at: float | None = None
        self.shown = CONNECTING
        self.take(self.machine.start(0.0), asked=True)

    def take(self, reaction: Reaction, *, asked: bool = False) -> None:
        if asked:
            self.asked_at = self.now
        self.act(reaction, asked=asked)
        if reaction.look_at is not None:
            assert reaction.look_at > self.now
        if reaction.status.state is LIVE and not self.is_live:
            assert self.lost_at is not None, "shown as live before it was"
            assert self.now < self.lost_at + GRACE_SECONDS
        if reaction.status.state is LOST and self.shown is LIVE and self.asked_at is None:
            assert self.lost_at is not None
            soonest = self.now if self.due is None else self.due
            assert max(self.now, soonest) >= self.lost_at + GRACE_SECONDS
        self.shown, self.look_at = reaction.status.state, reaction.look_at

    def act(self, reaction: Reaction, *, asked: bool) -> None:
        if isinstance(reaction.action, Connect):
            assert not self.trying, "two tries at once"
            assert self.due is None or asked, "two tries were waited for"
            low = 0.0 if asked else FIRST_SECONDS / 2
            assert low <= reaction.action.after <= CAP_SECONDS
            self.due, self.final = self.now + reaction.action.after, False
        elif isinstance(reaction.action, Stop):
            assert not self.trying
            assert self.due is None
            self.final = True

    is_live = False

    def pass_time(self, seconds: float) -> None:
        """The driver does what falls due on the way, in order."""
        end = self.now + seconds
        while (next_at := self.next_at()) is not None and next_at <= end:
            self.now = max(self.now, next_at)
            if self.due is not None and self.due <= self.now:
                self.due, self.trying = None, True
                self.take(self.machine.connecting(self.now))
            else:
                self.take(self.machine.look(self.now))
        self.now = end

    def next_at(self) -> float | None:
        return min((at for at in (self.due, self.look_at) if at is not None), default=None)

    def end(self, event: Callable[[float], Reaction]) -> None:
        if self.is_live:
            self.lost_at, self.asked_at = self.now, None
        self.trying = self.is_live = False
        self.take(event(self.now))

    @rule(seconds=st.floats(0.0, 40.0))
    def wait(self, seconds: float) -> None:
        self.pass_time(seconds)

    @rule(luck=st.floats(0.0, 0.999))
    def draw(self, luck: float) -> None:
        self.luck = luck

    @precondition(lambda self: self.trying and not self.is_live)
    @rule()
    def open(self) -> None:
        self.take(self.machine.opened(self.now))

    @precondition(lambda self: self.trying and not self.is_live)
    @rule()
    def go_live(self) -> None:
        self.is_live = True
        self.take(self.machine.live(self.now))
        assert self.shown is LIVE

    @precondition(lambda self: self.trying)
    @rule(code=st.sampled_from([None, 1001, 1011, 4401, 4429, 4403, 4409, 4410]))
    def close(self, code: int | None) -> None:
        self.end(partial(self.machine.closed, code))

    @precondition(lambda self: self.trying and not self.is_live)
    @rule(status=st.sampled_from([401, 403, 404, 429, 502, 503]))
    def refuse(self, status: int) -> None:
        self.end(partial(self.machine.handshake_refused, status))

    @precondition(lambda self: self.trying and not self.is_live)
    @rule()
    def vanish(self) -> None:
        self.end(self.machine.unreachable)

    @precondition(lambda self: self.trying and not self.is_live)
    @rule()
    def no_token(self) -> None:
        self.end(self.machine.session_ended)

    @precondition(lambda self: self.trying and not self.is_live)
    @rule()
    def shut_out(self) -> None:
        self.end(partial(self.machine.shut_out, "Your account was disabled."))
        assert self.shown is ConnectionState.REFUSED

    @precondition(lambda self: not self.trying)
    @rule(code=st.sampled_from([None, 1001, 4403, 4409]), status=st.sampled_from([401, 403]))
    def late_news(self, code: int | None, status: int) -> None:
        """Of a connection that is no more: it changes nothing."""
        before = (self.due, self.final)
        self.take(self.machine.closed(code, self.now))
        self.take(self.machine.handshake_refused(status, self.now))
        self.take(self.machine.session_ended(self.now))
        self.take(self.machine.shut_out("Your account was disabled.", self.now))
        self.take(self.machine.opened(self.now))
        self.take(self.machine.live(self.now))
        assert (self.due, self.final) == before

    @rule()
    def retry_now(self) -> None:
        self.take(self.machine.retry_now(self.now), asked=True)
        assert self.trying or self.due == self.now

    @rule()
    def signed_in(self) -> None:
        self.take(self.machine.signed_in(self.now), asked=True)
        assert self.trying or self.due == self.now

    @precondition(lambda self: not self.trying)
    @rule()
    def stop(self) -> None:
        self.due = None
        self.take(self.machine.stop(self.now))

    @invariant()
    def never_stuck(self) -> None:
        """Either something is under way or will be, or only a person helps and it says so."""
        assert self.trying or self.due is not None or self.final

    @invariant()
    def what_is_final_is_shown_and_tries_nothing(self) -> None:
        if self.shown in FINAL:
            assert self.final
            assert not self.trying
            assert self.due is None


Driven.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestDriven = Driven.TestCase


@pytest.mark.parametrize(
    ("code", "step"),
    [
        (None, Step.RETRY), (1000, Step.RETRY), (1006, Step.RETRY), (4408, Step.RETRY),
        (4401, Step.RENEW), (4400, Step.REFUSED), (4403, Step.REFUSED), (1009, Step.REFUSED),
        (4409, Step.ALARM), (4410, Step.ALARM), (4429, Step.RETRY),
    ],
)  # fmt: skip
def test_retry_or_give_up(code: int | None, step: Step) -> None:
    assert after_close(code) is step


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (401, Step.RENEW),
        (403, Step.REFUSED),
        (404, Step.REFUSED),
        (429, Step.RETRY),
        (502, Step.RETRY),
    ],
)
def test_a_handshake_that_fails(status: int, step: Step) -> None:
    assert after_handshake(status) is step


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_delays_grow_to_a_cap(jitter: float) -> None:
    seconds = [delay(attempt, lambda: jitter) for attempt in range(2_000)]
    assert sorted(seconds) == seconds
    assert FIRST_SECONDS / 2 <= seconds[0] <= FIRST_SECONDS
    assert CAP_SECONDS / 2 <= seconds[-1] <= CAP_SECONDS
