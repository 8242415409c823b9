"""What the sections of the Payments screen work with, and who may do what."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from console.views.payments.port import PaymentsPort
from console.views.workbench import Workbench
from core.domain.roles import DECIDING_ROLES, REPLAYING_ROLES, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class PayBench(Workbench):
    """`look` goes to an enrollment in the pending list, `is_pending` tells whether it is there."""

    port: PaymentsPort
    roles: frozenset[Role]
    is_pending: Callable[[UUID], bool]
    look: Callable[[UUID], None]

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something a person asked for, beside whatever else runs."""
        self.tasks.start("payments", work)

    @property
    def why_not_money(self) -> str:
        """Why this person does not settle late money or refunds, or nothing. The backend decides
        anyway."""
        if self.roles & DECIDING_ROLES:
            return ""
        return "Only a finance officer or a supervisor can do this."

    @property
    def why_not_replay(self) -> str:
        """The same for replaying callbacks."""
        if self.roles & REPLAYING_ROLES:
            return ""
        return "Only a supervisor or an administrator can do this."
