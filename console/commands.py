"""What a person can do, with words and keys: shortcuts, palette and help read this list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

_NATIVE = QKeySequence.SequenceFormat.NativeText


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do. The action carries keys, words and whether it can be done now."""

    name: str
    group: str
    action: QAction

    @property
    def text(self) -> str:
        return self.action.text()

    @property
    def keys(self) -> tuple[str, ...]:
        """Its shortcuts as a person reads them."""
        return tuple(keys.toString(_NATIVE) for keys in self.action.shortcuts())


class Commands(QObject):
    """The commands of one window, by name."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._commands: dict[str, Command] = {}

    def add(
        self,
        name: str,
        text: str,
        run: Callable[[], object],
        *,
        owner: QWidget,
        group: str,
        keys: Sequence[str] = (),
        whole_window: bool = False,
    ) -> Command:
        """`owner` has the keys while it or a part of it has the focus, or in the whole window."""
        action = QAction(text, owner)
        action.setShortcuts([QKeySequence(key) for key in keys])
        # A key held down must not decide about row after row.
        action.setAutoRepeat(False)
        context = Qt.ShortcutContext
        action.setShortcutContext(
            context.WindowShortcut if whole_window else context.WidgetWithChildrenShortcut
        )
        action.triggered.connect(lambda _checked: run())
        owner.addAction(action)
        command = Command(name, group, action)
        self._commands[name] = command
        return command

    def all(self) -> tuple[Command, ...]:
        """In the order in which they were added."""
        return tuple(self._commands.values())

    def named(self, name: str) -> Command:
        """Raises KeyError for a name that was never added."""
        return self._commands[name]

    def trigger(self, name: str) -> bool:
        """Do it as its key would; False when it cannot be done now."""
        action = self.named(name).action
        if not action.isEnabled():
            return False
        action.trigger()
        return True
