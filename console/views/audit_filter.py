"""What narrows the audit trail: time, who, what, and about which enrollment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from console.theme import Theme
from console.views.audit_words import ACTIONS
from console.widgets.basic import Button, label, wrapped
from console.widgets.choice import ChoiceButton
from console.widgets.filter_box import FilterBox
from core.client.audit import AuditQuery
from core.domain.references import is_valid
from core.protocol.messages import AuditActor

DAYS = "days"  # the person names them
_ANY: tuple[object, str] = (None, "Any time")
_TIMES: tuple[tuple[tuple[object, str], ...], ...] = (
    (_ANY,),
    ((0, "Today"), (1, "Since yesterday"), (6, "Last 7 days"), (29, "Last 30 days")),
    ((DAYS, "Choose days…"),),
)


class AuditFilterBar(QWidget):
    """`changed` is told with each other filter; `query` is what is wanted now."""

    changed = Signal()
    left = Signal()  # back to the rows
    days_wanted = Signal()  # ask for the days, then call `set_days`

    def __init__(self, theme: Theme, *, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._clock = clock
        self._days: tuple[date, date] | None = None
        self._query = AuditQuery()
        self.about = FilterBox(
            theme,
            name="Show one enrollment: its reference or id",
            hint="Reference or enrollment id   Ctrl+F",
        )
        self.about.setMaxLength(80)
        self.time = ChoiceButton(theme, "Time")
        self.actor = ChoiceButton(theme, "Who")
        self.action = ChoiceButton(theme, "What")
        self.clear_all = Button(theme, "Clear", look="quiet", icon="x", on_click=self.clear)
        self.clear_all.setToolTip("Show every entry")
        self.time.set_choices(_TIMES)
        self.show_actors(())
        self.action.set_choices([[(None, "Anything")], *ACTIONS])
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for part in (self.about, self.time, self.actor, self.action, self.clear_all):
            row.addWidget(part)
        row.addStretch(1)
        self.about.textChanged.connect(self._typed)
        self.about.left.connect(self._left)
        self.time.chosen.connect(self._time_chosen)
        self.actor.chosen.connect(lambda _value: self._refresh())
        self.action.chosen.connect(lambda _value: self._refresh())
        self.clear_all.setVisible(False)

    @property
    def query(self) -> AuditQuery:
        return self._query

    def show_actors(self, actors: Sequence[AuditActor]) -> None:
        """Who can be chosen: people first, then the two that are none."""
        people = [(one.actor, one.name) for one in actors if one.actor.startswith("user:")]
        others = [(one.actor, one.name) for one in actors if not one.actor.startswith("user:")]
        self.actor.set_choices([g for g in ([(None, "Anybody")], people, others) if g])

    def set_days(self, first: date, last: date) -> None:
        """From the first day to the end of the last one."""
        self._days = (first, last)
        words = _day(first) if first == last else f"{_day(first)} to {_day(last)}"
        self.time.choose(DAYS, words)
        self._refresh()

    def days_refused(self) -> None:
        """The person named no days: what was chosen before holds."""
        if self._days is None:
            self.time.choose(None)
        else:
            self.set_days(*self._days)

    def clear(self) -> None:
        """Show every entry again."""
        self._days = None
        for choice in (self.time, self.actor, self.action):
            choice.choose(None)
        self.about.clear()
        self._refresh()

    def focus_about(self) -> None:
        self.about.enter()

    # --- inside ---

    def _typed(self, text: str) -> None:
        """A whole reference or id is looked up at once; anything else waits for Enter."""
        if not text.strip() or is_valid(text) or _is_id(text.strip()):
            self._refresh()

    def _left(self) -> None:
        self._refresh()
        self.left.emit()

    def _time_chosen(self, value: object) -> None:
        if value == DAYS:
            self.days_wanted.emit()
        else:
            self._days = None
            self._refresh()

    def _refresh(self) -> None:
        actor, action = self.actor.value, self.action.value
        since, until = self._range()
        query = AuditQuery(
            actor=None if actor is None else str(actor),
            action=None if action is None else str(action),
            about=self.about.text().strip() or None,
            since=since,
            until=until,
        )
        self.clear_all.setVisible(not query.is_empty)
        if query != self._query:
            self._query = query
            self.changed.emit()

    def _range(self) -> tuple[datetime | None, datetime | None]:
        value = self.time.value
        if value == DAYS and self._days is not None:
            return _midnight(self._days[0]), _midnight(self._days[1] + timedelta(days=1))
        if isinstance(value, int):
            return _midnight(self._clock().astimezone().date() - timedelta(days=value)), None
        return None, None


class DaysDialog(QDialog):
    """Asks for a first and a last day; `days` is the answer, once accepted."""

    def __init__(self, theme: Theme, today: date, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Choose days")
        self.days: tuple[date, date] | None = None
        self.first = _day_box(theme, "First day", today - timedelta(days=6))
        self.last = _day_box(theme, "Last day", today)
        self.problem = wrapped(theme, look="danger")
        self.ok = Button(theme, "Show these days", look="primary", hint="Enter")
        self.ok.setDefault(True)
        self.ok.clicked.connect(self._take)
        cancel = Button(theme, "Cancel", hint="Esc", on_click=self.reject)
        cancel.setAutoDefault(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(12)
        layout.addWidget(label(theme, "Choose days", size="title"))
        for box in (self.first, self.last):
            row = QHBoxLayout()
            name = label(theme, box.accessibleName(), look="muted")
            name.setFixedWidth(72)
            row.addWidget(name)
            row.addWidget(box)
            layout.addLayout(row)
        layout.addWidget(label(theme, "Year, month and day, as 2026-03-31.", look="muted"))
        layout.addWidget(self.problem)
        self.problem.hide()
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(cancel)
        foot.addWidget(self.ok)
        layout.addLayout(foot)
        self.first.setFocus()

    def _take(self) -> None:
        try:
            first, last = (
                date.fromisoformat(self.first.text()),
                date.fromisoformat(self.last.text()),
            )
            _midnight(first), _midnight(last + timedelta(days=1))
        except (ValueError, OverflowError):
            self._tell("Write both days like 2026-03-31.")
            return
        if first > last:
            self._tell("The first day comes after the last one.")
            return
        self.days = (first, last)
        self.accept()

    def _tell(self, words: str) -> None:
        self.problem.setText(words)
        self.problem.show()


def _day_box(theme: Theme, name: str, day: date) -> QLineEdit:
    box = QLineEdit(day.isoformat())
    box.setFont(theme.font(tabular=True))
    box.setAccessibleName(name)
    box.setMaxLength(10)
    return box


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _midnight(day: date) -> datetime:
    """The first moment of a day where this computer is."""
    return datetime.combine(day, time()).astimezone()


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
