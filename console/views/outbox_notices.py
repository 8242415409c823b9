"""What stands above the outbox: what was set aside, and what waits for another officer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from console.elsewhere import Elsewhere
from console.theme import Theme
from console.widgets.basic import Button, Icon, label, wrapped
from console.words import counted, when_words
from core.client.outbox import Notice


class NoticeStrip(QFrame):
    """One thing that was set aside: what, when, and where it is kept."""

    def __init__(self, theme: Theme, notice: Notice, *, now: datetime) -> None:
        super().__init__()
        self.notice = notice
        self.setProperty("look", "banner-warn")
        self.words = wrapped(theme, notice.message)
        small = [when_words(notice.at, now)]
        if notice.items:
            small.append(counted(len(notice.items), "decision", "decisions"))
        if notice.path is not None:
            small.append(f"kept at {notice.path}")
        self.small = wrapped(theme, " · ".join(small), look="muted")
        self.small.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.close_it = Button(theme, "I have read it", look="quiet")
        self.setAccessibleName(f"{notice.message} {self.small.text()}")
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self.words)
        column.addWidget(self.small)
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 8, 12, 8)
        row.setSpacing(10)
        row.addWidget(Icon(theme, "triangle-alert", "warn"), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        row.addWidget(self.close_it, 0, Qt.AlignmentFlag.AlignTop)


class OutboxNotices(QWidget):
    """Hidden while there is nothing to say."""

    read = Signal(int)
    """The id of a notice that the person has read."""

    def __init__(self, theme: Theme, *, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._theme = theme
        self._clock = clock
        self.strips: list[NoticeStrip] = []
        self.elsewhere: list[str] = []
        """What it says of queues that this console does not have open."""
        self._others = label(theme)
        self._others_row = self._line("banner-info", "users", "accent", self._others)
        self._others_row.hide()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._others_row)
        self.hide()

    @property
    def others(self) -> str:
        """What it says of other officers' decisions, or nothing."""
        return "" if self._others_row.isHidden() else self._others.text()

    def show_notices(self, notices: Sequence[Notice]) -> None:
        """These and no others."""
        if [strip.notice for strip in self.strips] == list(notices):
            return
        for strip in self.strips:
            strip.hide()
            strip.deleteLater()
        self.strips = [self._strip(notice) for notice in notices]
        for place, strip in enumerate(self.strips):
            self._column.insertWidget(place, strip)
        self._refresh()

    def show_others(self, count: int) -> None:
        """How many decisions of other officers wait on this computer."""
        number = counted(count, "decision", "decisions")
        wait, go = ("waits", "it goes") if count == 1 else ("wait", "they go")
        self._others.setText(
            f"{number} of another officer {wait} on this computer; {go} out when that officer"
            " signs in."
        )
        self._others_row.setAccessibleName(self._others.text())
        self._others_row.setVisible(count > 0)
        self._refresh()

    def show_elsewhere(self, found: Sequence[Elsewhere]) -> None:
        """Once: what waits in queues that this console could not open when it came in."""
        for one in found:
            self.elsewhere.append(one.words)
            words = wrapped(self._theme, one.words)
            row = self._line("banner-warn", "triangle-alert", "warn", words)
            row.setAccessibleName(one.words)
            self._column.addWidget(row)
        self._refresh()

    def _strip(self, notice: Notice) -> NoticeStrip:
        strip = NoticeStrip(self._theme, notice, now=self._clock())
        strip.close_it.setAccessibleName(f"I have read it: {notice.message}")
        strip.close_it.clicked.connect(lambda _checked: self.read.emit(notice.id))
        return strip

    def _line(self, look: str, icon: str, tone: str, words: QLabel) -> QFrame:
        frame = QFrame()
        frame.setProperty("look", look)
        row = QHBoxLayout(frame)
        row.setContentsMargins(20, 8, 12, 8)
        row.setSpacing(10)
        row.addWidget(Icon(self._theme, icon, tone))
        row.addWidget(words, 1)
        return frame

    def _refresh(self) -> None:
        told = self.strips or self.elsewhere or not self._others_row.isHidden()
        self.setVisible(bool(told))
