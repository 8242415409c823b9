"""The writer against the pure state manager: any commands, in any batches, the same state.

The model keeps the enrollments in a dictionary and asks `EnrollmentStateManager`; the writer keeps
them in the database. After each batch both must agree, and at the end the offline verifier must
find nothing wrong with the ledger.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, true
from uuid_utils.compat import uuid7

from core.backend.services.commands import DecideCommand, SubmitEftCommand
from core.backend.services.container import build
from core.backend.services.deciders import decide
from core.backend.services.rows import current_facts
from core.backend.storage.batch import run_batch
from core.backend.storage.command import Command, Context
from core.backend.storage.engine import write_transaction
from core.backend.storage.enrollments import read_enrollments
from core.backend.storage.lookups import read_commitments
from core.backend.storage.tables import access_grants
from core.domain.decisions import Decision, ReasonCode, Verdict
from core.domain.enrollment import Enrollment, PaymentMethod
from core.domain.errors import RefusalCode, TransitionRefusedError
from core.domain.events import (
    Approve,
    Enroll,
    EnrollAgain,
    Event,
    Reinstate,
    Reject,
    ReverseApproval,
    ReverseRejection,
    SignFirst,
    SubmitEft,
)
from core.domain.guards import Policy
from core.domain.roles import Actor, Role, student
from core.domain.state_manager import EnrollmentStateManager
from core.protocol.signing import decision_payload, seen_digest
from tests.support.live_template import THRESHOLD_CENTS, Template
from tests.support.workspace import Clock, House, Officer, enroll_command, house_config

pytestmark = pytest.mark.both_engines

_Reasoned = type[Reject] | type[ReverseApproval] | type[ReverseRejection] | type[Reinstate]
REASONED: dict[Verdict, _Reasoned] = {
    Verdict.REJECT: Reject,
    Verdict.REVERSE_APPROVAL: ReverseApproval,
    Verdict.REVERSE_REJECTION: ReverseRejection,
    Verdict.REINSTATE: Reinstate,
}
PLACES = st.integers(0, 3)  # two students, a cheap and a dear course
STEPS = st.one_of(
    st.tuples(st.just("enroll"), PLACES),
    st.tuples(st.just("paid"), PLACES),
    st.tuples(st.just("decide"), PLACES, st.integers(0, 2), st.sampled_from(Verdict)),
    st.tuples(st.just("stale"), PLACES, st.integers(0, 2), st.sampled_from(Verdict)),
)


class Model:
    """Enrollments by place, changed by the pure state manager alone."""

    def __init__(self) -> None:
        self.manager = EnrollmentStateManager(Policy(second_signature_from_cents=THRESHOLD_CENTS))
        self.enrollments: dict[UUID, Enrollment] = {}

    def apply(self, id_: UUID, event: Event) -> bool:
        """Whether the table allows it."""
        try:
            transition = self.manager.apply(self.enrollments.get(id_), event)
        except TransitionRefusedError as error:
            if error.code is not RefusalCode.SECOND_SIGNATURE_NEEDED:
                return False
            return self.apply(id_, SignFirst(actor=event.actor, at=event.at))
        self.enrollments[id_] = transition.after
        return True


class WriterAgainstModel(RuleBasedStateMachine):
    template: Template

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bursar-model-"))
        self.template.copy_to(self.folder / "h")
        clock = Clock()
        services = build(house_config(self.folder / "h", clock))
        self.house = House(services, self.template, clock, itertools.count(1))
        asyncio.run(self._people())
        self.model = Model()
        self.numbers = itertools.count()
        self.expected_size = self.house.size()
        self.commitments = services.reader.run_now(lambda c: read_commitments(c, self.students))

    async def _people(self) -> None:
        self.students = [(await self.house.student()).student for _ in range(2)]
        self.officers = [
            await self.house.officer(),
            await self.house.officer(which=1),
            await self.house.officer(Role.SUPERVISOR),
        ]

    @rule(steps=st.lists(STEPS, min_size=1, max_size=6))
    def one_batch(self, steps: list[tuple[object, ...]]) -> None:
        commands, expected = [], []
        for step in steps:
            made = self._command(step)
            if made is not None:
                commands.append(made[0])
                expected.append(made[1])
        if not commands:
            return
        context = Context(now=self.house.clock.now, new_id=uuid7)
        with write_transaction(self.house.services.engine) as connection:
            outcomes, size = run_batch(connection, commands, decide=decide, context=context)
        assert [outcome.accepted for outcome in outcomes] == expected
        kept = [
            outcome.accepted or isinstance(command, DecideCommand)
            for outcome, command in zip(outcomes, commands, strict=True)
        ]
        self.expected_size += sum(kept)
        assert size == self.expected_size
        self.house.clock.advance(seconds=1)

    def _command(self, step: tuple[object, ...]) -> tuple[Command, bool] | None:
        place = step[1]
        assert isinstance(place, int)
        who, course = self.students[place % 2], self.house.courses[2 * (place // 2)]
        at, actor = self.house.clock.now, student(who)
        current = self._at(who, course.id)
        if step[0] == "enroll":
            command = enroll_command(who, course.id)
            cents, method = course.price_cents, PaymentMethod.EFT
            if current is not None:
                again = EnrollAgain(actor=actor, at=at, amount_cents=cents, method=method)
                return command, self.model.apply(current.id, again)
            first = Enroll(
                actor=actor, at=at, enrollment=command.enrollment, student=who,
                course=course.id, amount_cents=cents, reference=command.references[0],
                method=method,
            )  # fmt: skip
            return command, self.model.apply(command.enrollment, first)
        if current is None:
            return None
        if step[0] == "paid":
            claim = uuid7()
            paid = SubmitEft(actor=actor, at=at, claim=claim)
            key = str(uuid7())
            submit = SubmitEftCommand(student=who, course=course.id, claim=claim, key=key)
            return submit, self.model.apply(current.id, paid)
        return self._decision(step, current)

    def _at(self, who: UUID, course: UUID) -> Enrollment | None:
        found = self.model.enrollments.values()
        return next((e for e in found if (e.student, e.course) == (who, course)), None)

    def _decision(self, step: tuple[object, ...], current: Enrollment) -> tuple[Command, bool]:
        kind, _, which, verdict = step
        assert isinstance(which, int)
        assert isinstance(verdict, Verdict)
        officer, is_stale = self.officers[which], kind == "stale"
        reason = ReasonCode.OTHER if verdict in REASONED else None
        facts = current_facts(current, self.commitments[current.student])
        decision = Decision(
            id=uuid7(), officer=officer.identity.user, device=officer.device.id,
            n=next(self.numbers), as_of=0, enrollment=current.id,
            expected_version=current.version - is_stale, seen=seen_digest(facts),
            verdict=verdict, reason_code=reason,
        )  # fmt: skip
        payload = decision_payload(decision)
        command = DecideCommand(
            decision=decision, payload=payload, signature=officer.device.key.sign(payload),
            session=officer.identity.session,
        )  # fmt: skip
        event = self._event(verdict, officer, reason)
        return command, not is_stale and self.model.apply(current.id, event)

    def _event(self, verdict: Verdict, officer: Officer, reason: ReasonCode | None) -> Event:
        actor: Actor = officer.identity.actor
        at = self.house.clock.now
        if verdict is Verdict.APPROVE:
            return Approve(actor=actor, at=at)
        return REASONED[verdict](actor=actor, at=at, reason=reason)

    @invariant()
    def the_database_is_the_model(self) -> None:
        if not hasattr(self, "model"):
            return
        run = self.house.services.reader.run_now
        stored = run(lambda c: read_enrollments(c, true()))
        assert stored == self.model.enrollments
        query = select(access_grants.c.enrollment).where(access_grants.c.withdrawn_at.is_(None))
        opened = run(lambda c: list(c.execute(query).scalars()))
        having = [e.id for e in self.model.enrollments.values() if e.has_access]
        assert sorted(opened) == sorted(having)

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        try:
            if hasattr(self, "expected_size"):
                assert self.house.verify().size == self.expected_size
        finally:
            self.house.services.close()
            shutil.rmtree(self.folder)


def test_the_writer_does_what_the_state_manager_says(
    live_template: Template, database: str
) -> None:
    machine = type("Machine", (WriterAgainstModel,), {"template": live_template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25 if database == "sqlite" else 10,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
