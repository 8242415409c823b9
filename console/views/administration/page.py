"""What the pages of the administration have in common: a table, what can be done with its row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from console.models.records import RecordModel
from console.runtime.dialogs import shown
from console.views.administration.port import AdministrationPort
from console.views.workbench import Workbench
from console.widgets.basic import Button, ElidedLabel, label
from console.widgets.notices import EmptyState
from console.widgets.table import LiveTable, set_widths
from core.client.errors import ClientError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench(Workbench):
    """What each page works with. `me` is the administrator at this console."""

    port: AdministrationPort
    me: UUID

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something a person asked for, beside whatever else runs."""
        self.tasks.start("administration", work)

    async def ask(self, dialog: QDialog) -> bool:
        """Open a dialog and wait for the person: True when accepted."""
        return await shown(dialog)


async def problem_of(work: Awaitable[object]) -> str:
    """Why `work` could not be done, in plain words, or nothing. For forms."""
    try:
        await work
    except ClientError as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True)
class Action(Generic[T]):
    """One thing to do with the selected row. `why_not` says why it cannot be done, or nothing;
    `words`, where given, are the button's for that row."""

    button: Button
    why_not: Callable[[T], str]
    words: Callable[[T], str] | None


class RecordPage(QWidget, Generic[T]):
    """A heading with its buttons, the table, and below it what can be done with the row.

    Subclasses say what is loaded and add actions; `refresh` fetches again and keeps the place.
    """

    def __init__(
        self, bench: Bench, model: RecordModel[T], *, name: str, icon: str, empty: str, hint: str
    ) -> None:
        """`name` is the page's title, `empty` what it says without rows, `hint` without a row."""
        super().__init__()
        self.bench = bench
        self.model = model
        self._name, self._icon, self._empty_words, self._hint = name, icon, empty, hint
        self._actions: list[Action[T]] = []
        theme = bench.theme
        self.table = LiveTable(theme, model, name=name)
        self.empty = EmptyState(
            theme, icon=icon, text="Loading…", action="Try again", on_action=self.refresh
        )
        self.empty.tell(icon, "Loading…", action=False)
        self._heading = label(theme, name, size="heading")
        self.chosen = ElidedLabel(theme, hint, look="muted")
        self.tools = QHBoxLayout()
        self.foot = QHBoxLayout()
        self._pages = QStackedWidget()
        self._loaded = False
        self.column = QVBoxLayout(self)
        self._build()
        self._set_columns()
        self.table.current_changed.connect(lambda _: self.refresh_actions())
        model.batch_ended.connect(self.refresh_actions)
        self.setFocusProxy(self.table)

    # --- for subclasses ---

    async def load(self) -> Sequence[T]:
        """The records as the backend has them. Raises ClientError."""
        raise NotImplementedError  # abc and Qt classes do not go together

    def name_of(self, record: T) -> str:
        """How the selected record is called below the table."""
        raise NotImplementedError  # as above

    def add_tool(self, text: str, run: Callable[[], object], *, icon: str, key: str = "") -> Button:
        """A button in the heading, with a key while the page has the focus."""
        button = Button(self.bench.theme, text, icon=icon, hint=key, on_click=run)
        self.tools.addWidget(button)
        if key:
            self._add_command(text, run, key)
        return button

    def add_action(
        self,
        text: str,
        run: Callable[[T], object],
        *,
        why_not: Callable[[T], str] = lambda _: "",
        words: Callable[[T], str] | None = None,
        key: str = "",
    ) -> Button:
        """A button below the table that acts on the selected row, perhaps with a key."""

        def act() -> None:
            record = self.selected
            if record is not None and not why_not(record):
                run(record)

        button = Button(self.bench.theme, text, hint=key, on_click=act)
        self.foot.addWidget(button)
        self._actions.append(Action(button, why_not, words))
        if key:
            self._add_command(text, act, key)
        self.refresh_actions()
        return button

    # --- what others ask and do ---

    @property
    def selected(self) -> T | None:
        return self.model.record(self.table.current_key)

    def refresh(self) -> None:
        """Fetch again; what is shown stays until the answer is there."""
        self.bench.tasks.replace(f"load {self._name}", self.reload())

    async def reload(self) -> None:
        """The same, for who wants to wait until it is shown."""
        try:
            records = await self.load()
        except ClientError as error:
            self._tell_failure(str(error))
            return
        self.model.show(records)
        self.empty.tell(self._icon, self._empty_words, action=False)
        self._pages.setCurrentWidget(self.table if records else self.empty)
        self.refresh_actions()
        if not self._loaded and records and self.isVisible():
            self.table.setFocus()  # it was hidden when the page was opened
        self._loaded = True

    def _tell_failure(self, words: str) -> None:
        """Old rows are better than none: they stay, and the failure is told in passing."""
        if self._loaded and self.model.count:
            self.bench.tell("warn", f"{self._name}: {words}")
            return
        self.empty.tell("circle-alert", words, action=True)
        self._pages.setCurrentWidget(self.empty)

    def refresh_actions(self) -> None:
        """What can be done depends on the selected record."""
        record = self.selected
        self.chosen.set_text(self._hint if record is None else self.name_of(record))
        for action in self._actions:
            reason = self._hint if record is None else action.why_not(record)
            action.button.setEnabled(not reason)
            action.button.setToolTip(reason)
            if record is not None and action.words is not None:
                action.button.setText(action.words(record))

    # --- inside ---

    def _add_command(self, text: str, run: Callable[[], object], key: str) -> None:
        self.bench.commands.add(
            f"{self._name}: {text}".lower(),
            f"{self._name}: {text}",
            run,
            owner=self,
            group="Administration",
            keys=(key,),
        )

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(20, 12, 12, 8)
        head.setSpacing(8)
        head.addWidget(self._heading)
        head.addStretch(1)
        head.addLayout(self.tools)
        foot = QFrame()
        foot.setProperty("look", "foot")
        self.foot.setContentsMargins(20, 10, 12, 10)
        self.foot.setSpacing(8)
        foot.setLayout(self.foot)
        self.foot.addWidget(self.chosen, 1)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.table)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(0)
        self.column.addLayout(head)
        self.column.addWidget(self._pages, 1)
        self.column.addWidget(foot)

    def _set_columns(self) -> None:
        widths = [column.width for column in self.model.columns]
        set_widths(self.table, widths, mode=QHeaderView.ResizeMode.Interactive)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
