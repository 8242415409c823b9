"""The line at the bottom: connection, ledger, outbox, and who is signed in."""

from __future__ import annotations

from datetime import datetime, timedelta

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from console.models.outbox import Standing
from console.theme import Theme
from console.widgets.basic import Pill
from console.widgets.state_button import StateButton
from console.words import age_words, whole
from core.client.connection import ConnectionState
from core.client.witness import WitnessState, WitnessStatus

_AGED = timedelta(minutes=1)
_OPENS = "Open the outbox (Ctrl+2)"


class StatusBar(QFrame):
    """Every state is an icon and words."""

    outbox_wanted = Signal()

    def __init__(self, theme: Theme, officer: str) -> None:
        super().__init__()
        self.setProperty("look", "status")
        self.setFixedHeight(32)
        self.connection = Pill(theme, "refresh-cw", "Connecting…")
        self.ledger = Pill(theme, "shield-check", "Ledger not verified yet")
        self.outbox = StateButton(theme, "send", "Outbox empty")
        self.needs = StateButton(theme, "circle-alert", "", "danger")
        self.officer = Pill(theme, "user", officer)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(24)
        for pill in (self.connection, self.ledger, self.outbox, self.needs):
            row.addWidget(pill)
        for button in (self.outbox, self.needs):
            button.clicked.connect(lambda _checked: self.outbox_wanted.emit())
        self.needs.hide()
        row.addStretch(1)
        row.addWidget(self.officer)

    def show_connection(
        self, state: ConnectionState, message: str, offline_since: datetime | None
    ) -> None:
        """`offline_since` (UTC) is when the last live connection ended."""
        since = f" since {offline_since.astimezone():%H:%M}" if offline_since else ""
        icon, words, tone = {
            ConnectionState.LIVE: ("wifi", "Live", "ok"),
            ConnectionState.CONNECTING: ("refresh-cw", "Connecting…", "text_muted"),
            ConnectionState.LOST: ("wifi-off", f"Offline{since}", "warn"),
            ConnectionState.REFUSED: ("unlink", "Refused", "danger"),
            ConnectionState.SIGNED_OUT: ("lock", "Signed out", "warn"),
            ConnectionState.ALARM: ("shield-alert", "Stopped", "danger"),
        }[state]
        if state is ConnectionState.CONNECTING and since:
            icon, words, tone = "refresh-cw", f"Reconnecting, offline{since}", "warn"
        self.connection.show_state(icon, words, tone, message)

    def show_witness(self, status: WitnessStatus) -> None:
        if status.state is WitnessState.ALARM:
            self.ledger.show_state("shield-alert", "Ledger alarm", "danger")
        elif status.state is WitnessState.FIRST_CONTACT:
            self.ledger.show_state("fingerprint", "Ledger: compare the fingerprint", "warn")
        elif status.verified_to is None:
            self.ledger.show_state("shield-check", "Ledger not verified yet", "text_muted")
        else:
            words = f"Ledger verified to {whole(status.verified_to)}"
            if status.trouble:
                words = f"{words}, not saved"
            tone = "warn" if status.trouble else "ok"
            self.ledger.show_state("shield-check", words, tone, unsaved_words(status))

    def show_outbox(self, standing: Standing, now: datetime, *, stuck: bool) -> None:
        """`stuck`: it does not go by itself in this moment."""
        self._show_needs(standing.needs_you)
        if not standing.waiting:
            words = "Nothing waits" if standing.needs_you else "Outbox empty"
            self.outbox.show_state("send", words, "text_muted", _OPENS)
            return
        if standing.held:
            icon, tone = "lock", "warn"
        else:
            icon, tone = ("hourglass", "warn") if stuck else ("send", "accent")
        self.outbox.show_state(icon, _waiting_words(standing, now), tone, _OPENS)

    def _show_needs(self, count: int) -> None:
        words = f"{whole(count)} {'needs' if count == 1 else 'need'} you"
        self.needs.show_state("circle-alert", words, "danger", _OPENS)
        self.needs.setVisible(count > 0)


def unsaved_words(status: WitnessStatus) -> str:
    """What it means that the disk does not take what was verified; empty where it does."""
    if not status.trouble:
        return ""
    return (
        f"{status.trouble} Verifying goes on, but what is verified now is not kept if this console"
        " ends. Make room on the disk: the rest is done by itself."
    )


def _waiting_words(standing: Standing, now: datetime) -> str:
    """`3 waiting, oldest 12 min`; what was decided just now has no age yet."""
    words = f"{whole(standing.waiting)} waiting"
    age = timedelta() if standing.oldest is None else now - standing.oldest
    if age < _AGED:
        return words
    return f"{words}, {'' if standing.waiting == 1 else 'oldest '}{age_words(age)}"
