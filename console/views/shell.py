"""Everything around a screen: the rail, the banner, the status bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from console.theme import Theme
from console.views.status_bar import StatusBar
from console.widgets.basic import Button, ElidedLabel, Icon, RailButton, label
from console.widgets.notices import Banner, Toasts

COMPACT_BELOW = 1480
_COMPACT_WIDTH = 64
_BADGE_MOST = 99


@dataclass(frozen=True, slots=True)
class Screen:
    """One entry of the rail. `name` is stable, for commands and automation."""

    name: str
    title: str
    icon: str
    shortcut: str
    widget: QWidget


class Shell(QWidget):
    """Shows one of its screens; the rail is built from their list."""

    def __init__(
        self,
        theme: Theme,
        screens: Sequence[Screen],
        *,
        workspace: str,
        demo: bool,
        officer: str,
        on_palette: Callable[[], object],
        on_shortcuts: Callable[[], object],
    ) -> None:
        super().__init__()
        self._theme = theme
        self._screens = tuple(screens)
        self._on_palette, self._on_shortcuts = on_palette, on_shortcuts
        self.banner = Banner(theme)
        self.status = StatusBar(theme, officer)
        self._stack = QStackedWidget()
        self._buttons = QButtonGroup(self)
        self._rail = self._build_rail(theme, workspace, demo=demo)
        self._build()
        self.status.outbox_wanted.connect(lambda: self.open("outbox"))
        self.toasts = Toasts(theme, self, left=lambda: self._rail.width() + 20)
        self.open(self._screens[0].name)

    @property
    def screens(self) -> tuple[Screen, ...]:
        """In the order of the rail."""
        return self._screens

    @property
    def current(self) -> str:
        """The name of the screen that is shown."""
        return self._screens[self._stack.currentIndex()].name

    def open(self, name: str) -> bool:
        """Show a screen by its name; False if there is none."""
        for number, screen in enumerate(self._screens):
            if screen.name == name:
                self._stack.setCurrentIndex(number)
                self._buttons.button(number).setChecked(True)
                screen.widget.setFocus()
                return True
        return False

    def set_badge(self, name: str, count: int, spoken: str = "") -> None:
        """A figure beside a screen's name in the rail; none for 0."""
        for screen, button in zip(self._screens, self._rail_buttons, strict=True):
            if screen.name == name:
                text = "" if not count else str(count) if count <= _BADGE_MOST else "99+"
                button.set_badge(text, spoken)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_compact(compact=self.width() < COMPACT_BELOW)
        self.toasts.place()

    def _build(self) -> None:
        for screen in self._screens:
            self._stack.addWidget(screen.widget)
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.banner)
        middle.addWidget(self._stack, 1)
        upper = QHBoxLayout()
        upper.setSpacing(0)
        upper.addWidget(self._rail)
        upper.addLayout(middle, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(upper, 1)
        layout.addWidget(self.status)

    def _build_rail(self, theme: Theme, workspace: str, *, demo: bool) -> QFrame:
        rail = QFrame()
        rail.setProperty("look", "rail")
        self._rail_column = column = QVBoxLayout(rail)
        column.setSpacing(4)
        column.addLayout(self._brand(theme))
        self._workspace = ElidedLabel(theme, workspace, look="muted")
        column.addWidget(self._workspace)
        self._demo = label(theme, "Demo data", look="demo")
        self._demo.setToolTip("Nothing here is real: try everything.")
        self._demo.setVisible(demo)
        column.addWidget(self._demo, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(12)
        self._rail_buttons = []
        for number, screen in enumerate(self._screens):
            button = RailButton(
                theme, icon=screen.icon, text=screen.title, shortcut=screen.shortcut
            )
            button.clicked.connect(lambda _=False, name=screen.name: self.open(name))
            self._buttons.addButton(button, number)
            self._rail_buttons.append(button)
            column.addWidget(button)
        column.addStretch(1)
        self._small = [
            Button(theme, "Commands", look="rail-small", icon="command", on_click=self._on_palette),
            Button(
                theme, "Shortcuts", look="rail-small", icon="keyboard", on_click=self._on_shortcuts
            ),
        ]
        self._small_words = ["  Commands   Ctrl K", "  Shortcuts   ?"]
        for small, words in zip(self._small, self._small_words, strict=True):
            small.setToolTip(words.strip())
            small.setAccessibleName(words.split()[0])
            column.addWidget(small)
        return rail

    def _brand(self, theme: Theme) -> QHBoxLayout:
        self._brand_name = label(theme, "Bursar", size="heading")
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(Icon(theme, "landmark", "accent", size=20))
        row.addWidget(self._brand_name, 1)
        return row

    def _set_compact(self, *, compact: bool) -> None:
        """Small windows keep their width for the table: the rail shows icons alone."""
        self._rail.setFixedWidth(_COMPACT_WIDTH if compact else self._theme.tokens.size.rail)
        self._brand_name.setVisible(not compact)
        self._workspace.setVisible(not compact)
        self._demo.setText("Demo" if compact else "Demo data")
        side = 6 if compact else 12
        self._rail_column.setContentsMargins(side, 14, side, 12)
        for button in self._rail_buttons:
            button.set_compact(compact=compact)
        for small, words in zip(self._small, self._small_words, strict=True):
            small.setText("" if compact else words)
