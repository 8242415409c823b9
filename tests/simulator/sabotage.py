"""The positive controls: builds that are broken on purpose, and the rule that has to find each.

Each breaks the product in one place, as a mistake in that place could, and leaves the rest alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulator import invariants, outcomes
from tests.simulator import sabotage_backend as backend
from tests.simulator import sabotage_console as console
from tests.simulator import sabotage_rules as rules
from tests.simulator.build import Build

Rule = invariants.Always | invariants.OfEach | invariants.AtTheEnd


@dataclass(frozen=True, slots=True)
class Control:
    """A broken build, and the rule that has to find it.

    `first` is the seed to begin with: of a world in which the accident happens that it needs.
    Where other stories have moved it, the worlds behind it are looked through.
    """

    build: type[Build]
    rule: Rule
    first: int = 0


CONTROLS: tuple[Control, ...] = (
    Control(console.TaskFails, invariants.no_task_fails),
    Control(backend.IdempotencyIsIgnored, invariants.applied_once, first=3),
    Control(rules.UsedNumbersForgotten, invariants.number_used_once, first=10),
    Control(rules.WithdrawnIsRevived, invariants.not_withdrawn_and_applied, first=4),
    Control(rules.RefusalsForgotten, invariants.answered_once, first=4),
    Control(backend.EntryIsRemoved, invariants.ledger_dense),
    Control(backend.GrantWithoutApproval, invariants.access_as_status),
    Control(backend.ApprovalWithoutGrant, invariants.access_as_status),
    Control(backend.ApprovalOffTheLedger, invariants.access_as_entries),
    Control(console.SenderGivesUp, invariants.stuck_for_a_cause),
    Control(console.QueueOpensOnce, invariants.queue_opens),
    Control(console.SenderDropsItems, outcomes.is_kept),
    Control(console.DeletesAfterNotice, outcomes.is_kept),
    Control(console.ItemsAreRewritten, outcomes.is_unaltered),
    Control(backend.AcceptedIsForgotten, outcomes.is_entered_as_signed),
    Control(backend.RefusalIsALie, outcomes.is_not_denied),
    Control(console.DiscardIsSilent, outcomes.is_withdrawn_on_the_ledger, first=4),
    Control(backend.ReasonIsALie, outcomes.is_refused_on_the_ledger),
    Control(backend.WithdrawalIsDenied, outcomes.withdrawal_ends_as_on_the_ledger),
    Control(console.SenderForgetsItems, outcomes.has_its_answer),
    Control(rules.RefusesForNoCause, invariants.refused_for_a_cause),
    Control(rules.WithdrawalsRefusedForNoCause, invariants.refused_for_a_cause),
    Control(rules.RevokedMayDecide, invariants.allowed_to_apply),
    Control(rules.SeenIsIgnored, invariants.allowed_to_apply, first=5),
    Control(backend.EntryIsAltered, invariants.ledger_verifies),
    Control(backend.CheckpointOfAnother, invariants.checkpoints_hold),
    Control(backend.LessonsAreOpen, invariants.lessons_as_status),
    Control(backend.FeedAltersEntries, invariants.consoles_have_no_alarm),
    Control(backend.FeedFallsSilent, invariants.consoles_verify_all),
    Control(backend.FeedSkipsEntries, invariants.consoles_show_the_rows, first=3),
    Control(console.NobodyConfirms, invariants.consoles_find_their_own),
    Control(backend.FeedSkipsRows, invariants.consoles_show_the_rows, first=3),
)
