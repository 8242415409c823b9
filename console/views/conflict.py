"""What the officer saw beside what it is now, and the same decision again with one click."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QDialog, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from console.theme import Theme, set_look
from console.views.wording import (
    NOTHING_SEEN_CHANGED,
    changes_since,
    ending_words,
    entry_moment,
    reason_words,
    side_by_side,
)
from console.widgets.basic import Button, Icon, label, line, wrapped
from console.widgets.fields import FactLabel, Timeline
from console.words import counted, when_words
from core.client.outbox import OutboxItem
from core.domain.decisions import Decision, Verdict
from core.domain.money import format_rand
from core.domain.references import show_reference
from core.protocol.messages import EnrollmentRow, TimelineEntry
from core.protocol.signing import PayloadError, read_decision

_WIDTH = 720
_COLUMN = 230
_LATEST = 3  # of the history; all of it is in the list


class ConflictDialog(QDialog):
    """Accepted: decide again; where nothing is left to decide, take the old decision off the list.

    `facts` are (name, as shown, as it is, whether it changed), as on the screen. What happened in
    between is fetched, and follows by `show_history`.
    """

    def __init__(
        self, theme: Theme, item: OutboxItem, now: EnrollmentRow, parent: QWidget, *, at: datetime
    ) -> None:
        """`now` is the row as it is, which a new decision would be bound to; `at` is the time."""
        super().__init__(parent)
        self._theme = theme
        self._at = at
        self._version = _version_seen(item)
        self.setWindowTitle("Compare and decide again")
        self.setProperty("look", "sheet")
        self.facts = _facts(item.shown, now)
        self.words = wrapped(theme, self._words(item, now), look="muted")
        self.since = Timeline(theme)
        self._since_words = wrapped(theme, "Loading…", look="muted")
        self.ok = self._ok_button(item, now)
        self.close_button = Button(theme, "Close", hint="Esc", on_click=self.reject)
        self._build(item, now)
        self.ok.setFocus()

    # --- what is fetched ---

    def show_history(self, timeline: Sequence[TimelineEntry]) -> None:
        """The latest of what happened since the officer looked."""
        changes = changes_since(timeline, self._version)
        self.since.show_moments([entry_moment(entry, self._at) for entry in changes[:_LATEST]])
        more = len(changes) - _LATEST
        if not changes:
            self.tell_no_history("Its history tells nothing newer yet.")
        elif more > 0:
            self.tell_no_history(f"{counted(more, 'entry', 'entries')} before these.")
        else:
            self._since_words.hide()

    def tell_no_history(self, message: str) -> None:
        """In place of the history, or of the rest of it."""
        self._since_words.setText(message)

    def event(self, event: QEvent) -> bool:
        """As high as its words need; a size hint does not know how often they wrap."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self.resize(self.width(), self._layout.totalHeightForWidth(self.width()))
        return done

    # --- building ---

    def _ok_button(self, item: OutboxItem, now: EnrollmentRow) -> Button:
        if not now.waiting:
            return Button(self._theme, "Take it off the list", look="primary", on_click=self.accept)
        if item.verdict is not Verdict.APPROVE:
            return Button(self._theme, "Reject again", look="danger", on_click=self.accept)
        cents = now.claim.amount_cents if now.claim else now.amount_cents
        text = f"Approve {format_rand(cents)}"  # the new amount, where it is another one
        return Button(self._theme, text, look="primary", on_click=self.accept)

    def _build(self, item: OutboxItem, now: EnrollmentRow) -> None:
        theme = self._theme
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        foot.addWidget(self.ok)
        self._layout = layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(10)
        title = "It changed while you decided" if now.waiting else "Somebody else was first"
        layout.addWidget(label(theme, title, size="title"))
        layout.addWidget(self.words)
        layout.addWidget(self._table(item))
        if now.waiting:
            layout.addWidget(label(theme, "What happened since", look="muted"))
            layout.addWidget(self.since)
            layout.addWidget(self._since_words)
        for words in _repeated(item) if now.waiting else ():
            layout.addWidget(wrapped(theme, words))
        layout.addSpacing(4)
        layout.addLayout(foot)
        self.setMinimumWidth(_WIDTH)
        self.resize(_WIDTH, layout.totalHeightForWidth(_WIDTH))

    def _words(self, item: OutboxItem, now: EnrollmentRow) -> str:
        cents, reference = format_rand(item.cents), show_reference(item.reference)
        what = f"{cents} · {reference} · {now.student.name}"
        if not now.waiting:
            _, ending = ending_words(now, self._at)
            return f"{what}\n{ending}. Your decision changed nothing."
        verb = "approval" if item.verdict is Verdict.APPROVE else "rejection"
        nothing = item.shown is not None and not any(changed for *_, changed in self.facts)
        look = NOTHING_SEEN_CHANGED if nothing else "Look at what changed."
        return f"{what}\nYour {verb} was about what you saw, so nothing was done. {look}"

    def _table(self, item: OutboxItem) -> QFrame:
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
        seen = f"What you saw, {when_words(item.created_at, self._at)}"
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
        grid.addWidget(_fact(theme, before), number, 1, top)
        after = _fact(theme, now)
        set_look(after, "changed" if changed else "")
        after.setAccessibleName(
            f"{name}: was {before}, is now {now}" if changed else f"{name}: same"
        )
        grid.addWidget(after, number, 2, top)
        if changed:
            grid.addWidget(_mark(theme), number, 3, top)


def _fact(theme: Theme, text: str) -> FactLabel:
    fact = FactLabel(theme)
    fact.show_fact(text)
    return fact


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


def _version_seen(item: OutboxItem) -> int:
    """Of the row that was decided about; 0 where nothing says."""
    if item.shown is not None:
        return item.shown.version
    decision = _decision(item)
    return 0 if decision is None else decision.expected_version


def _decision(item: OutboxItem) -> Decision | None:
    try:
        return read_decision(item.payload)
    except PayloadError:
        return None


def _repeated(item: OutboxItem) -> list[str]:
    """What goes with the verdict when it is given again."""
    decision = _decision(item)
    reason = "" if decision is None else reason_words(decision.reason_code)
    words = [f"Reason: {reason}"] if reason else []
    if item.note is not None:
        words.append(f"Your words: {item.note.text}")
    return words
