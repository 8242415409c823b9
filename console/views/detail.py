"""The right pane: one enrollment, what happened to it, and the decision at its foot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from console.models.overlay import Overlay, Progress
from console.theme import Theme, set_look
from console.views.student_card import StudentCardPreview
from console.views.wording import (
    NOTHING_SEEN_CHANGED,
    difference,
    ending_words,
    entry_moment,
)
from console.widgets.basic import Button, ElidedLabel, IconButton, label, line
from console.widgets.fields import Field, FieldList, Timeline
from console.widgets.frames import edge_to_edge, scrolled
from console.widgets.notices import EmptyState, Notice
from console.words import age_words, method_words, when_words
from core.domain.money import format_rand
from core.domain.references import show_reference
from core.protocol.messages import EnrollmentDetail, EnrollmentRow

Clock = Callable[[], datetime]


class DetailPane(QFrame):
    """Shows the row that would be decided about; `row` is exactly that row."""

    close_wanted = Signal()
    again_wanted = Signal()  # compare the own decision with what the payment is now

    def __init__(
        self, theme: Theme, *, clock: Clock, me: UUID, threshold_cents: int | None
    ) -> None:
        """`me` is the officer; from `threshold_cents` on a payment needs two signatures."""
        super().__init__()
        self._clock = clock
        self._me = me
        self._threshold = threshold_cents
        self._row: EnrollmentRow | None = None
        self._overlay: Overlay | None = None
        self.setProperty("look", "pane")
        self._empty = EmptyState(
            theme, icon="panel-right", text="Select a payment to see its details."
        )
        self._name = ElidedLabel(theme, size="heading")
        self._amount = label(theme, size="title")
        self._amount.setAccessibleName("Amount")
        self._reference = Button(theme, "", look="quiet", icon="copy", on_click=self.copy_reference)
        self._reference.setToolTip("Copy the reference (C)")
        self.notice = Notice(theme)
        self.again = Button(
            theme, "Compare and decide again…", hint="G", on_click=self.again_wanted.emit
        )
        self.fields = FieldList(theme)
        self.card = StudentCardPreview(theme)
        self.timeline = Timeline(theme)
        self._loading = label(theme, "Loading…", look="muted")
        self.approve = Button(theme, "Approve", look="primary", hint="A")
        self.reject = Button(theme, "Reject", hint="R")
        self._why_not = label(theme, look="muted")
        self._build(theme)
        self.clear()

    # --- what it shows ---

    @property
    def row(self) -> EnrollmentRow | None:
        """The row on the screen: the decision is bound to it."""
        return self._row

    @property
    def can_decide(self) -> bool:
        return self.approve.isEnabled()

    @property
    def can_reject(self) -> bool:
        return self.reject.isEnabled()

    @property
    def can_compare(self) -> bool:
        """Whether an own decision about this row met a change."""
        conflict = self._overlay is not None and self._overlay.progress is Progress.CONFLICT
        return self._row is not None and conflict

    def clear(self) -> None:
        """Nothing is selected."""
        self._row = None
        self._overlay = None
        self._pages.setCurrentIndex(0)
        self._refresh_foot()

    def show_row(self, row: EnrollmentRow, overlay: Overlay | None) -> None:
        """Show a row of the list at once; what has to be fetched follows by `show_detail`."""
        before = self._row
        same = before is not None and before.enrollment == row.enrollment
        self._row = row
        self._overlay = overlay
        if not same:
            self._details.setVisible(False)
            self._loading.setText("Loading…")
            self._loading.setVisible(True)
            self._scroll.verticalScrollBar().setValue(0)
        self._pages.setCurrentIndex(1)
        self._show_facts(row, before if same else None)
        self._show_notice()
        self._refresh_foot()

    def show_detail(self, detail: EnrollmentDetail) -> None:
        """History and the student's card; dropped if another row is shown by now."""
        if self._row is None or detail.row.enrollment != self._row.enrollment:
            return
        now = self._clock()
        entries = sorted(detail.timeline, key=lambda entry: -entry.index)
        self.timeline.show_moments([entry_moment(entry, now) for entry in entries])
        self.card.show_card(detail.card)
        self._loading.setVisible(False)
        self._details.setVisible(True)

    @property
    def is_loading(self) -> bool:
        """Whether history and card of the shown row are still on their way."""
        return self._loading.isVisible()

    def tell_no_detail(self, message: str) -> None:
        """The history cannot be fetched; the row itself stays."""
        self._loading.setText(message)

    def copy_reference(self) -> None:
        """Put the reference on the clipboard."""
        if self._row is not None:
            QGuiApplication.clipboard().setText(show_reference(self._row.reference))

    # --- building ---

    def _build(self, theme: Theme) -> None:
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._empty)
        page = QWidget()
        self._scroll = scrolled(self._body(theme))
        edge_to_edge(page, self._head(theme), self._scroll, self._foot(), grows=self._scroll)
        self._pages.addWidget(page)

    def _head(self, theme: Theme) -> QVBoxLayout:
        top = QHBoxLayout()
        top.addWidget(self._name, 1)
        close = IconButton(
            theme, "panel-right", "Hide details (D)", on_click=self.close_wanted.emit
        )
        top.addWidget(close)
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

    def _body(self, theme: Theme) -> QVBoxLayout:
        self._details = QWidget()
        details = QVBoxLayout(self._details)
        details.setContentsMargins(0, 0, 0, 0)
        details.setSpacing(8)
        details.addWidget(label(theme, "What the student sees", look="muted"))
        details.addWidget(self.card)
        details.addSpacing(8)
        details.addWidget(label(theme, "History", look="muted"))
        details.addWidget(self.timeline)
        body = QVBoxLayout()
        body.addWidget(self.notice)
        body.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)
        body.addWidget(self.fields)
        body.addWidget(line())
        body.addWidget(self._loading)
        body.addWidget(self._details)
        body.addStretch(1)
        return body

    def _foot(self) -> QFrame:
        foot = QFrame()
        foot.setProperty("look", "foot")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.reject, 1)
        buttons.addWidget(self.approve, 2)
        layout = QVBoxLayout(foot)
        layout.setContentsMargins(20, 12, 20, 12)
        layout.setSpacing(8)
        self._why_not.setWordWrap(True)
        layout.addWidget(self._why_not)
        layout.addLayout(buttons)
        return foot

    # --- words ---

    def _show_facts(self, row: EnrollmentRow, before: EnrollmentRow | None) -> None:
        self._name.set_text(row.student.name)
        self._amount.setText(format_rand(_cents(row)))
        moved = before is not None and _cents(before) != _cents(row)
        set_look(self._amount, "changed" if moved else "")
        self._reference.setText(f" {show_reference(row.reference)}")
        self._reference.setAccessibleName(f"Copy reference {show_reference(row.reference)}")
        old = dict(self._facts(before)) if before is not None else {}
        self.fields.show_fields(
            [
                Field(name, text, changed=name in old and old[name] != text)
                for name, text in self._facts(row)
            ]
        )

    def _facts(self, row: EnrollmentRow) -> list[tuple[str, str]]:
        facts = [("Course", row.course_title), ("Paid by", method_words(row.method))]
        if row.claim is not None:
            now, at = self._clock(), row.claim.submitted_at
            facts.append(("Submitted", f"{when_words(at, now)} ({age_words(now - at)})"))
            if row.claim.amount_cents != row.amount_cents:
                facts.append(("Owed", format_rand(row.amount_cents)))
        facts.append(("Signatures", self._signatures(row)))
        facts.append(("Email", row.student.email))
        return facts

    def _signatures(self, row: EnrollmentRow) -> str:
        if not self._needs_two(row):
            return "0 of 1"
        first = row.claim.first_signature if row.claim else None
        if first is None:
            return "0 of 2"
        return f"1 of 2: {first.officer_name}, {when_words(first.at, self._clock())}"

    def _needs_two(self, row: EnrollmentRow) -> bool:
        return self._threshold is not None and _cents(row) >= self._threshold

    def _show_notice(self) -> None:
        row, overlay = self._row, self._overlay
        self.again.setVisible(self.can_compare)
        if row is None:
            return
        if overlay is not None:
            self._tell_overlay(row, overlay)
        elif not row.waiting:
            kind, words = ending_words(row, self._clock())
            self.notice.tell(kind, words, "It has left the pending list.")
        else:
            self.notice.hide()

    def _tell_overlay(self, row: EnrollmentRow, overlay: Overlay) -> None:
        kind = {Progress.CONFLICT: "warn", Progress.REFUSED: "danger", Progress.HELD: "warn"}
        words = [overlay.message] if overlay.message else []
        if overlay.progress is Progress.CONFLICT and overlay.shown is not None:
            changes = difference(overlay.shown, row)
            words += [f"{name}: was {was}, is now {now}." for name, was, now in changes]
            if row.waiting and not changes:
                words.append(f"{NOTHING_SEEN_CHANGED} Its history below tells what.")
        if overlay.progress is Progress.CONFLICT and row.waiting:
            words.append("Look again, then approve or reject.")
        if overlay.progress is Progress.WAITING:
            words.append("It is kept on this computer and goes out by itself.")
        self.notice.tell(kind.get(overlay.progress, "info"), overlay.words, "\n".join(words))

    def _refresh_foot(self) -> None:
        reason = self._reason_against_deciding()
        self.approve.setEnabled(not reason and not self._signed_first())
        self.reject.setEnabled(not reason)
        if not reason and self._signed_first():
            reason = "You signed first: another officer gives the second signature."
        self._why_not.setText(reason)
        self._why_not.setVisible(bool(reason))
        two = self._row is not None and self._needs_two(self._row)
        first = self._row.claim.first_signature if self._row and self._row.claim else None
        self.approve.setText("Sign as first" if two and first is None else "Approve")

    def _signed_first(self) -> bool:
        claim = self._row.claim if self._row is not None else None
        first = claim.first_signature if claim is not None else None
        return first is not None and first.officer == self._me

    def _reason_against_deciding(self) -> str:
        if self._row is None:
            return "Nothing is selected."
        if self._overlay is not None and self._overlay.blocks_deciding:
            return _BLOCKED.get(self._overlay.progress, "Your decision is on its way.")
        return "" if self._row.waiting else "There is nothing to decide any more."


_BLOCKED = {
    Progress.WAITING: "You decided this: it waits to be sent.",
    Progress.HELD: "You decided this: it is held.",
}


def _cents(row: EnrollmentRow) -> int:
    """What would be approved: the claim's cents, else what is owed."""
    return row.claim.amount_cents if row.claim else row.amount_cents
