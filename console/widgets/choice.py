"""`ChoiceButton`: one of several, shown on the button itself; the others in a menu below it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu

from console.theme import Theme
from console.widgets.basic import Button

_ARROW = 14


class ChoiceButton(Button):
    """`chosen` is told when a person chooses. The first choice is the one that narrows nothing."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, name: str) -> None:
        """`name` is what a screen reader says before the choice."""
        super().__init__(theme, "", look="filter")
        self._arrow_theme = theme
        self._name = name
        self._group = QActionGroup(self)
        self._menu = QMenu(self)
        self._menu.setFont(theme.font())
        self._values: list[object] = []
        self.clicked.connect(lambda _checked: self._open())

    def set_choices(self, groups: Sequence[Sequence[tuple[object, str]]]) -> None:
        """Values with their words, a line between the groups; what was chosen stays chosen."""
        before = self.value
        self._menu.clear()
        self._values.clear()
        for action in self._group.actions():
            self._group.removeAction(action)
            action.deleteLater()
        for number, group in enumerate(groups):
            if number:
                self._menu.addSeparator()
            for value, words in group:
                self._add(value, words)
        self.choose(before if before in self._values else self._values[0])

    @property
    def value(self) -> object:
        """What is chosen."""
        if not self._values:
            return None
        return self._values[int(self._group.checkedAction().data())]

    def choose(self, value: object, words: str = "") -> None:
        """Show this one as chosen; nobody is told. `words` instead of the menu's own."""
        action = self._group.actions()[self._values.index(value)]
        action.setChecked(True)
        self._show(words or action.text())

    def _add(self, value: object, words: str) -> None:
        action = QAction(words.replace("&", "&&"), self._menu)
        action.setCheckable(True)
        action.setData(len(self._values))
        action.triggered.connect(lambda _checked, value=value: self._choose(value))
        self._values.append(value)
        self._group.addAction(action)
        self._menu.addAction(action)

    def _choose(self, value: object) -> None:
        self.choose(value)
        self.chosen.emit(value)

    def _show(self, words: str) -> None:
        self.setText(words)
        self.setAccessibleName(f"{self._name}: {words}")
        self.setProperty("narrowed", self.value != self._values[0])
        self.style().unpolish(self)
        self.style().polish(self)

    def _open(self) -> None:
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width() + _ARROW + 4, hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        ratio = round(self.devicePixelRatioF())
        arrow = self._arrow_theme.pixmap("chevron-down", "text_muted", _ARROW, ratio=ratio)
        painter = QPainter(self)
        painter.drawPixmap(self.width() - _ARROW - 8, (self.height() - _ARROW) // 2, arrow)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Down opens, as in any box of choices."""
        if event.key() == Qt.Key.Key_Down:
            self._open()
        else:
            super().keyPressEvent(event)
