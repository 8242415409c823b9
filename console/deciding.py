"""`Deciding`: what the officer does on the Pending screen, and the history of what is selected."""

from __future__ import annotations

import asyncio
from typing import Protocol
from uuid import UUID

from PySide6.QtWidgets import QWidget

from console.runtime.dialogs import shown
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.views.pending import PendingScreen
from console.views.reject import RejectDialog
from console.views.workbench import Tell
from core.client.errors import ClientError
from core.client.outbox import OutboxItem
from core.domain.decisions import ReasonCode, Verdict
from core.protocol.messages import EnrollmentDetail, EnrollmentRow

# While somebody runs through the rows with a key held down, nothing is fetched for each of them.
DETAIL_AFTER_SECONDS = 0.08


class DecidingPort(Protocol):
    """Where decisions go, and where history comes from; a desk is one. Both raise ClientError."""

    async def decide(
        self,
        row: EnrollmentRow,
        verdict: Verdict,
        *,
        reason: ReasonCode | None = None,
        note: str | None = None,
    ) -> OutboxItem: ...

    async def detail(self, enrollment: UUID) -> EnrollmentDetail: ...


class Deciding:
    def __init__(
        self,
        theme: Theme,
        screen: PendingScreen,
        port: DecidingPort,
        *,
        tasks: TaskRunner,
        window: QWidget,
        tell: Tell,
    ) -> None:
        self._theme = theme
        self._screen = screen
        self._port = port
        self._tasks = tasks
        self._window = window
        self._tell = tell
        screen.approve_wanted.connect(self.approve)
        screen.reject_wanted.connect(self.reject)
        screen.detail_wanted.connect(self._want_detail)

    def approve(self, row: EnrollmentRow) -> None:
        """Approve a row as shown."""
        self._tasks.start("decide", self._decide(row, Verdict.APPROVE, None, None))

    def reject(self, row: EnrollmentRow) -> None:
        """Ask why, then reject the row as shown."""
        self._tasks.replace("reject", self._reject(row))

    async def _reject(self, row: EnrollmentRow) -> None:
        dialog = RejectDialog(self._theme, row, self._window)
        if await shown(dialog):
            await self._decide(row, Verdict.REJECT, dialog.reason, dialog.note)

    async def _decide(
        self, row: EnrollmentRow, verdict: Verdict, reason: ReasonCode | None, note: str | None
    ) -> None:
        try:
            await self._port.decide(row, verdict, reason=reason, note=note)
        except ClientError as error:
            self._tell("danger", str(error))
            return
        self._screen.go_on_after(row.enrollment)

    def _want_detail(self, enrollment: UUID) -> None:
        self._tasks.replace("detail", self._load_detail(enrollment))

    async def _load_detail(self, enrollment: UUID) -> None:
        await asyncio.sleep(DETAIL_AFTER_SECONDS)
        try:
            detail = await self._port.detail(enrollment)
        except ClientError as error:
            self._screen.detail.tell_no_detail(f"History: {error}")
            return
        self._screen.show_detail(detail)
