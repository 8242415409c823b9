"""Bugs: logged once, shown once, in one window that says what to do."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

log = logging.getLogger(__name__)


class CrashReporter:
    """Takes errors that are bugs. The same place failing again only counts up."""

    def __init__(self, show: Callable[[str], None] | None = None) -> None:
        """`show(details)` presents a new error; without it a crash window opens."""
        self._seen: dict[tuple[str, str, int], int] = {}
        self._show = show or self._open_window
        self._window: CrashWindow | None = None

    def __call__(self, error: BaseException, where: str) -> None:
        """Report `error`, which came up in `where` (the name of a task, "a window")."""
        key = _place(error)
        self._seen[key] = self._seen.get(key, 0) + 1
        if self._seen[key] > 1:
            return
        # The traceback names files and lines of ours; values, which may be personal, stay out.
        frames = "".join(traceback.format_tb(error.__traceback__))
        log.error("bug in %s: %s\n%s", where, type(error).__name__, frames)
        self._show(f"In {where}:\n{''.join(traceback.format_exception(error))}")

    @property
    def counts(self) -> tuple[int, ...]:
        """How often each different error came, in the order of their first time."""
        return tuple(self._seen.values())

    def _open_window(self, details: str) -> None:
        if self._window is None:
            self._window = CrashWindow(None)
        self._window.add(details)
        self._window.show()


class CrashWindow(QDialog):
    """Says that something went wrong inside, that no decision is lost, and gives the details."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Something went wrong")
        self.resize(640, 420)
        heading = QLabel("Something went wrong inside Bursar")
        heading.setProperty("look", "title")
        words = QLabel(
            "This is a fault of the program, not yours. Your decisions are kept on this computer."
            " You can go on working; if a screen looks wrong, close Bursar and start it again."
        )
        words.setWordWrap(True)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setAccessibleName("Details for support")
        buttons = QDialogButtonBox()
        copy = buttons.addButton("Copy details", QDialogButtonBox.ButtonRole.ActionRole)
        close = buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        copy.clicked.connect(self._copy)
        close.clicked.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(12)
        for widget in (heading, words, self._details, buttons):
            layout.addWidget(widget)

    def add(self, details: str) -> None:
        """Show one more error below the others."""
        self._details.appendPlainText(details)

    @property
    def details(self) -> str:
        return self._details.toPlainText()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.details)


def _place(error: BaseException) -> tuple[str, str, int]:
    """Kind and innermost line of an error: the same bug has the same place."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__, str(error), 0
    return type(error).__name__, frames[-1].filename, frames[-1].lineno or 0
