"""Dialogs as futures: opened, never `exec()`-ed, which would wedge every other task."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget


async def shown(dialog: QDialog) -> bool:
    """Open `dialog` over its parent and wait for the person: True when accepted.

    The dialog is gone afterwards. Cancelling the waiting task closes it.
    """
    answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def finished(result: int) -> None:
        if not answered.done():
            answered.set_result(result == QDialog.DialogCode.Accepted.value)

    dialog.finished.connect(finished)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.open()
    try:
        return await answered
    finally:
        dialog.close()
        dialog.deleteLater()


async def confirm(
    parent: QWidget, *, title: str, text: str, yes: str, no: str = "Cancel", danger: bool = False
) -> bool:
    """Ask a yes-or-no question; Escape and closing the dialog mean no."""
    return await shown(ConfirmDialog(parent, title=title, text=text, yes=yes, no=no, danger=danger))


class ConfirmDialog(QDialog):
    """A question with two answers; the safe one has the focus where the other is dangerous."""

    def __init__(
        self, parent: QWidget, *, title: str, text: str, yes: str, no: str, danger: bool
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        heading = QLabel(title)
        heading.setProperty("look", "heading")
        words = QLabel(text)
        words.setWordWrap(True)
        words.setMinimumWidth(360)
        buttons = QDialogButtonBox()
        self.yes = buttons.addButton(yes, QDialogButtonBox.ButtonRole.AcceptRole)
        self.no = buttons.addButton(no, QDialogButtonBox.ButtonRole.RejectRole)
        self.yes.setProperty("look", "danger" if danger else "primary")
        safe = self.no if danger else self.yes
        safe.setDefault(True)
        safe.setFocus()
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(12)
        for widget in (heading, words, buttons):
            layout.addWidget(widget)
