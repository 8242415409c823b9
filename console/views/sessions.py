"""Where somebody is signed in: a list, each line with a button that ends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from console.theme import Theme
from console.widgets.basic import Button, Icon, label, wrapped
from console.words import when_words
from core.protocol.messages import SessionRow


class SessionsView(QWidget):
    """`end_wanted` brings the session's id, `end_all_wanted` nothing; the owner does it."""

    end_wanted = Signal(object)  # UUID
    end_all_wanted = Signal()

    def __init__(self, theme: Theme, *, clock: Callable[[], datetime], all_words: str) -> None:
        """`all_words` is on the button that ends all (others)."""
        super().__init__()
        self._theme = theme
        self._clock = clock
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        self.words = wrapped(theme, "Loading…", look="muted")
        self.end_all = Button(theme, all_words, on_click=self.end_all_wanted.emit)
        self.end_buttons: list[Button] = []
        foot = QHBoxLayout()
        foot.addWidget(self.words, 1)
        foot.addWidget(self.end_all)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addLayout(self._rows)
        layout.addLayout(foot)
        self.end_all.setEnabled(False)

    def show_sessions(self, sessions: Sequence[SessionRow]) -> None:
        """Put these in place of the former ones; the one that asks comes first."""
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.end_buttons = []
        for session in sorted(sessions, key=lambda one: not one.current):
            self._rows.addWidget(self._row(session))
        others = sum(not session.current for session in sessions)
        self.words.setText("" if sessions else "Nowhere signed in.")
        self.end_all.setEnabled(others > 0)

    def tell_problem(self, text: str) -> None:
        """What is shown stays; the words say why there is nothing newer."""
        self.words.setText(text)

    def _row(self, session: SessionRow) -> QFrame:
        now = self._clock()
        row = QFrame()
        row.setProperty("look", "sunken")
        since = when_words(session.created_at, now)
        seen = "now" if session.current else when_words(session.seen_at, now)
        name = session.device or "Unknown device"
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(self._theme, f"{name} — this one" if session.current else name))
        words.addWidget(label(self._theme, f"Signed in {since}, last seen {seen}", look="muted"))
        layout = QHBoxLayout(row)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(
            Icon(self._theme, "monitor", "accent" if session.current else "text_muted")
        )
        layout.addLayout(words, 1)
        if not session.current:
            end = Button(self._theme, "End", on_click=lambda: self.end_wanted.emit(session.id))
            end.setAccessibleName(f"End the session {name}, signed in {since}")
            self.end_buttons.append(end)
            layout.addWidget(end)
        return row
