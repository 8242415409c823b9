"""What the officer saw beside what it is now, and the same decision again with one click."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from console.theme import Theme
from console.views.wording import ending_words, reason_words, side_by_side
from console.widgets.basic import Button, Icon, label, line, wrapped
from console.words import when_words
from core.client.outbox import OutboxItem
from core.domain.decisions import Verdict
from core.domain.money import format_rand
from core.domain.references import show_reference
from core.protocol.messages import EnrollmentRow
from core.protocol.signing import PayloadError, read_decision

_COLUMN = 230


class ConflictDialog(QDialog):
    """Accepted: decide again; where nothing is left to decide, take the old decision off the list.

    `facts` are (name, as shown, as it is, whether it changed), as on the screen.
    """

    def __init__(
        self, theme: Theme, item: OutboxItem, now: EnrollmentRow, parent: QWidget, *, at: datetime
    ) -> None:
        """`now` is the row as it is, which a new decision would be bound to; `at` is the time."""
        super().__init__(parent)
        self._theme = theme
        self.setWindowTitle("Compare and decide again")
        self.setProperty("look", "sheet")
        self.facts = _facts(item.shown, now)
        self.words = wrapped(theme, _words(item, now, at), look="muted")
        self.ok = self._ok_button(item, now)
        self.close_button = Button(theme, "Close", hint="Esc", on_click=self.reject)
        self._build(item, now, at)
        self.ok.setFocus()

    # --- building ---

    def _ok_button(self, item: OutboxItem, now: EnrollmentRow) -> Button:
        if not now.waiting:
            return Button(self._theme, "Take it off the list", look="primary", on_click=self.accept)
        if item.verdict is not Verdict.APPROVE:
            return Button(self._theme, "Reject again", look="danger", on_click=self.accept)
        cents = now.claim.amount_cents if now.claim else now.amount_cents
        text = f"Approve {format_rand(cents)}"  # the new amount, where it is another one
        return Button(self._theme, text, look="primary", on_click=self.accept)

    def _build(self, item: OutboxItem, now: EnrollmentRow, at: datetime) -> None:
        theme = self._theme
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        foot.addWidget(self.ok)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(10)
        title = "It changed while you decided" if now.waiting else "Somebody else was first"
        layout.addWidget(label(theme, title, size="title"))
        layout.addWidget(self.words)
        layout.addWidget(self._table(item, at))
        for words in _repeated(item) if now.waiting else ():
            layout.addWidget(wrapped(theme, words))
        layout.addSpacing(4)
        layout.addLayout(foot)
        self.setMinimumWidth(720)

    def _table(self, item: OutboxItem, at: datetime) -> QFrame:
        """One line per fact: its name, both sides, and for what differs a drawing and a word."""
        theme = self._theme
        card = QFrame()
        card.setProperty("look", "card")
        grid = QGridLayout(card)
        grid.setContentsMargins(16, 12, 16, 12)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnMinimumWidth(1, _COLUMN)
        grid.setColumnMinimumWidth(2, _COLUMN)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        seen = f"What you saw, {when_words(item.created_at, at)}"
        for column, words in enumerate(("", seen, "What it is now", ""), 0):
            heading = label(theme, words, look="muted")
            grid.addWidget(heading, 0, column)
        grid.addWidget(line(), 1, 0, 1, 4)
        for number, (name, before, now, changed) in enumerate(self.facts, 2):
            self._add_fact(grid, number, name, before, now, changed=changed)
        return card

    def _add_fact(
        self, grid: QGridLayout, number: int, name: str, before: str, now: str, *, changed: bool
    ) -> None:
        theme, top = self._theme, Qt.AlignmentFlag.AlignTop
        grid.addWidget(label(theme, name, look="muted"), number, 0, top)
        grid.addWidget(wrapped(theme, before), number, 1, top)
        after = wrapped(theme, now, look="changed" if changed else "")
        after.setAccessibleName(
            f"{name}: was {before}, is now {now}" if changed else f"{name}: same"
        )
        grid.addWidget(after, number, 2, top)
        if changed:
            grid.addWidget(_mark(theme), number, 3, top)


def _mark(theme: Theme) -> QWidget:
    mark = QWidget()
    row = QHBoxLayout(mark)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    row.addWidget(Icon(theme, "triangle-alert", "warn"))
    row.addWidget(label(theme, "Changed"))
    return mark


def _facts(
    shown: EnrollmentRow | None, now: EnrollmentRow
) -> tuple[tuple[str, str, str, bool], ...]:
    if shown is None:  # decided by an older console, which did not keep it
        return tuple((name, "not kept", after, False) for name, _, after in side_by_side(now, now))
    facts = side_by_side(shown, now)
    return tuple((name, before, after, before != after) for name, before, after in facts)


def _words(item: OutboxItem, now: EnrollmentRow, at: datetime) -> str:
    what = f"{format_rand(item.cents)} · {show_reference(item.reference)} · {now.student.name}"
    if not now.waiting:
        _, ending = ending_words(now, at)
        return f"{what}\n{ending}. Your decision changed nothing."
    verb = "approval" if item.verdict is Verdict.APPROVE else "rejection"
    return f"{what}\nYour {verb} was about what you saw, so nothing was done. Look at what changed."


def _repeated(item: OutboxItem) -> list[str]:
    """What goes with the verdict when it is given again."""
    try:
        reason = reason_words(read_decision(item.payload).reason_code)
    except PayloadError:
        reason = ""
    words = [f"Reason: {reason}"] if reason else []
    if item.note is not None:
        words.append(f"Your words: {item.note.text}")
    return words
