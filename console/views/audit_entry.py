"""The right pane of the audit trail: one entry, in words, as checked here, and as stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from console.theme import Theme, set_look
from console.views.audit_words import exact_time, fact_fields, read_entry
from console.widgets.basic import Button, Icon, IconButton, label, line, wrapped
from console.widgets.fields import Field, FieldList
from console.widgets.frames import edge_to_edge, scrolled
from console.widgets.notices import EmptyState
from console.words import whole
from core.client.audit import Check, EntryChecks, Standing
from core.domain.references import show_reference
from core.ledger.leaf import Leaf
from core.ledger.merkle import leaf_hash
from core.protocol.messages import AuditEntry

_ENROLLMENT = "enrollment:"
_STANDINGS = {
    Standing.HOLDS: ("shield-check", "ok"),
    Standing.NONE: ("circle-dot", "text_muted"),
    Standing.UNKNOWN: ("circle-alert", "warn"),
    Standing.BROKEN: ("shield-alert", "danger"),
}
_SIGNATURE = {
    Standing.HOLDS: "Signature holds",
    Standing.NONE: "Not signed",
    Standing.UNKNOWN: "Signature not checked",
    Standing.BROKEN: "Signature does not hold",
}
_INCLUSION = {
    Standing.HOLDS: "In the ledger",
    Standing.NONE: "Nothing to prove",
    Standing.UNKNOWN: "Not proved yet",
    Standing.BROKEN: "Not in the verified ledger",
}


class CheckRow(QWidget):
    """One check: a drawing, its outcome as a word, and below it what exactly was found."""

    def __init__(self, theme: Theme, outcomes: dict[Standing, str]) -> None:
        super().__init__()
        self._outcomes = outcomes
        self._icon = Icon(theme, "hourglass", "text_muted")
        self._title = label(theme)
        self._title.setFont(theme.font(weight=QFont.Weight.Medium))
        self._words = wrapped(theme, look="muted")
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self._title)
        column.addWidget(self._words)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)

    def wait(self) -> None:
        self._show("hourglass", "text_muted", "Checking…", "")

    def show_check(self, check: Check) -> None:
        icon, tone = _STANDINGS[check.standing]
        self._show(icon, tone, self._outcomes[check.standing], check.words)

    @property
    def text(self) -> str:
        return f"{self._title.text()}. {self._words.text()}"

    def _show(self, icon: str, tone: str, title: str, words: str) -> None:
        self._icon.show_icon(icon, tone)
        self._title.setText(title)
        set_look(self._title, "danger" if tone == "danger" else "")
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self.setAccessibleName(f"{title}. {words}".strip())


class EntryPane(QFrame):
    """Shows one entry; what has to be checked follows by `show_checks`."""

    close_wanted = Signal()
    pending_wanted = Signal(object)  # UUID of an enrollment
    about_wanted = Signal(str)  # everything about this enrollment: its reference

    def __init__(
        self, theme: Theme, *, clock: Callable[[], datetime], is_pending: Callable[[UUID], bool]
    ) -> None:
        """`is_pending` tells whether an enrollment is in the pending list now."""
        super().__init__()
        self._clock = clock
        self._is_pending = is_pending
        self._entry: AuditEntry | None = None
        self._enrollment: UUID | None = None
        self.setProperty("look", "pane")
        self._empty = EmptyState(
            theme, icon="panel-right", text="Select an entry to see all of it."
        )
        self._icon = Icon(theme, "circle-dot", "text_muted")
        self._title = wrapped(theme, size="heading")
        self._sub = label(theme, look="muted")
        self.fields = FieldList(theme)
        self.open_pending = Button(
            theme, "Open in Pending", icon="inbox", on_click=self._want_pending
        )
        self.show_about = Button(theme, "All its entries", icon="list", on_click=self._want_about)
        self.signature = CheckRow(theme, _SIGNATURE)
        self.inclusion = CheckRow(theme, _INCLUSION)
        self.stored = QPlainTextEdit()
        self.pretty = Button(theme, "Readable", look="quiet", on_click=self._show_stored)
        self.hash = FieldList(theme)
        self._build(theme)
        self.clear()

    @property
    def entry(self) -> AuditEntry | None:
        return self._entry

    def clear(self) -> None:
        """Nothing is selected."""
        self._entry = None
        self._pages.setCurrentIndex(0)

    def show_entry(self, entry: AuditEntry) -> None:
        if self._entry is not None and self._entry.index == entry.index:
            return
        self._entry = entry
        words = read_entry(entry.leaf, self._clock())
        self._icon.show_icon(words.icon, words.tone)
        self._title.setText(words.text)
        self._sub.setText(f"Entry {whole(entry.index)}")
        self.setAccessibleName(f"Entry {entry.index}: {words.text}")
        self.fields.show_fields(_fields(entry, words.leaf))
        self._enrollment = _enrollment(words.leaf)
        self.show_about.setVisible(self._enrollment is not None and entry.reference is not None)
        self.refresh_pending()
        self.signature.wait()
        self.inclusion.wait()
        self.hash.show_fields([Field("Leaf hash", leaf_hash(entry.leaf.encode()).hex())])
        self._show_stored()
        self._scroll.verticalScrollBar().setValue(0)
        self._pages.setCurrentIndex(1)

    def show_checks(self, entry: AuditEntry, checks: EntryChecks) -> None:
        """Dropped if another entry is shown by now."""
        if self._entry is not None and self._entry.index == entry.index:
            self.signature.show_check(checks.signature)
            self.inclusion.show_check(checks.inclusion)

    def refresh_pending(self) -> None:
        """The pending list may have changed."""
        enrollment = self._enrollment
        self.open_pending.setVisible(enrollment is not None and self._is_pending(enrollment))

    def copy_exact(self) -> None:
        """Put the stored bytes, exactly, on the clipboard."""
        if self._entry is not None:
            QGuiApplication.clipboard().setText(self._entry.leaf)

    def copy_hash(self) -> None:
        if self._entry is not None:
            digest = leaf_hash(self._entry.leaf.encode()).hex()
            QGuiApplication.clipboard().setText(digest)

    # --- building ---

    def _build(self, theme: Theme) -> None:
        self.pretty.setCheckable(True)
        self.pretty.setChecked(True)
        self.pretty.setToolTip("With line breaks, or the exact bytes that are hashed")
        self.stored.setReadOnly(True)
        self.stored.setAccessibleName("The entry as stored")
        self.stored.setTabChangesFocus(True)
        mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        mono.setPixelSize(12)
        self.stored.setFont(mono)
        self.stored.setMinimumHeight(220)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._empty)
        page = QWidget()
        self._scroll = scrolled(self._body(theme))
        edge_to_edge(page, self._head(theme), self._scroll, grows=self._scroll)
        self._pages.addWidget(page)

    def _head(self, theme: Theme) -> QVBoxLayout:
        top = QHBoxLayout()
        top.setSpacing(10)
        top.addWidget(self._icon)
        top.addWidget(self._title, 1)
        close = IconButton(
            theme, "panel-right", "Hide details (D)", on_click=self.close_wanted.emit
        )
        top.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        head = QVBoxLayout()
        head.setContentsMargins(20, 10, 12, 10)
        head.setSpacing(0)
        head.addLayout(top)
        self._sub.setContentsMargins(26, 0, 0, 0)
        head.addWidget(self._sub)
        return head

    def _body(self, theme: Theme) -> QVBoxLayout:
        ways = QHBoxLayout()
        ways.setSpacing(8)
        ways.addWidget(self.open_pending)
        ways.addWidget(self.show_about)
        ways.addStretch(1)
        stored = QHBoxLayout()
        stored.addWidget(label(theme, "As stored", look="muted"))
        stored.addStretch(1)
        stored.addWidget(self.pretty)
        copy = Button(theme, "Copy exact", look="quiet", icon="copy", on_click=self.copy_exact)
        copy.setToolTip("Copy the exact bytes that are hashed")
        stored.addWidget(copy)
        body = QVBoxLayout()
        body.addWidget(self.fields)
        body.addLayout(ways)
        body.addWidget(line())
        body.addWidget(label(theme, "Checked on this computer", look="muted"))
        body.addWidget(self.signature)
        body.addWidget(self.inclusion)
        body.addWidget(line())
        body.addLayout(stored)
        body.addWidget(self.stored)
        foot = QHBoxLayout()
        foot.addWidget(self.hash, 1)
        foot.addWidget(IconButton(theme, "copy", "Copy the leaf hash", on_click=self.copy_hash))
        body.addLayout(foot)
        body.addStretch(1)
        return body

    # --- inside ---

    def _show_stored(self) -> None:
        if self._entry is None:
            return
        text = self._entry.leaf
        self.stored.setPlainText(_pretty(text) if self.pretty.isChecked() else text)

    def _want_pending(self) -> None:
        if self._enrollment is not None:
            self.pending_wanted.emit(self._enrollment)

    def _want_about(self) -> None:
        if self._entry is not None and self._entry.reference is not None:
            self.about_wanted.emit(show_reference(self._entry.reference))


def _fields(entry: AuditEntry, leaf: Leaf | None) -> list[Field]:
    fields = [Field("By", entry.actor_name)]
    if leaf is None:
        return fields
    kind = leaf.subject.partition(":")[0].replace("_", " ")
    fields.append(Field("When", exact_time(leaf.time)))
    fields.append(Field("About", f"{entry.about} ({kind})" if entry.about else kind.capitalize()))
    return [*fields, *fact_fields(leaf)]


def _enrollment(leaf: Leaf | None) -> UUID | None:
    if leaf is None or not leaf.subject.startswith(_ENROLLMENT):
        return None
    return UUID(leaf.subject.removeprefix(_ENROLLMENT))


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
