"""`EnrollmentStateManager`: the only place that changes a status."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.domain.enrollment import AttemptStatus, Enrollment, EnrollmentStatus
from core.domain.errors import RefusalCode, TransitionRefusedError
from core.domain.events import Enroll, Event
from core.domain.guards import Policy
from core.domain.roles import Role
from core.domain.transitions import ENROLLED, RULES, Rule


@dataclass(frozen=True, slots=True)
class Transition:
    """What one accepted event did. `before` is None for the first event of an enrollment.

    `action` is the ledger's code. When nothing but an entry comes of it (late money), `after`
    equals `before`.
    """

    action: str
    before: Enrollment | None
    after: Enrollment

    @property
    def grants_access(self) -> bool:
        return self.after.has_access and not (self.before and self.before.has_access)

    @property
    def withdraws_access(self) -> bool:
        return bool(self.before and self.before.has_access) and not self.after.has_access

    @property
    def refund_due(self) -> bool:
        """A card paid for what is now withdrawn by a supervisor: somebody has to give it back."""
        revoked = self.withdraws_access and self.after.status is EnrollmentStatus.REVOKED
        return revoked and any(
            attempt.status is AttemptStatus.PAID for attempt in self.after.attempts_of_round()
        )


@dataclass(frozen=True, slots=True)
class EnrollmentStateManager:
    """Applies events by the table of `core.domain.transitions`; pure, so every side can use it."""

    policy: Policy

    def apply(self, current: Enrollment | None, event: Event) -> Transition:
        """The transition that `event` makes. Raises TransitionRefusedError."""
        if isinstance(event, Enroll):
            return self._enroll(current, event)
        if current is None:
            raise TransitionRefusedError(
                RefusalCode.WRONG_STATE, "There is no such enrollment.", None
            )
        rule = self._rule_for(current, event)
        changed = rule.effect(current, event)
        if not rule.raises_version:
            return Transition(action=rule.action, before=current, after=current)
        changed = replace(changed, version=current.version + 1)
        if rule.target is not None and rule.target is not current.status:
            changed = replace(
                changed, status=rule.target, status_by=event.actor.code, status_at=event.at
            )
        return Transition(action=rule.action, before=current, after=changed)

    def _enroll(self, current: Enrollment | None, event: Enroll) -> Transition:
        if current is not None:
            raise _wrong_state(current)
        if not event.actor.has_any(frozenset({Role.STUDENT})):
            raise TransitionRefusedError(RefusalCode.WRONG_ROLE, _WRONG_ROLE, None)
        enrollment = Enrollment(
            id=event.enrollment,
            student=event.student,
            course=event.course,
            status=EnrollmentStatus.PENDING,
            version=1,
            round=1,
            reference=event.reference,
            amount_cents=event.amount_cents,
            method=event.method,
            status_by=event.actor.code,
            status_at=event.at,
            created_at=event.at,
        )
        return Transition(action=ENROLLED, before=None, after=enrollment)

    def _rule_for(self, current: Enrollment, event: Event) -> Rule:
        """The first rule that fits in status, role and guards; else the most telling refusal."""
        refusal: TransitionRefusedError | None = None
        for rule in RULES:
            if rule.event is not type(event) or current.status not in rule.sources:
                continue
            found = self._refusal(rule, current, event)
            if found is None:
                return rule
            refusal = refusal or found
        raise refusal or _wrong_state(current)

    def _refusal(
        self, rule: Rule, current: Enrollment, event: Event
    ) -> TransitionRefusedError | None:
        if not event.actor.has_any(rule.actors):
            return TransitionRefusedError(RefusalCode.WRONG_ROLE, _WRONG_ROLE, current)
        for guard in rule.guards:
            refused = guard(current, event, self.policy)
            if refused is not None:
                return TransitionRefusedError(*refused, current)
        return None


_WRONG_ROLE = "You are not allowed to do this."


def _wrong_state(current: Enrollment) -> TransitionRefusedError:
    return TransitionRefusedError(
        RefusalCode.WRONG_STATE, f"This enrollment is already {current.status.value}.", current
    )
