"""`Again`: a decision that met a changed payment, looked at and given once more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from PySide6.QtWidgets import QWidget

from console.runtime.dialogs import shown
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.views.conflict import ConflictDialog
from console.views.workbench import Tell
from core.client.errors import ClientError
from core.client.outbox import ItemKind, OutboxItem, OutboxState
from core.protocol.messages import EnrollmentDetail, EnrollmentRow

RowOf = Callable[[UUID], EnrollmentRow | None]


class AgainPort(Protocol):
    """What this needs of a desk."""

    async def outbox_items(self) -> list[OutboxItem]:
        """Own decisions; those that are open come first, in the order they were made."""
        ...

    async def detail(self, enrollment: UUID) -> EnrollmentDetail: ...

    async def decide_again(self, item: OutboxItem, row: EnrollmentRow) -> OutboxItem: ...

    async def dismiss_item(self, item: UUID) -> None: ...


class Again:
    """Opens the comparison and does what the officer says there. One at a time."""

    def __init__(
        self,
        theme: Theme,
        desk: AgainPort,
        *,
        window: QWidget,
        tasks: TaskRunner,
        tell: Tell,
        row_of: RowOf = lambda _enrollment: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`row_of` gives the row of the pending list, which may be newer than the answer's."""
        self._theme = theme
        self._desk = desk
        self._window = window
        self._tasks = tasks
        self._tell = tell
        self._row_of = row_of
        self._clock = clock

    def open(self, item: OutboxItem) -> None:
        """Compare this decision."""
        self._tasks.replace("again", self._compare(item))

    def open_for(self, enrollment: UUID) -> None:
        """Compare the newest decision about this enrollment that met a change."""
        self._tasks.replace("again", self._find(enrollment))

    async def _find(self, enrollment: UUID) -> None:
        try:
            items = await self._desk.outbox_items()
        except ClientError as error:
            self._tell("danger", str(error))
            return
        found = [item for item in items if item.enrollment == enrollment and _is_conflict(item)]
        if found:
            await self._compare(found[-1])

    async def _compare(self, item: OutboxItem) -> None:
        now = self._now(item)
        if now is None:
            self._tell("warn", "The payment is not in the list any more.")
            return
        dialog = ConflictDialog(self._theme, item, now, self._window, at=self._clock())
        self._tasks.replace("what happened since", self._load_history(dialog, item.enrollment))
        try:
            agreed = await shown(dialog)
        finally:
            self._tasks.cancel("what happened since")
        if not agreed:
            return
        try:
            if now.waiting:
                await self._desk.decide_again(item, now)
            else:
                await self._desk.dismiss_item(item.id)
        except ClientError as error:
            self._tell("danger", str(error))

    async def _load_history(self, dialog: ConflictDialog, enrollment: UUID) -> None:
        try:
            detail = await self._desk.detail(enrollment)
        except ClientError as error:
            dialog.tell_no_history(f"History: {error}")
            return
        dialog.show_history(detail.timeline)

    def _now(self, item: OutboxItem) -> EnrollmentRow | None:
        answered = item.answer.row if item.answer is not None else None
        rows = [row for row in (answered, self._row_of(item.enrollment)) if row is not None]
        return max(rows, key=lambda row: row.version, default=None)


def _is_conflict(item: OutboxItem) -> bool:
    conflict = item.state is OutboxState.CONFLICT and item.kind is ItemKind.DECISION
    return conflict and not item.dismissed
