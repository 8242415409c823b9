"""Replaying callbacks: a person has them worked on again, and the ledger says who did."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.backend.services.administration_deciders import Problem, asker_problem
from core.backend.services.asking import AskedByStaff, request_digest
from core.backend.services.verdicts import accepted, make_leaf, refused
from core.backend.storage.command import Context, Decided, Needs, RequeueDeliveries, Verdict
from core.backend.storage.workspace import Workspace
from core.domain.roles import REPLAYING_ROLES
from core.domain.webhooks import DeliveryState
from core.ledger.canonical import Json

REPLAYED = "webhook.replayed"
_NOT_YOURS: Problem = ("not_allowed", "Only a supervisor or an administrator can do this.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCommand(AskedByStaff):
    """Somebody wants these worked on again; at most MAX_REPLAYED, in this order."""

    deliveries: tuple[UUID, ...]

    @property
    def digest(self) -> bytes:
        return request_digest("replay-webhooks", *(str(one) for one in self.deliveries))

    def needs(self) -> Needs:
        return self.asker_needs(deliveries=frozenset(self.deliveries))


def decide_replay(workspace: Workspace, command: ReplayCommand, context: Context) -> Verdict:
    """One entry for all of them; what waits already is left as it is."""
    problem = asker_problem(workspace, command, None) or _role_problem(workspace, command)
    known = workspace.deliveries
    if problem is None and any(one not in known for one in command.deliveries):
        problem = ("unknown_delivery", "There is no such callback.")
    again = tuple(
        dict.fromkeys(
            one for one in command.deliveries if known.get(one) is not DeliveryState.WAITING
        )
    )
    if problem is None and not again:
        problem = ("not_settled", "This is being worked on already.")
    if problem is not None:
        return refused(*problem)
    listed: list[Json] = [str(one) for one in again]
    entry = make_leaf(
        context,
        actor=command.actor,
        action=REPLAYED,
        subject=f"webhook:{again[0]}",
        facts={"deliveries": listed, "count": len(again)},
    )
    return Decided(entry, (RequeueDeliveries(again, context.now),), accepted(again[0]))


def _role_problem(workspace: Workspace, command: ReplayCommand) -> Problem | None:
    if command.actor.id is None:
        return None
    roles = workspace.users[command.actor.id].roles
    return _NOT_YOURS if roles.isdisjoint(REPLAYING_ROLES) else None
