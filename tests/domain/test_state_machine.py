"""Random events, possible and impossible: what must hold after any of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.domain.decisions import ReasonCode
from core.domain.enrollment import AttemptStatus, Enrollment, EnrollmentStatus, PaymentMethod
from core.domain.errors import TransitionRefusedError
from core.domain.events import (
    AccessEnds,
    Approve,
    AskManualApproval,
    CardConfirmed,
    CardFailed,
    Complete,
    EnrollAgain,
    Event,
    Expire,
    FactsChanged,
    RecordPayment,
    Reinstate,
    Reject,
    ReverseApproval,
    ReverseRejection,
    SignFirst,
    StartCard,
    SubmitEft,
)
from core.domain.roles import Actor
from core.domain.state_manager import Transition
from tests.domain.build import CASES, MANAGER, NOW, OFFICER, OTHER_OFFICER, PEOPLE, THRESHOLD

# None stands for somebody who may: otherwise nearly every event would be refused.
ACTORS = st.sampled_from([None, None, None, OTHER_OFFICER, *PEOPLE.values()])
RIGHTFUL = {type(case.event): case.event.actor for case in CASES.values()}
CENTS = st.sampled_from([1, 125_000, THRESHOLD - 1, THRESHOLD, 2 * THRESHOLD])
IDS = st.integers(1, 4).map(lambda i: UUID(int=i))
REASONS = st.sampled_from([None, *ReasonCode])
METHODS = st.sampled_from(PaymentMethod)


_WHO = {"actor": st.just(OFFICER), "at": st.just(NOW)}
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(EnrollAgain, **_WHO, amount_cents=CENTS, method=METHODS),
    st.builds(StartCard, **_WHO, attempt=IDS),
    st.builds(SubmitEft, **_WHO, claim=IDS),
    st.builds(RecordPayment, **_WHO, claim=IDS, method=METHODS, amount_cents=CENTS),
    st.builds(CardConfirmed, **_WHO, attempt=IDS, amount_cents=CENTS),
    st.builds(CardFailed, **_WHO, attempt=IDS, failure=st.just("declined")),
    st.builds(AskManualApproval, **_WHO, claim=IDS),
    st.builds(FactsChanged, **_WHO, amount_cents=st.none() | CENTS),
    st.builds(SignFirst, **_WHO, amount_received=st.none() | CENTS),
    st.builds(Approve, **_WHO, amount_received=st.none() | CENTS),
    st.builds(Reject, **_WHO, reason=REASONS),
    st.builds(Expire, **_WHO),
    st.builds(AccessEnds, **_WHO, access_until=st.just(NOW)),
    st.builds(ReverseApproval, **_WHO, reason=REASONS),
    st.builds(ReverseRejection, **_WHO),
    st.builds(Reinstate, **_WHO),
    st.builds(Complete, **_WHO),
)


class EnrollmentLife(RuleBasedStateMachine):
    current: Enrollment
    done: Transition | None = None
    event: Event | None = None

    @initialize()
    def enroll(self) -> None:
        self.now = NOW
        self.current = MANAGER.apply(None, CASES["enroll"].event).after

    @rule(event=EVENTS, actor=ACTORS, days=st.sampled_from([0, 0, 0, 31]))
    def something_happens(self, event: Event, actor: Actor | None, days: int) -> None:
        self.now += timedelta(days=days)
        event = replace(event, actor=actor or RIGHTFUL[type(event)], at=self.now)
        if isinstance(event, AccessEnds):
            event = replace(event, access_until=self.now)
        if isinstance(event, StartCard) and any(
            attempt.id == event.attempt for attempt in self.current.attempts
        ):
            event = replace(event, attempt=UUID(int=1000 + self.current.version))
        self.event, self.done = event, None
        before = self.current
        try:
            self.done = MANAGER.apply(before, event)
        except TransitionRefusedError as refused:
            assert refused.status is before.status  # noqa: PT017 - and nothing else happens
            return
        self.current = self.done.after

    @invariant()
    def the_version_rises_by_one_or_nothing_changes(self) -> None:
        if self.done is None or self.done.before is None:
            return
        if self.done.action == "card.late_money":
            assert self.done.after == self.done.before
        else:
            assert self.done.after.version == self.done.before.version + 1

    @invariant()
    def a_claim_waits_only_while_pending(self) -> None:
        if self.current.waiting_claim is not None:
            assert self.current.status is EnrollmentStatus.PENDING

    @invariant()
    def a_new_claim_never_replaces_a_waiting_one(self) -> None:
        done = self.done
        if done is None or done.before is None or done.before.waiting_claim is None:
            return
        assert done.after.claim is not None
        assert done.after.claim.id == done.before.waiting_claim.id

    @invariant()
    def access_is_granted_and_withdrawn_only_by_a_change_of_status(self) -> None:
        access = {EnrollmentStatus.APPROVED, EnrollmentStatus.COMPLETED}
        assert self.current.has_access == (self.current.status in access)
        if self.done is not None and (self.done.grants_access or self.done.withdraws_access):
            assert self.done.before is not None
            assert self.done.before.status is not self.done.after.status

    @invariant()
    def a_failure_never_undoes_a_payment(self) -> None:
        done = self.done
        if done is None or done.before is None:
            return
        if isinstance(self.event, CardFailed):
            assert done.after.status is done.before.status
            assert done.after.claim == done.before.claim
        paid = {a.id for a in done.before.attempts if a.status is AttemptStatus.PAID}
        assert paid <= {a.id for a in done.after.attempts if a.status is AttemptStatus.PAID}

    @invariant()
    def large_amounts_are_approved_by_two(self) -> None:
        done = self.done
        if done is None or done.before is None or not isinstance(self.event, Approve):
            return
        owed = done.before.amount_cents
        if max(owed, self.event.amount_received or 0) >= THRESHOLD:
            first = done.before.first_signature
            assert first is not None
            assert first.officer != self.event.actor.id

    @invariant()
    def a_status_always_names_who_and_when(self) -> None:
        done = self.done
        if done is not None and done.before and done.before.status is not done.after.status:
            assert self.event is not None
            assert done.after.status_by == self.event.actor.code
            assert done.after.status_at == self.event.at


EnrollmentLife.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestEnrollmentLife = EnrollmentLife.TestCase
