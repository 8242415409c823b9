"""`FormDialog`: named inputs, what is wrong with each beside it, and an answer that is awaited."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from console.theme import Theme
from console.widgets.basic import Button, label, wrapped
from console.widgets.check import CheckBox
from console.widgets.notices import Notice

Submit = Callable[[], Coroutine[Any, Any, str]]
"""Does what the form is for; the answer is what went wrong, in plain words, or nothing."""
Start = Callable[[Coroutine[Any, Any, None]], None]
"""Runs a coroutine as a task of the program."""


class FormDialog(QDialog):
    """Enter (in a text of many lines: Ctrl+Enter) submits, Escape leaves everything as it is.

    It closes only when `submit` succeeded. While an answer is awaited nothing can be sent twice.
    """

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        *,
        title: str,
        words: str = "",
        yes: str,
        start: Start,
        danger: bool = False,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._start = start
        self._submit: Submit | None = None
        self._checks: list[Callable[[], str]] = []
        self._busy = False
        self.setWindowTitle(title)
        self.setProperty("look", "sheet")
        self.notice = Notice(theme)
        self.ok = Button(theme, yes, look="danger" if danger else "primary", on_click=self.submit)
        self.cancel = Button(theme, "Cancel", hint="Esc", on_click=self.reject)
        self.ok.setAutoDefault(False)
        self.cancel.setAutoDefault(False)
        self._progress = QProgressBar()
        self._progress.setRange(0, 0)
        self._progress.setTextVisible(False)
        self._progress.hide()
        self._body = QVBoxLayout()
        self._body.setSpacing(6)
        self._build(theme, title, words)

    # --- what a form is made of ---

    def on_submit(self, submit: Submit) -> None:
        """What to do with the complete form."""
        self._submit = submit

    def check(self, check: Callable[[], str]) -> None:
        """`check` says in plain words what is missing, or nothing; asked before each submission."""
        self._checks.append(check)

    def add(self, widget: QWidget) -> None:
        self._body.addWidget(widget)

    def add_line(
        self, name: str, *, hint: str = "", text: str = "", secret: bool = False, limit: int = 200
    ) -> QLineEdit:
        """One line of text under its name."""
        edit = line_edit(self._theme, name, hint=hint, text=text, secret=secret, limit=limit)
        self._name(name, edit)
        self.add(edit)
        return edit

    def add_text(self, name: str, *, text: str = "", height: int = 84) -> QPlainTextEdit:
        """Text of many lines under its name."""
        edit = QPlainTextEdit(text)
        edit.setFont(self._theme.font())
        edit.setAccessibleName(name)
        edit.setTabChangesFocus(True)
        edit.setFixedHeight(height)
        self._name(name, edit)
        self.add(edit)
        return edit

    def add_choices(self, name: str, choices: Sequence[tuple[str, bool]]) -> list[CheckBox]:
        """Boxes to tick, each with its words and whether it is ticked."""
        self._body.addSpacing(4)
        self.add(label(self._theme, name))
        boxes: list[CheckBox] = []
        for words, ticked in choices:
            box = CheckBox(self._theme, words)
            box.setChecked(ticked)
            box.setAccessibleName(f"{name}: {words}")
            self.add(box)
            boxes.append(box)
        return boxes

    # --- what happens ---

    def submit(self) -> None:
        """As the button does it."""
        if self._busy or self._submit is None:
            return
        missing = next((said for check in self._checks if (said := check())), "")
        if missing:
            self.tell_problem("Please check", missing)
            return
        self.notice.hide()
        self._set_busy(busy=True)
        self._start(self._run(self._submit))

    def tell_problem(self, title: str, text: str) -> None:
        self.notice.tell("warn", title, text)

    def reject(self) -> None:
        """Not while an answer is awaited: nobody would know what became of it."""
        if not self._busy:
            super().reject()

    async def _run(self, submit: Submit) -> None:
        try:
            problem = await submit()
        finally:
            self._set_busy(busy=False)
        if problem:
            self.tell_problem("That did not work", problem)
        else:
            self.accept()

    def _set_busy(self, *, busy: bool) -> None:
        self._busy = busy
        self._progress.setVisible(busy)
        self.ok.setEnabled(not busy)
        self.cancel.setEnabled(not busy)

    # --- inside ---

    def _build(self, theme: Theme, title: str, words: str) -> None:
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addStretch(1)
        foot.addWidget(self.cancel)
        foot.addWidget(self.ok)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(8)
        layout.addWidget(label(theme, title, size="title"))
        if words:
            layout.addWidget(wrapped(theme, words, look="muted"))
        layout.addWidget(self.notice)
        layout.addLayout(self._body)
        layout.addSpacing(4)
        layout.addWidget(self._progress)
        layout.addSpacing(4)
        layout.addLayout(foot)
        self.setMinimumWidth(460)

    def _name(self, name: str, edit: QWidget) -> None:
        shown = label(self._theme, name)
        shown.setBuddy(edit)
        self._body.addSpacing(4)
        self.add(shown)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if Qt.Key(event.key()) in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            if self.cancel.hasFocus():
                self.reject()
            else:
                self.submit()
        else:
            super().keyPressEvent(event)


def line_edit(
    theme: Theme,
    name: str,
    *,
    hint: str = "",
    text: str = "",
    secret: bool = False,
    limit: int = 200,
) -> QLineEdit:
    """A line to type in; a `secret` one shows dots."""
    edit = QLineEdit(text)
    edit.setFont(theme.font())
    edit.setPlaceholderText(hint)
    edit.setAccessibleName(name)
    edit.setMaxLength(limit)
    if secret:
        edit.setEchoMode(QLineEdit.EchoMode.Password)
    return edit


def card(theme: Theme, title: str, parts: Sequence[QWidget]) -> QFrame:
    """Parts under a heading, in a box."""
    made = QFrame()
    made.setProperty("look", "card")
    inner = QVBoxLayout(made)
    inner.setContentsMargins(20, 16, 20, 16)
    inner.setSpacing(12)
    inner.addWidget(label(theme, title, size="heading"))
    for part in parts:
        inner.addWidget(part)
    return made
