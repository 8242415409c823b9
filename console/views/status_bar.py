"""The line at the bottom: connection, ledger, outbox, and who is signed in."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtWidgets import QFrame, QHBoxLayout

from console.theme import Theme
from console.widgets.basic import Pill
from console.words import counted, whole
from core.client.connection import ConnectionState
from core.client.witness import WitnessState, WitnessStatus


class StatusBar(QFrame):
    """Every state is an icon and words."""

    def __init__(self, theme: Theme, officer: str) -> None:
        super().__init__()
        self.setProperty("look", "status")
        self.setFixedHeight(32)
        self.connection = Pill(theme, "refresh-cw", "Connecting…")
        self.ledger = Pill(theme, "shield-check", "Ledger not verified yet")
        self.outbox = Pill(theme, "send", "Outbox empty")
        self.officer = Pill(theme, "user", officer)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(24)
        for pill in (self.connection, self.ledger, self.outbox):
            row.addWidget(pill)
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
            self.ledger.show_state("shield-check", words, "ok")

    def show_outbox(self, waiting: int, *, stuck: bool) -> None:
        """`stuck`: it does not go by itself in this moment."""
        if not waiting:
            self.outbox.show_state("send", "Outbox empty", "text_muted")
            return
        words = f"{counted(waiting, 'decision', 'decisions')} to send"
        self.outbox.show_state(
            "hourglass" if stuck else "send", words, "warn" if stuck else "accent"
        )
