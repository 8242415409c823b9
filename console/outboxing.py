"""`Outboxing`: keeps the Outbox screen and its figures true, and does what is wanted there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from console.models.outbox import Standing
from console.runtime.dialogs import confirm
from console.runtime.tasks import TaskRunner
from console.runtime.throttle import Throttle, timer_of
from console.views.outbox import OutboxScreen
from console.views.outbox_words import Group, verdict_words, ways_of
from console.views.workbench import Tell
from console.words import when_words
from core.client.errors import ClientError
from core.client.outbox import Notice, OutboxItem
from core.domain.money import format_rand
from core.domain.references import show_reference
from core.protocol.messages import AnswerKind

AGES_EVERY_MS = 15_000


class OutboxPort(Protocol):
    """The officer's own queue; a desk is one. Every method raises ClientError."""

    async def outbox_items(self) -> list[OutboxItem]:
        """What is open, and the newest of what is done; withdrawals are items of their own."""
        ...

    async def others_waiting(self) -> int:
        """How many decisions of other officers wait on this computer."""
        ...

    async def notices(self) -> tuple[Notice, ...]:
        """What was set aside and not yet read."""
        ...

    async def dismiss_notice(self, notice: int) -> None: ...

    async def retry_item(self, item: UUID) -> None: ...

    async def discard_item(self, item: UUID) -> None: ...

    async def dismiss_item(self, item: UUID) -> None: ...

    def retry_now(self) -> None: ...


class Outboxing(QObject):
    """`again` decides a payment that changed once more; `look` goes to it in the pending list."""

    standing_changed = Signal()

    def __init__(
        self,
        screen: OutboxScreen,
        port: OutboxPort,
        *,
        tasks: TaskRunner,
        clock: Callable[[], datetime],
        window: QWidget,
        tell: Tell,
        again: Callable[[OutboxItem], None],
        look: Callable[[UUID], None],
    ) -> None:
        super().__init__(screen)
        self._screen = screen
        self._port = port
        self._tasks = tasks
        self._clock = clock
        self._window = window
        self._tell = tell
        self._again = again
        self._look = look
        self._standing = Standing()
        self._changed: dict[UUID, OutboxItem] = {}  # not shown yet
        self._while_loading: dict[UUID, OutboxItem] = {}
        self._apply = Throttle(self._show_changed, later=timer_of(self))
        self._ages = QTimer(self)
        self._ages.timeout.connect(self._tick)
        self._ages.start(AGES_EVERY_MS)
        screen.came_up.connect(self.reload)
        screen.retry_wanted.connect(lambda item: self._do(lambda: port.retry_item(item)))
        screen.dismiss_wanted.connect(lambda item: self._do(lambda: port.dismiss_item(item)))
        screen.notice_read.connect(lambda id_: self._do(lambda: port.dismiss_notice(id_)))
        screen.discard_wanted.connect(self._want_discard)
        screen.again_wanted.connect(self._want_again)
        screen.retry_all_wanted.connect(self._want_all)
        # The runner outlives this office: what would write into a screen that is gone ends with it.
        for name in (self._named("load"), self._named("discard")):
            screen.destroyed.connect(lambda _gone, name=name: tasks.cancel(name))
        self.reload()

    def standing(self) -> Standing:
        """Count and age of what waits, and how many need the officer."""
        return self._standing

    def items_changed(self, items: Iterable[OutboxItem]) -> None:
        """Items are new or moved on. A burst of them is shown at once."""
        changed = {item.id: item for item in items}
        self._changed |= changed
        self._while_loading |= changed
        self._apply()

    def reload(self) -> None:
        """Read everything again from the file."""
        self._tasks.replace(self._named("load"), self._load())

    # --- inside ---

    async def _load(self) -> None:
        self._while_loading = {}
        try:
            items = await self._port.outbox_items()
            notices = await self._port.notices()
            others = await self._port.others_waiting()
        except ClientError as error:
            self._tell("danger", str(error))
            return
        # What was told meanwhile is newer than what was read.
        held = {item.id: item for item in items} | self._while_loading
        self._screen.show_items(held.values())
        self._screen.notices.show_notices(notices)
        self._screen.notices.show_others(others)
        self._tell_standing()

    def _show_changed(self) -> None:
        changed, self._changed = self._changed, {}
        self._screen.items_changed(changed.values())
        self._tell_standing()

    def _tell_standing(self) -> None:
        self._standing = self._screen.model.standing()
        self.standing_changed.emit()

    def _tick(self) -> None:
        self._screen.tick()
        self._tell_standing()

    def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        self._tasks.start("outbox", self._done(work))

    async def _done(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except ClientError as error:
            self._tell("danger", str(error))
        self.reload()

    def _want_discard(self, decision: UUID) -> None:
        self._tasks.replace(self._named("discard"), self._discard(decision))

    async def _discard(self, decision: UUID) -> None:
        row = self._screen.model.row(decision)
        if row is None:
            return
        item = row.decision
        agreed = await confirm(
            self._window,
            title="Discard this decision?",
            text=f"{verdict_words(item)} {format_rand(item.cents)},"
            f" {show_reference(item.reference)}, decided"
            f" {when_words(item.created_at, self._clock())}. It will not be carried out. That you"
            " withdrew it is signed and goes on the ledger. Should the backend have carried it out"
            " before, it stays carried out, and you will be told.",
            yes="Discard it",
            no="Keep it",
            danger=True,
        )
        if agreed:
            await self._done(lambda: self._port.discard_item(decision))

    def _want_again(self, decision: UUID) -> None:
        row = self._screen.model.row(decision)
        if row is None:
            return
        answer = row.decision.answer
        if answer is not None and answer.kind is AnswerKind.CONFLICT_CHANGED:
            self._again(row.decision)
        else:
            self._look(row.decision.enrollment)

    def _want_all(self) -> None:
        self._do(self._retry_all)

    async def _retry_all(self) -> None:
        """Also what needs a person: this is one."""
        self._port.retry_now()
        for row in self._screen.model.rows():
            if row.group is Group.NEEDS_YOU and ways_of(row).retry:
                await self._port.retry_item(row.lead.id)

    def _named(self, name: str) -> str:
        """Task names of this one alone: an office before it may still be on its way out."""
        return f"outbox {name} {id(self):x}"
