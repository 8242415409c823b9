"""The Payments screen: five sections behind five tabs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QWidget,
)

from console.views.payments.alerts import AlertsSection
from console.views.payments.attempts import AttemptsSection
from console.views.payments.bench import PayBench
from console.views.payments.figures import Figures
from console.views.payments.late_money import LateMoneySection
from console.views.payments.refunds import RefundsSection
from console.views.payments.section import Section
from console.views.payments.webhooks import WebhooksSection
from console.widgets.basic import Button, IconButton, label
from console.widgets.frames import edge_to_edge

_MOST = 99
_S = TypeVar("_S", bound=Section[Any])
_NEW: Mapping[type[Section[Any]], Callable[[PayBench], Section[Any]]] = MappingProxyType(
    {
        AttemptsSection: AttemptsSection,
        LateMoneySection: LateMoneySection,
        RefundsSection: RefundsSection,
        WebhooksSection: WebhooksSection,
        AlertsSection: AlertsSection,
    }
)
NAMES = ("Attempts", "Late money", "Refunds", "Webhooks", "Alerts")


class PaymentsScreen(QWidget):
    """Each section is made when it is first opened; it fetches when it is seen, and again when
    there is news of card money."""

    came_up = Signal()
    alerts_seen = Signal(object)  # datetime (UTC) of the newest alert that the person saw

    def __init__(self, bench: PayBench) -> None:
        super().__init__()
        self._bench = bench
        self._made: dict[type[Section[Any]], Section[Any]] = {}
        self._kind: type[Section[Any]] = AttemptsSection
        self.tabs = QButtonGroup(self)
        self._stack = QStackedWidget()
        self._actions: list[QAction] = []
        self._build()
        self._add_commands()
        self.tabs.idClicked.connect(self._open)

    @property
    def section(self) -> Section[Any]:
        """The one that is shown."""
        return self.at(self._kind)

    def at(self, kind: type[_S]) -> _S:
        """The section of this kind."""
        made = self._made.get(kind)
        if made is None:
            made = self._made[kind] = _NEW[kind](self._bench)
            self._stack.addWidget(made)
            made.loaded.connect(self._see_alerts)
        assert isinstance(made, kind)  # noqa: S101 - it stands there under its kind
        return made

    def open_section(self, name: str) -> None:
        """By its words: Attempts, Late money, Refunds, Webhooks or Alerts."""
        self._open(NAMES.index(name))

    def news(self) -> None:
        """Something may have changed: fetch what is on the screen again."""
        if self.isVisible():
            self.section.refresh()

    def show_figures(self, figures: Figures) -> None:
        """How many of each need somebody. Attempts need nobody by themselves."""
        counts = (0, figures.late, figures.refunds, figures.dead, figures.alerts)
        for number, (name, count) in enumerate(zip(NAMES, counts, strict=True)):
            shown = "" if not count else f" {count}" if count <= _MOST else f" {_MOST}+"
            tab = self.tabs.button(number)
            tab.setText(f"{name}{shown}")
            need = "needs somebody" if count == 1 else "need somebody"
            tab.setAccessibleName(f"{name}: {count} {need}" if count else name)

    # --- Qt ---

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_section()
        self._refresh_actions()
        self.came_up.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._refresh_actions()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self._refresh_actions()

    # --- inside ---

    def _open(self, number: int) -> None:
        self.tabs.button(number).setChecked(True)
        self._kind = tuple(_NEW)[number]
        self._show_section()
        self.section.setFocus()

    def _show_section(self) -> None:
        section = self.section
        self._stack.setCurrentWidget(section)
        self.setFocusProxy(section)

    def _see_alerts(self) -> None:
        """Whoever looks at the alerts has seen them."""
        alerts = self._made.get(AlertsSection)
        if alerts is not None and alerts.isVisible() and alerts.model.records:
            self.alerts_seen.emit(max(row.last_at for row in alerts.model.records))

    def _here(self, do: Callable[[Section[Any]], object]) -> Callable[[], object]:
        """Do it to whichever section is shown then."""
        return lambda: do(self.section)

    def _refresh_actions(self) -> None:
        """The palette offers nothing of a screen out of sight."""
        for action in self._actions:
            action.setEnabled(self.isVisible() and self.isEnabled())

    def _add_commands(self) -> None:
        def add(name: str, text: str, run: Callable[[], object], *keys: str) -> None:
            made = self._bench.commands.add(
                f"payments {name}", text, run, owner=self, group="Payments", keys=keys
            )
            self._actions.append(made.action)

        for number, name in enumerate(NAMES):
            add(name.lower(), f"Payments: {name}", partial(self._open, number), str(number + 1))
        add("filter", "Filter this page", self._here(Section.go_filter), "/", "Ctrl+F")
        add("details", "Show or hide the details", self._here(Section.toggle_pane), "D")
        add("back", "Back to the rows", self._here(Section.go_back), "Esc")
        add(
            "copy",
            "Copy the reference",
            self._here(_copy),
            "C",
            "Ctrl+C",
        )
        add("older", "Older ones", self._here(Section.go_older), "Alt+Right")
        add("newer", "Newer ones", self._here(Section.go_newer), "Alt+Left")

    def _build(self) -> None:
        theme = self._bench.theme
        bar = QFrame()
        bar.setProperty("look", "toolbar")
        row = QHBoxLayout(bar)
        row.setContentsMargins(20, 10, 12, 10)
        row.setSpacing(4)
        row.addWidget(label(theme, "Payments", size="title"))
        row.addSpacing(20)
        for number, name in enumerate(NAMES):
            tab = Button(theme, name, look="quiet", hint=str(number + 1))
            tab.setCheckable(True)
            self.tabs.addButton(tab, number)
            row.addWidget(tab)
        row.addStretch(1)
        row.addWidget(
            IconButton(
                theme,
                "panel-right",
                "Show or hide details (D)",
                on_click=self._here(Section.toggle_pane),
            )
        )
        self.tabs.button(0).setChecked(True)
        edge_to_edge(self, bar, self._stack, grows=self._stack)


def _copy(section: Section[Any]) -> None:
    section.pane.copy_reference()
