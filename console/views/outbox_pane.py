"""The right pane of the outbox: one decision, what happened to it, and what can be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtWidgets import QHBoxLayout

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
from console.widgets.basic import Button
from console.widgets.fields import Field, FieldList
from console.widgets.notices import Notice
from console.widgets.record_pane import RecordPane
from console.words import age_words, when_words, whole
from core.client.outbox import OutboxState
from core.domain.money import format_rand
from core.domain.references import show_reference

_NO_WAYS = Ways()


class OutboxPane(RecordPane):
    """Shows one row of the outbox; `ways` is what can be done about it now."""

    def __init__(self, theme: Theme, *, clock: Callable[[], datetime]) -> None:
        super().__init__(theme, hint="Select a decision to see what became of it.")
        self._clock = clock
        self._row: OutboxRow | None = None
        self.notice = Notice(theme)
        self.fields = FieldList(theme)
        self.retry = Button(theme, "Try now", look="primary", hint="R")
        self.discard = Button(theme, "Discard…", hint="Del")
        self.dismiss = Button(theme, "Dismiss", hint="X")
        self.again = Button(theme, "Decide again…", look="primary", hint="G")
        self._build()
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
        self.show_nothing()

    def show_row(self, row: OutboxRow) -> None:
        is_other = self._row is None or self._row.key != row.key
        self._row = row
        self.refresh()
        self.show_page(from_the_top=is_other)

    def refresh(self) -> None:
        """Say it all again: the clock has moved on."""
        row = self._row
        if row is None:
            return
        now, state, item = self._clock(), state_of(row), row.decision
        headline, shown = f"{state.words} · {verdict_words(item)}", show_reference(item.reference)
        self.show_head(
            icon=state.icon,
            tone=state.tone,
            state=headline,
            title=format_rand(item.cents),
            reference=shown,
        )
        kind, words = telling(row)
        self.notice.tell(kind, words, next_step(row, now))
        self.fields.show_fields(_facts(row, now))
        self._show_ways()
        self.setAccessibleName(f"{headline}, {shown}. {words}")

    def _build(self) -> None:
        self.body.addWidget(self.notice)
        self.body.addWidget(self.fields)
        self.body.addStretch(1)
        buttons = QHBoxLayout(self.foot)
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
        self.foot.setVisible(ways != _NO_WAYS)


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
