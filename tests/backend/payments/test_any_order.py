"""Any order and duplication of payments, failures, claims, decisions and rounds: access exactly
when approved, every cent at the provider accounted for, one entry for each change."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.backend.gateway.provider import ProviderError
from core.backend.services.errors import ServiceError
from core.domain.card_money import LinkState, RefundState
from core.domain.decisions import Verdict
from core.domain.enrollment import AttemptStatus, PaymentMethod
from core.domain.failures import FailureClass
from core.domain.roles import Role
from tests.backend.payments.shop import Shop, open_shop
from tests.support.card_provider import nothing, trouble
from tests.support.live_template import Template
from tests.support.workspace import Clock

_T = TypeVar("_T")
WHICH = st.integers(0, 5)
FAILURES = st.none() | st.sampled_from(FailureClass)
TROUBLE = st.sampled_from(
    [
        None, None, None,
        trouble(FailureClass.NETWORK, unknown=True),
        trouble(FailureClass.CONFIGURATION, retryable=False),
    ]
)  # fmt: skip
LATER = st.sampled_from([0, 60, 6 * 60, 3 * 60 * 60, 26 * 60 * 60])


def _lose_the_answer(where: str) -> None:
    if where == "after create":
        raise trouble(FailureClass.NETWORK, unknown=True)


class CardLife(RuleBasedStateMachine):
    """One student, one course, one supervisor; the provider does whatever it likes."""

    template: Template

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="bursar-cards-"))
        self._opened: AbstractAsyncContextManager[Shop] = open_shop(
            self.template, self.folder / "h", clock=Clock()
        )
        self.shop = self.run(self._opened.__aenter__())
        self.student = self.run(self.shop.house.student())
        self.supervisor = self.run(self.shop.house.officer(Role.SUPERVISOR))
        self.run(self.shop.enroll(self.student))

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self.runner.run(work)

    def attempt(self, work: Coroutine[Any, Any, object]) -> None:
        """Whatever the house refuses is refused in words, and changes nothing."""
        before = self.shop.house.size()
        try:
            self.run(work)
        except ServiceError:
            assert self.shop.house.size() == before

    # --- the student ---------------------------------------------------------------------------

    @rule(down=TROUBLE)
    def pays_by_card(self, down: ProviderError | None) -> None:
        self.shop.provider.down = down
        self.attempt(self.shop.start(self.student))
        self.shop.provider.down = None

    @rule()
    def pays_and_the_answer_is_lost(self) -> None:
        """The provider made a link, and nobody here knows of it."""
        self.shop.provider.fault = _lose_the_answer
        self.attempt(self.shop.start(self.student))
        self.shop.provider.fault = nothing

    @rule(method=st.sampled_from([PaymentMethod.CARD, PaymentMethod.EFT]))
    def enrolls_again(self, method: PaymentMethod) -> None:
        with suppress(ServiceError):  # enrolling and paying are two commands
            self.run(self.shop.enroll(self.student, method))

    @rule()
    def says_paid(self) -> None:
        self.attempt(self.shop.say_paid(self.student))

    @rule()
    def asks_a_person(self) -> None:
        self.attempt(self.shop.ask_manual(self.student))

    @precondition(lambda self: self.shop.provider.links)
    @rule(which=WHICH)
    def money_comes(self, which: int) -> None:
        """A link can be paid once, whatever became of it here."""
        names = list(self.shop.provider.links)
        self.shop.provider.pay(names[which % len(names)])

    # --- the provider --------------------------------------------------------------------------

    @rule(which=WHICH, failure=FAILURES, times=st.integers(1, 3), down=TROUBLE)
    def called_back(
        self, which: int, failure: FailureClass | None, times: int, down: ProviderError | None
    ) -> None:
        """Callbacks come late, twice, at once, about anything; or the provider cannot be asked."""
        links = self.shop.links()
        link = links[which % len(links)]
        self.shop.provider.down = down

        async def all_at_once() -> None:
            await asyncio.gather(*(self.shop.confirm(link, failure=failure) for _ in range(times)))

        self.run(all_at_once())
        self.shop.provider.down = None

    @rule(seconds=LATER)
    def swept(self, seconds: int) -> None:
        self.shop.house.clock.advance(seconds=seconds)
        self.run(self.shop.sweeper.sweep())

    @rule()
    def compared(self) -> None:
        self.run(self.shop.sweeper.compare())

    # --- the office ----------------------------------------------------------------------------

    @rule(verdict=st.sampled_from(Verdict))
    def decided(self, verdict: Verdict) -> None:
        self.run(self.shop.decide(self.supervisor, self.student, verdict))

    # --- what must hold ------------------------------------------------------------------------

    @invariant()
    def access_is_open_exactly_while_approved(self) -> None:
        if not hasattr(self, "shop"):
            return
        enrollment = self.shop.enrollment(self.student)
        assert self.shop.has_access(self.student) == enrollment.has_access

    @invariant()
    def every_confirmed_payment_is_an_approval_or_late_money(self) -> None:
        if not hasattr(self, "shop"):
            return
        paid = {link.attempt for link in self.shop.links() if link.state is LinkState.PAID}
        enrollment = self.shop.enrollment(self.student)
        approved = {a.id for a in enrollment.attempts if a.status is AttemptStatus.PAID}
        late = [money.attempt for money in self.shop.late()]
        assert len(late) == len(set(late))
        assert approved.isdisjoint(late)
        assert approved | set(late) == paid
        by_card = [
            leaf for leaf in self.shop.entries()
            if leaf.action == "enrollment.approved" and leaf.actor == "gateway"
        ]  # fmt: skip
        assert len(by_card) == len(approved)

    @invariant()
    def a_reversed_card_is_a_refund(self) -> None:
        if not hasattr(self, "shop"):
            return
        enrollment = self.shop.enrollment(self.student)
        due = {r.attempt for r in self.shop.refunds() if r.state is RefundState.DUE}
        for attempt in enrollment.attempts_of_round():
            if attempt.status is AttemptStatus.PAID:
                assert (attempt.id in due) == (not enrollment.has_access)

    def teardown(self) -> None:
        if not hasattr(self, "shop"):
            return
        try:
            self._nothing_is_lost()
        finally:
            self.run(self._opened.__aexit__(None, None, None))
            self.runner.close()
            shutil.rmtree(self.folder)

    def _nothing_is_lost(self) -> None:
        """A day later: what the provider took is what we know of, to the cent."""
        for _ in range(2):  # a lost link is found in one round and asked about in the next
            self.shop.house.clock.advance(days=1)
            self.run(self.shop.sweeper.sweep())
        taken = {name for name, link in self.shop.provider.links.items() if link.paid}
        known = {k.link_id for k in self.shop.links() if k.state is LinkState.PAID}
        assert known == taken
        self.every_confirmed_payment_is_an_approval_or_late_money()
        self.access_is_open_exactly_while_approved()
        for leaf in self.shop.entries():
            texts = [value for value in leaf.facts.values() if isinstance(value, str)]
            assert all(len(text) <= 64 and " " not in text for text in texts)
        self.shop.house.verify()


def test_cards_claims_and_decisions_in_any_order(
    sqlite_template: Template, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    machine = type("Machine", (CardLife,), {"template": sqlite_template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=10,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
