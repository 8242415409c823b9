"""All keys on one sheet (F1 or ?), and the command palette (Ctrl+K)."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from console.commands import Command, Commands
from console.theme import Theme
from console.widgets.basic import Button, key_hint, label

# Keys of the table itself, which are no commands.
_TABLE_KEYS = (("Move between rows", ("↑", "↓", "J", "K")), ("First, last row", ("Home", "End")))


_NAME = Qt.ItemDataRole.UserRole
_KEYS = Qt.ItemDataRole.UserRole + 1


class _KeysAtTheRight(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().paint(painter, option, index)
        painter.save()
        painter.setPen(self._theme.colour("text_muted"))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(option.rect.adjusted(0, 0, -12, 0), int(right), str(index.data(_KEYS)))
        painter.restore()


class ShortcutSheet(QDialog):
    """Lists every command with its keys."""

    def __init__(self, theme: Theme, commands: Commands, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        grid = QGridLayout()
        grid.setHorizontalSpacing(32)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        with_keys = [command for command in commands.all() if command.keys]
        for group, members in groupby(
            sorted(with_keys, key=lambda command: command.group), lambda command: command.group
        ):
            lines = [(command.text.rstrip("…"), command.keys) for command in members]
            self._add_group(theme, grid, group, lines)
        self._add_group(theme, grid, "Rows", list(_TABLE_KEYS))
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(Button(theme, "Close", hint="Esc", on_click=self.reject))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(16)
        layout.addWidget(label(theme, "Keyboard shortcuts", size="title"))
        layout.addLayout(grid)
        layout.addLayout(foot)
        self.setMinimumWidth(460)

    @staticmethod
    def _add_group(
        theme: Theme, grid: QGridLayout, name: str, lines: list[tuple[str, tuple[str, ...]]]
    ) -> None:
        row = grid.rowCount()
        heading = label(theme, name, look="muted")
        heading.setContentsMargins(0, 8, 0, 0)
        grid.addWidget(heading, row, 0)
        for number, (words, keys) in enumerate(lines, row + 1):
            grid.addWidget(label(theme, words), number, 0)
            box = QHBoxLayout()
            box.setSpacing(4)
            box.addStretch(1)
            for key in keys:
                box.addWidget(key_hint(theme, key))
            grid.addLayout(box, number, 1)


class CommandPalette(QDialog):
    """Type to find a command; `chosen` is it, once accepted."""

    def __init__(self, theme: Theme, commands: Commands, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Commands")
        self.chosen: Command | None = None
        self._commands = commands.all()
        self.search = QLineEdit()
        self.search.setFont(theme.font())
        self.search.setPlaceholderText("What do you want to do?")
        self.search.setAccessibleName("Find a command")
        self.list = QListWidget()
        self.list.setFont(theme.font())
        self.list.setAccessibleName("Commands")
        self.list.setItemDelegate(_KeysAtTheRight(theme, self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemClicked.connect(lambda _: self._choose())
        self.search.textChanged.connect(self._find)
        self.search.returnPressed.connect(self._choose)
        self.search.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        self.resize(480, 420)
        self._find("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The arrow keys move in the list while the words are typed."""
        if watched is self.search and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if event.type() == QEvent.Type.KeyPress and step is not None:
                row = self.list.currentRow() + step
                self.list.setCurrentRow(min(max(row, 0), self.list.count() - 1))
                return True
        return False

    def _find(self, text: str) -> None:
        words = text.casefold().split()
        self.list.clear()
        for command in self._commands:
            name = command.text.casefold()
            if command.action.isEnabled() and all(word in name for word in words):
                item = QListWidgetItem(command.text)
                item.setData(_NAME, command.name)
                item.setData(_KEYS, command.keys[0] if command.keys else "")
                self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _choose(self) -> None:
        if not self.list.count():
            return
        name = self.list.currentItem().data(_NAME)
        self.chosen = next(command for command in self._commands if command.name == name)
        self.accept()
