"""One console that asks to be enrolled: whose it is, and the fingerprint to compare by voice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from console.theme import Theme
from console.views.administration.words import roles_words
from console.widgets.basic import Button, label, wrapped
from console.widgets.check import CheckBox
from console.widgets.fingerprint import Fingerprint
from console.words import when_words
from core.client.device import compared_fingerprint
from core.client.errors import ClientError
from core.protocol.messages import DeviceRequestRow


class DeviceRequestCard(QFrame):
    """Approve can be pressed once the person says that the fingerprints were compared."""

    approve_wanted = Signal(object)  # DeviceRequestRow
    refuse_wanted = Signal(object)  # DeviceRequestRow

    def __init__(
        self, theme: Theme, asked: DeviceRequestRow, *, clock: Callable[[], datetime]
    ) -> None:
        super().__init__()
        self.setProperty("look", "card")
        self.asked = asked
        self._why_not = ""
        # Computed here from the key itself: what is compared is what would be signed for.
        fingerprint, problem = _fingerprint(asked)
        self._broken = problem
        self.fingerprint = Fingerprint(theme, fingerprint)
        first_name = asked.user_name.split()[0]
        self.compared = CheckBox(theme, f"I compared all eight groups with {asked.user_name}")
        self.compared.toggled.connect(lambda _: self._refresh())
        self.approve = Button(
            theme, "Approve", look="primary", on_click=lambda: self.approve_wanted.emit(asked)
        )
        self.refuse = Button(theme, "Refuse…", on_click=lambda: self.refuse_wanted.emit(asked))
        self.approve.setAccessibleName(f"Approve the console of {asked.user_name}")
        self.refuse.setAccessibleName(f"Refuse the console of {asked.user_name}")
        self._words = wrapped(theme, look="muted")
        self._help = (
            f"Call {first_name} and let the fingerprint on that console be read to you."
            " Approve only if every group is the same."
        )
        since = when_words(asked.requested_at, clock())
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(label(theme, asked.user_name, size="heading"))
        words.addWidget(label(theme, f"{roles_words(asked.roles)}, asked {since}", look="muted"))
        words.addSpacing(4)
        words.addWidget(self._words)
        words.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.compared, 1)
        buttons.addWidget(self.refuse)
        buttons.addWidget(self.approve)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self.fingerprint)
        right.addLayout(buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 14, 16, 14)
        layout.setSpacing(24)
        layout.addLayout(words, 2)
        layout.addLayout(right, 3)
        self._refresh()

    def set_why_not(self, reason: str) -> None:
        """Why this console's key cannot approve, or nothing."""
        self._why_not = reason
        self._refresh()

    def set_busy(self, *, busy: bool) -> None:
        """While the answer is awaited."""
        self.setEnabled(not busy)

    def _refresh(self) -> None:
        reason = self._broken or self._why_not
        self._words.setText(reason or self._help)
        self.compared.setEnabled(not reason)
        self.approve.setEnabled(not reason and self.compared.isChecked())


def _fingerprint(asked: DeviceRequestRow) -> tuple[str, str]:
    """The fingerprint, or why there is none."""
    try:
        return compared_fingerprint(asked), ""
    except ClientError as error:
        return "", str(error)
