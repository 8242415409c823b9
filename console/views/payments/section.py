"""One section of the Payments screen: a page of rows, and the chosen one beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from PySide6.QtCore import QEvent, QModelIndex, Signal
from PySide6.QtGui import QHideEvent, QShowEvent

from console.models.records import RecordModel
from console.runtime.tasks import Work
from console.views.payments.bench import PayBench
from console.views.payments.frame import About, SectionFrame
from console.views.payments.shown import Shown
from console.views.payments.ways import Done, Way, Ways
from console.widgets.basic import Button
from core.client.errors import ClientError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next_after` None: the last one."""

    rows: Sequence[T]
    next_after: UUID | None


class Section(SectionFrame, Generic[T]):
    """Holds one page at a time; `refresh` fetches it again and keeps selection and place.

    Subclasses say what is loaded and how a record reads, and add ways to act on it.
    """

    loaded = Signal()

    def __init__(
        self, bench: PayBench, model: RecordModel[T], about: About, *, key: Callable[[T], UUID]
    ) -> None:
        super().__init__(bench.theme, model, about)
        self.bench, self.model = bench, model
        self._key = key
        self._record: T | None = None  # beside the table
        self._has_result = False
        self._bringing = False
        self._busy = False
        self._run = 0  # counts the loads
        self._loading = self._stale = self._loaded = False
        self._cursors: list[UUID | None] = [None]  # where the pages up to this one begin
        self._next: UUID | None = None
        self.ways: Ways[T] = Ways(bench.theme, self.pane, self._want)
        self._task = f"payments {about.name} {id(self):x}"
        self._connect()
        self._refresh_body()

    # --- for subclasses ---

    async def load(self, after: UUID | None) -> Page[T]:
        """One page as the backend has it. Raises ClientError."""
        raise NotImplementedError  # abc and Qt's classes do not go together

    def describe(self, record: T) -> Shown:
        """What the pane says."""
        raise NotImplementedError  # as above

    def chosen(self, record: T) -> None:
        """Another record is shown, or the same one with news."""

    def add_way(self, way: Way[T]) -> Button:
        return self.ways.add(self.bench, self, self.about.name, way)

    def start(self, name: str, work: Work) -> None:
        """Run something of this section in place of what had this name; it ends with it."""
        self.bench.tasks.replace(f"{self._task} {name}", work)

    def show_again(self) -> None:
        """The shown record reads otherwise now."""
        if self._record is not None:
            self.pane.show_record(self.describe(self._record), is_other=False)

    # --- what others ask and do ---

    @property
    def record(self) -> T | None:
        """The one beside the table."""
        return self._record

    def refresh(self) -> None:
        """Fetch this page again; what is shown stays until the answer is there."""
        if self._loading:
            self._stale = True
        else:
            self._begin()

    def restart(self) -> None:
        """The newest page of another list."""
        self._show_nothing()
        self._go([None])

    def go_older(self) -> None:
        if self._next is not None:
            self._go([*self._cursors, self._next])

    def go_newer(self) -> None:
        if len(self._cursors) > 1:
            self._go(self._cursors[:-1])

    def go_back(self) -> None:
        """Escape: first out of the filter, then off the selection."""
        if self.filter.text():
            self.filter.clear()
        else:
            self.table.clear_current()
            self._show_nothing()
        self.take_focus()

    def go_filter(self) -> None:
        self.filter.enter()

    # --- loading ---

    def _go(self, cursors: list[UUID | None]) -> None:
        self._cursors = cursors
        self._begin()

    def _begin(self) -> None:
        self._run += 1
        self._loading = True
        self.bench.tasks.replace(self._task, self._load(self._run))

    async def _load(self, run: int) -> None:
        """Once more for whatever came up meanwhile."""
        self._stale = True
        while self._stale:
            self._stale = False
            try:
                page = await self.load(self._cursors[-1])
            except ClientError as error:
                self._tell_failure(str(error))
                break
            self._take(page)
        if run == self._run:
            self._loading = False

    def _take(self, page: Page[T]) -> None:
        if not page.rows and len(self._cursors) > 1:  # what stood here is gone
            self._cursors.pop()
            self._stale = True
            return
        self._loaded, self._next = True, page.next_after
        self.trouble.set_text("")
        self._bring(lambda: self.model.show(page.rows))
        self._refresh_body()
        self.loaded.emit()

    def _tell_failure(self, words: str) -> None:
        """Old rows are better than none: they stay, and the failure stands above them."""
        if self._loaded and self.model.count:
            self.trouble.set_text(f"Not up to date: {words}")
            return
        self.empty.set_action("Try again")
        self.empty.tell("circle-alert", words, action=True)
        self.show_part(self.empty)

    def _bring(self, change: Callable[[], None]) -> None:
        """A row that leaves by what was done here is still shown, with what became of it."""
        self._bringing = True
        change()
        self._bringing = False
        if self._record is None:
            return
        now = self.model.record(self._key(self._record))
        if now is not None:
            self._show(now)
        elif not self._has_result:
            self._show_nothing()

    # --- what is shown ---

    def _show(self, record: T) -> None:
        before = self._record
        is_other = before is None or self._key(before) != self._key(record)
        self._record = record
        if is_other:
            self._has_result = False
        self.chosen(record)
        self.pane.show_record(self.describe(record), is_other=is_other)
        self.refresh_ways()

    def _show_nothing(self) -> None:
        self._record, self._has_result = None, False
        self.pane.clear()
        self.refresh_ways()

    def _current_changed(self, key: UUID | None) -> None:
        record = self.model.record(key)
        if record is not None:
            self._show(record)
        elif not self._bringing:
            self._show_nothing()

    def refresh_ways(self) -> None:
        seen = self.isVisible() and self.isEnabled()
        self.ways.refresh(self._record, seen=seen, busy=self._busy)

    def _refresh_body(self) -> None:
        paged = len(self._cursors) > 1 or self._next is not None
        self.paging.setVisible(paged)
        self.newer.setEnabled(len(self._cursors) > 1)
        self.older.setEnabled(self._next is not None)
        self.place.set_text(f"Page {len(self._cursors)}, newest first")
        if self.model.rowCount():
            self.show_part(self.table)
            return
        if self.filter.text().strip():
            self.empty.set_action("Clear the filter")
            self.empty.tell("search", "Nothing on this page matches the filter.", action=True)
        else:
            words = self.about.empty[self.choice.value] if self._loaded else "Loading…"
            self.empty.tell(self.about.icon, words, action=False)
        self.show_part(self.empty)

    # --- doing ---

    def _want(self, way: Way[T]) -> None:
        record = self._record
        if record is not None and not self._busy and not way.why_not(record):
            self._busy = True
            self.take_focus()  # a button that cannot be pressed would give it away to anybody
            self.refresh_ways()
            self.start("act", self._act(way, record))

    async def _act(self, way: Way[T], record: T) -> None:
        if not way.asks:
            self.pane.progress.begin()
        done: Done[T] | None
        try:
            done = await way.run(record)
        except ClientError as error:
            done = Done("danger", str(error))
        self._busy = False
        self.pane.progress.end()
        if done is not None:
            self._tell(record, done)
            self.refresh()
        self.refresh_ways()

    def _tell(self, about: T, done: Done[T]) -> None:
        """In its place; in passing where somebody went on to another record meanwhile."""
        now = done.record
        if now is not None and self.model.record(self._key(now)) is not None:
            self._bring(lambda: self.model.put(now))
        if self._record is None or self._key(self._record) != self._key(about):
            self.bench.tell(done.kind, done.words)
            return
        if now is not None:
            self._show(now)
        self._has_result = True
        self.pane.result.tell(done.kind, done.words, "")

    # --- Qt ---

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
        self.refresh_ways()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.refresh_ways()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self.refresh_ways()

    # --- inside ---

    def _leave_empty(self) -> None:
        """The one action of the empty list."""
        if self.filter.text():
            self.filter.clear()
        else:
            self.refresh()

    def _filter_changed(self, text: str) -> None:
        self._bring(lambda: self.model.set_filter(text))
        self._refresh_body()

    def _go_rows(self) -> None:
        self.take_focus()
        if self.table.current_key is None:
            self.table.select_next()

    def _activated(self, _index: QModelIndex) -> None:
        self.pane.show()

    def _connect(self) -> None:
        self.choice.chosen.connect(lambda _value: self.restart())
        self.newer.clicked.connect(self.go_newer)
        self.older.clicked.connect(self.go_older)
        self.empty_action.connect(self._leave_empty)
        self.filter.textChanged.connect(self._filter_changed)
        self.filter.left.connect(self._go_rows)
        self.table.current_changed.connect(self._current_changed)
        self.table.activated.connect(self._activated)
        self.pane.close_wanted.connect(self.toggle_pane)
        # The runner outlives this section: what would write into a screen that is gone ends.
        tasks, task = self.bench.tasks, self._task
        for name in (task, f"{task} act", f"{task} detail"):
            self.destroyed.connect(lambda _gone, name=name: tasks.cancel(name))
