"""`Auditing`: brings the Audit screen what it lacks, page by page, and follows the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from console.runtime.dialogs import shown
from console.runtime.tasks import TaskRunner, Work
from console.theme import Theme
from console.views.audit import AuditScreen
from console.views.audit_filter import DaysDialog
from core.client.audit import AuditQuery, EntryChecks
from core.client.errors import ClientError
from core.protocol.messages import AuditActors, AuditEntry, AuditOutline, AuditPage

# While somebody runs through the rows with a key held down, nothing is checked for each of them.
CHECK_AFTER_SECONDS = 0.08
# A burst of entries is fetched at once, and nothing for where the scroll bar only passes.
SERVE_AFTER_SECONDS = 0.05
_PAGES_TO_CATCH_UP = 5
_SERVE, _OPEN, _ACTORS, _CHECK, _DAYS = _NAMES = ("serve", "open", "actors", "check", "days")


class AuditPort(Protocol):
    """Where entries come from; `core.client.audit.AuditReader` is one."""

    async def page(self, query: AuditQuery, *, before: int | None = None) -> AuditPage: ...

    async def outline(self, query: AuditQuery, *, before: int | None = None) -> AuditOutline: ...

    async def actors(self) -> AuditActors: ...

    async def check(self, entry: AuditEntry) -> EntryChecks: ...


class Auditing(QObject):
    """Asks nothing before the screen was seen for the first time, nor while it is not seen."""

    def __init__(
        self,
        theme: Theme,
        screen: AuditScreen,
        port: AuditPort,
        *,
        tasks: TaskRunner,
        clock: Callable[[], datetime],
        window: QWidget,
    ) -> None:
        super().__init__(screen)
        self._theme = theme
        self._screen = screen
        self._port = port
        self._tasks = tasks
        self._clock = clock
        self._window = window
        self._is_open = False
        self._opened = 0  # counts the lists
        self._query = AuditQuery()
        self._known = 0  # entries of the ledger that the list knows of
        self._grown = 0  # entries of the ledger that the feed told of
        self._wanted = asyncio.Event()
        self._older_wanted = False
        screen.came_up.connect(self._came_up)
        screen.reopen_wanted.connect(self.reopen)
        screen.rows_wanted.connect(self._wanted.set)
        screen.older_wanted.connect(self._want_older)
        screen.entry_wanted.connect(self._check)
        screen.filter.days_wanted.connect(lambda: self._start(_DAYS, self._ask_days()))
        # The runner outlives this office: what would write into a screen that is gone ends with it.
        for name in [self._named(name) for name in _NAMES]:
            screen.destroyed.connect(lambda _gone, name=name: tasks.cancel(name))

    @property
    def known(self) -> int:
        """How many entries of the ledger the list knows of."""
        return self._known

    def ledger_grew(self, size: int) -> None:
        """The feed told of entries up to this size."""
        self._grown = max(self._grown, size)
        self._wanted.set()

    def connection_came_back(self) -> None:
        """What could not be fetched may be fetched now."""
        if self._is_open:
            self._wanted.set()
        else:
            self.reopen()

    def reopen(self) -> None:
        """The list from its top, with the filter as it is now."""
        self._is_open = False
        if self._screen.isVisible():  # otherwise when it is seen again
            self._start(_OPEN, self._open(self._screen.filter.query))

    # --- inside ---

    def _came_up(self) -> None:
        if not self._tasks.is_running(self._named(_SERVE)):
            self._start(_SERVE, self._serve())
            self._start(_ACTORS, self._load_actors())
        if self._is_open:
            self._wanted.set()
        else:
            self.reopen()

    def _want_older(self) -> None:
        self._older_wanted = True
        self._wanted.set()

    def _check(self, entry: AuditEntry) -> None:
        self._start(_CHECK, self._load_checks(entry))

    def _start(self, name: str, work: Work) -> None:
        self._tasks.replace(self._named(name), work)

    def _named(self, name: str) -> str:
        """Task names of this one alone: an office before it may still be on its way out."""
        return f"audit {name} {id(self):x}"

    async def _open(self, query: AuditQuery) -> None:
        self._screen.tell_loading()
        try:
            outline = await self._port.outline(query)
        except ClientError as error:
            self._screen.tell_problem(str(error))
            return
        self._query, self._known, self._is_open = query, outline.size, True
        self._opened += 1
        self._older_wanted = False
        self._screen.show_list(outline, filtered=not query.is_empty)
        self._wanted.set()

    async def _serve(self) -> None:
        """One request after the other, always for what is wanted in that moment."""
        while True:
            await self._wanted.wait()
            await asyncio.sleep(SERVE_AFTER_SECONDS)
            self._wanted.clear()
            if not self._is_open or not self._screen.isVisible():
                continue
            try:
                await self._load_rows(self._opened)
                await self._load_older(self._opened)
                await self._follow(self._opened)
            except ClientError as error:
                self._screen.tell_trouble(f"Some entries cannot be shown: {error}")

    async def _load_rows(self, opened: int) -> None:
        """Page by page what is in view now, until nothing of it is missing."""
        screen = self._screen
        while (seen := screen.table.visible_rows) is not None:
            page = screen.model.missing(*seen)
            if page is None:
                return
            found = await self._port.page(self._query, before=screen.model.before(page))
            if not self._is_still(opened):
                return
            screen.put_page(page, found.entries)

    async def _load_older(self, opened: int) -> None:
        before = self._screen.model.next_before
        wanted, self._older_wanted = self._older_wanted, False
        if not wanted or before is None:
            return
        outline = await self._port.outline(self._query, before=before)
        if self._is_still(opened):
            self._screen.extend(outline)

    async def _follow(self, opened: int) -> None:
        """Bring what is new to the top."""
        known, found = self._known, list[AuditEntry]()
        if self._grown <= known:
            return
        size, before = known, None
        for _ in range(_PAGES_TO_CATCH_UP):
            page = await self._port.page(self._query, before=before)
            if not self._is_still(opened):
                return
            size = max(size, page.size)
            new = [entry for entry in page.entries if entry.index >= known]
            found += new
            if not new or len(new) < len(page.entries):
                break
            before = new[-1].index
        else:
            self.reopen()
            return
        self._known = size
        self._screen.bring(found)

    def _is_still(self, opened: int) -> bool:
        """Whether this is the list that is shown; another may have been opened meanwhile."""
        return self._is_open and self._opened == opened

    async def _load_actors(self) -> None:
        try:
            actors = await self._port.actors()
        except ClientError:
            return  # the others can still be filtered by
        self._screen.filter.show_actors(actors.actors)

    async def _load_checks(self, entry: AuditEntry) -> None:
        await asyncio.sleep(CHECK_AFTER_SECONDS)
        self._screen.show_checks(entry, await self._port.check(entry))

    async def _ask_days(self) -> None:
        dialog = DaysDialog(self._theme, self._clock().astimezone().date(), self._window)
        if await shown(dialog) and dialog.days is not None:
            self._screen.filter.set_days(*dialog.days)
        else:
            self._screen.filter.days_refused()
