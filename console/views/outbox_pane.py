"""The right pane of the outbox: one decision, what happened to it, and what can be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from console.theme import Theme
from console.views.outbox_words import (
    OutboxRow,
    Ways,
    next_step,
    reason_of,
    state_of,
    telling,
    tried_words,
    verdict_words,
    ways_of,
)
from console.widgets.basic import Button, Icon, IconButton, label
from console.widgets.fields import Field, FieldList
from console.widgets.notices import EmptyState, Notice
from console.words import age_words, when_words, whole
from core.client.outbox import OutboxState
from core.domain.money import format_rand
from core.domain.references import show_reference

_NO_WAYS = Ways()


class OutboxPane(QFrame):
    """Shows one row of the outbox; `ways` is what can be done about it now."""

    close_wanted = Signal()

    def __init__(self, theme: Theme, *, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._clock = clock
        self._row: OutboxRow | None = None
        self.setProperty("look", "pane")
        self._empty = EmptyState(
            theme, icon="panel-right", text="Select a decision to see what became of it."
        )
        self._icon = Icon(theme, "send", "text_muted")
        self._state = label(theme, size="heading")
        self._amount = label(theme, size="title")
        self._amount.setAccessibleName("Amount")
        self._reference = Button(theme, "", look="quiet", icon="copy", on_click=self.copy_reference)
        self._reference.setToolTip("Copy the reference (C)")
        self.notice = Notice(theme)
        self.fields = FieldList(theme)
        self.retry = Button(theme, "Try now", look="primary", hint="R")
        self.discard = Button(theme, "Discard…", hint="Del")
        self.dismiss = Button(theme, "Dismiss", hint="X")
        self.again = Button(theme, "Decide again…", look="primary", hint="G")
        self._foot = QFrame()
        self._build(theme)
        self.clear()

    @property
    def row(self) -> OutboxRow | None:
        """What is shown."""
        return self._row

    @property
    def ways(self) -> Ways:
        return _NO_WAYS if self._row is None else ways_of(self._row)

    def clear(self) -> None:
        """Nothing is selected."""
        self._row = None
        self._foot.hide()
        self._pages.setCurrentIndex(0)

    def show_row(self, row: OutboxRow) -> None:
        is_other = self._row is None or self._row.key != row.key
        self._row = row
        if is_other:
            self._scroll.verticalScrollBar().setValue(0)
        self.refresh()
        self._pages.setCurrentIndex(1)

    def refresh(self) -> None:
        """Say it all again: the clock has moved on."""
        row = self._row
        if row is None:
            return
        now, state, item = self._clock(), state_of(row), row.decision
        self._icon.show_icon(state.icon, state.tone)
        self._state.setText(f"{state.words} · {verdict_words(item)}")
        self._amount.setText(format_rand(item.cents))
        shown = show_reference(item.reference)
        self._reference.setText(f" {shown}")
        self._reference.setAccessibleName(f"Copy reference {shown}")
        kind, words = telling(row)
        self.notice.tell(kind, words, next_step(row, now))
        self.fields.show_fields(_facts(row, now))
        self._show_ways()
        self.setAccessibleName(f"{self._state.text()}, {shown}. {words}")

    def copy_reference(self) -> None:
        """Put the reference on the clipboard."""
        if self._row is not None:
            QGuiApplication.clipboard().setText(show_reference(self._row.decision.reference))

    # --- building ---

    def _build(self, theme: Theme) -> None:
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._empty)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._body())
        column.addLayout(self._head(theme))
        column.addWidget(self._scroll, 1)
        column.addWidget(self._foot)
        self._build_foot()
        self._pages.addWidget(page)

    def _head(self, theme: Theme) -> QVBoxLayout:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._icon)
        top.addWidget(self._state, 1)
        top.addWidget(
            IconButton(theme, "panel-right", "Hide details (D)", on_click=self.close_wanted.emit)
        )
        money = QHBoxLayout()
        money.addWidget(self._amount)
        money.addStretch(1)
        money.addWidget(self._reference)
        head = QVBoxLayout()
        head.setContentsMargins(20, 10, 12, 10)
        head.setSpacing(0)
        head.addLayout(top)
        head.addLayout(money)
        return head

    def _body(self) -> QWidget:
        body = QWidget()
        body.setProperty("look", "scrolled")
        layout = QVBoxLayout(body)
        layout.setContentsMargins(20, 4, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(self.notice)
        layout.addWidget(self.fields)
        layout.addStretch(1)
        return body

    def _build_foot(self) -> None:
        self._foot.setProperty("look", "foot")
        buttons = QHBoxLayout(self._foot)
        buttons.setContentsMargins(20, 12, 20, 12)
        buttons.setSpacing(8)
        for button, share in ((self.discard, 1), (self.dismiss, 1), (self.retry, 2)):
            buttons.addWidget(button, share)
        buttons.addWidget(self.again, 2)

    # --- words ---

    def _show_ways(self) -> None:
        ways = self.ways
        self.retry.setVisible(ways.retry)
        self.discard.setVisible(ways.discard)
        self.dismiss.setVisible(ways.dismiss)
        self.again.setVisible(bool(ways.again))
        self.again.setText(ways.again)
        self._foot.setVisible(ways != _NO_WAYS)


def _facts(row: OutboxRow, now: datetime) -> list[Field]:
    """What is known; what is not does not stand there."""
    item, lead = row.decision, row.lead
    facts = [("Decision", verdict_words(item)), ("Reason", reason_of(item))]
    facts.append(("Your words", item.note.text if item.note is not None else ""))
    if item.shown is not None:
        facts += [("Student", item.shown.student.name), ("Course", item.shown.course_title)]
    facts.append(("Decided", f"{when_words(item.created_at, now)} ({_age(item.created_at, now)})"))
    if row.withdrawal is not None:
        facts.append(("Discarded", when_words(row.withdrawal.created_at, now)))
    facts.append(("Tried", tried_words(lead, now)))
    if lead.settled_at is not None:
        facts.append(("Answered", when_words(lead.settled_at, now)))
    if lead.answer is not None and lead.answer.index is not None:
        name = "Ledger entry" if lead.state is OutboxState.ACCEPTED else "On the ledger"
        facts.append((name, f"entry {whole(lead.answer.index)}"))
    return [Field(name, text) for name, text in facts if text]


def _age(at: datetime, now: datetime) -> str:
    words = age_words(now - at)
    return "just now" if words == "now" else f"{words} ago"
