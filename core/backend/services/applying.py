"""One event of the state table, applied: the entry, and the enrollment as it is from then on."""

from __future__ import annotations

from uuid import UUID

from core.backend.services.verdicts import accepted, enrollment_facts, make_leaf, refused
from core.backend.storage.command import (
    Answer,
    Change,
    Context,
    Decided,
    Refused,
    SaveEnrollment,
    Verdict,
)
from core.backend.storage.workspace import Workspace
from core.domain.errors import TransitionRefusedError
from core.domain.events import Event
from core.domain.guards import Policy
from core.domain.state_manager import EnrollmentStateManager, Transition
from core.ledger.canonical import Json
from core.ledger.leaf import Leaf


def manager_of(workspace: Workspace) -> EnrollmentStateManager:
    """The state manager with the numbers of this house."""
    return EnrollmentStateManager(
        Policy(second_signature_from_cents=workspace.settings.threshold_cents)
    )


def transition_of(workspace: Workspace, enrollment: UUID, event: Event) -> Transition | Refused:
    """What the event does, or why it may not."""
    try:
        return manager_of(workspace).apply(workspace.enrollments.get(enrollment), event)
    except TransitionRefusedError as error:
        return refused(error.code.value, error.message)


def transition_leaf(
    context: Context, event: Event, transition: Transition, more: dict[str, Json] | None = None
) -> Leaf:
    """The entry of a transition; `more` facts beside those of the enrollment."""
    before, after = transition.before, transition.after
    return make_leaf(
        context,
        actor=event.actor,
        action=transition.action,
        subject=f"enrollment:{after.id}",
        before=before.version if before else None,
        after=after.version,
        facts=enrollment_facts(after) | (more or {}),
    )


def apply_event(
    workspace: Workspace,
    enrollment: UUID,
    event: Event,
    context: Context,
    *,
    more: dict[str, Json] | None = None,
    changes: tuple[Change, ...] = (),
    answer: Answer | None = None,
) -> Verdict:
    """Accepted with `changes` and `answer`, or refused without a trace."""
    done = transition_of(workspace, enrollment, event)
    if isinstance(done, Refused):
        return done
    entry = transition_leaf(context, event, done, more)
    saved = SaveEnrollment(done.before, done.after)
    return Decided(entry, (saved, *changes), answer or accepted(enrollment))
