"""What an office needs of the desk behind it."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from console.again import AgainPort
from console.auditing import AuditPort
from console.entered import Entered
from console.outboxing import OutboxPort
from console.views.account import AccountPort
from console.views.administration.port import AdministrationPort
from console.views.payments.port import PaymentsPort
from core.client.outbox import OutboxItem
from core.domain.decisions import ReasonCode, Verdict
from core.protocol.messages import Device, EnrollmentDetail, EnrollmentRow


class EnrollmentPort(Protocol):
    """This console's key; `console.enrollment.Enrollment` is one."""

    @property
    def device(self) -> Device: ...

    @property
    def has_root(self) -> bool: ...

    async def ask_again(self) -> None: ...

    async def make_new_key(self) -> None: ...


class DeskPort(OutboxPort, AgainPort, Protocol):
    """What an office needs of a desk."""

    @property
    def entered(self) -> Entered: ...

    @property
    def audit(self) -> AuditPort: ...

    @property
    def enrollment(self) -> EnrollmentPort: ...

    @property
    def account(self) -> AccountPort: ...

    @property
    def administration(self) -> AdministrationPort: ...

    @property
    def payments(self) -> PaymentsPort: ...

    async def decide(
        self,
        row: EnrollmentRow,
        verdict: Verdict,
        *,
        reason: ReasonCode | None = None,
        note: str | None = None,
    ) -> OutboxItem: ...

    async def detail(self, enrollment: UUID) -> EnrollmentDetail: ...

    async def accept_first_contact(self) -> None: ...

    async def accept_alarm(self) -> None: ...

    def retry_now(self) -> None: ...
