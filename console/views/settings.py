"""Settings: appearance, this console's key and keyring, the connection, the ledger's witness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from console.entered import Entered
from console.theme import Theme
from console.theme_choice import ThemeChoice
from console.views.account import Account
from console.views.alarm import evidence_words
from console.views.status_bar import unsaved_words
from console.widgets.basic import Button, label, wrapped
from console.widgets.check import CheckBox
from console.widgets.fields import Field, FieldList
from console.widgets.fingerprint import Fingerprint
from console.widgets.frames import edge_to_edge
from console.words import counted, whole
from core.client.witness import WitnessState, WitnessStatus
from core.protocol.messages import DeviceState

_CHOICES = (
    (ThemeChoice.SYSTEM, "Like the system", "monitor"),
    (ThemeChoice.LIGHT, "Light", "sun"),
    (ThemeChoice.DARK, "Dark", "moon"),
)
_WIDTH = 900
_NOTIFIES = (
    "While this window is not in use, the desktop says how much came in: one message however many"
    " payments there are, and never a name."
)
_NO_TRAY = "This desktop has no tray, so Bursar cannot notify you."
_WITNESS = {
    WitnessState.NEW: "Nothing verified yet: no checkpoint has come.",
    WitnessState.FIRST_CONTACT: "First contact. Compare the fingerprint below with the one your "
    "administrator has, then confirm it.",
    WitnessState.FOLLOWING: "This console follows every entry and has verified the ledger.",
    WitnessState.ALARM: "The ledger does not continue what this console verified.",
}


@dataclass(frozen=True, slots=True)
class ConsoleFacts:
    """What does not change while somebody is signed in."""

    officer: str
    roles: str
    workspace: str
    address: str
    fingerprint: str
    keyring: str
    embedded: bool


_DEVICE = {
    DeviceState.ENROLLED: "Enrolled: decisions signed here count.",
    DeviceState.UNKNOWN: "Not enrolled yet: decisions are held until an administrator does it.",
    DeviceState.WAITING: "Not enrolled yet: an administrator was asked. Decisions are held.",
    DeviceState.REFUSED: "Refused by an administrator: decisions are held.",
    DeviceState.REVOKED: "Revoked: decisions signed here are refused.",
}


class SettingsScreen(QWidget):
    """Says how things are, in plain words; `sign_out_wanted` and the others ask for changes."""

    theme_wanted = Signal(object)  # ThemeChoice
    notify_wanted = Signal(bool)
    connect_wanted = Signal()
    sign_out_wanted = Signal()
    first_contact_accepted = Signal()

    def __init__(self, theme: Theme, facts: ConsoleFacts, account: Account) -> None:
        super().__init__()
        self._theme = theme
        self._account = account
        self.appearance = QButtonGroup(self)
        self.connection = FieldList(theme, name_width=160)
        self.console = FieldList(theme, name_width=160)
        self.ledger = FieldList(theme, name_width=160)
        self.accept = Button(
            theme,
            "The fingerprint matches",
            look="primary",
            on_click=self.first_contact_accepted.emit,
        )
        self.accept.hide()
        self.notify = CheckBox(theme, "Notify about new payments")
        self.notify.toggled.connect(self.notify_wanted)
        self.about_notifying = wrapped(theme, look="muted")
        self.fingerprint = Fingerprint(theme, facts.fingerprint)
        self._facts = facts
        self._build(theme)
        self.show_device(DeviceState.UNKNOWN)
        self.show_connection("Connecting…")
        theme.changed.connect(self._show_choice)
        self._show_choice()

    def show_notifications(self, *, on: bool, possible: bool) -> None:
        """`possible`: the desktop has a tray to tell from."""
        with QSignalBlocker(self.notify):
            self.notify.setChecked(on)
        self.notify.setEnabled(possible)
        self.about_notifying.setText(_NOTIFIES if possible else _NO_TRAY)

    def show_device(self, state: DeviceState) -> None:
        """What this console's key may do."""
        self.console.show_fields(
            [Field("Key", _DEVICE[state]), Field("Keyring", self._facts.keyring)]
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._facts.embedded:
            self._account.refresh()

    def show_connection(self, words: str) -> None:
        facts = self._facts
        self.connection.show_fields(
            [
                Field("Workspace", facts.workspace),
                Field("Backend", facts.address),
                Field("State", words),
                Field("Signed in as", f"{facts.officer} ({facts.roles})"),
            ]
        )

    def show_witness(self, status: WitnessStatus) -> None:
        verified = "nothing yet" if status.verified_to is None else whole(status.verified_to)
        confirmed = counted(status.confirmed, "decision", "decisions")
        fields = [
            Field("State", status.alarm.message if status.alarm else _WITNESS[status.state]),
            Field("Verified to entry", verified),
            Field("Ledger key", status.key_fingerprint or "not known yet"),
            Field("Own decisions", f"{confirmed} found in the ledger as signed"),
        ]
        for root in status.root_devices:
            fields.insert(3, Field("First administrator", root))
        if status.alarm is not None:
            fields.append(Field("Evidence", evidence_words(status.alarm)))
        if status.trouble:
            fields.append(Field("Not saved", unsaved_words(status)))
        self.ledger.show_fields(fields)
        self.accept.setVisible(status.state is WitnessState.FIRST_CONTACT)

    def _show_choice(self) -> None:
        for number, (value, _, _) in enumerate(_CHOICES):
            if value is self._theme.choice:
                self.appearance.button(number).setChecked(True)

    def _build(self, theme: Theme) -> None:
        body = QWidget()
        body.setProperty("look", "scrolled")
        # The whole column, not each card: else its height is reckoned for wider lines than it has.
        body.setMaximumWidth(_WIDTH)
        column = QVBoxLayout(body)
        column.setContentsMargins(20, 12, 20, 24)
        column.setSpacing(16)
        for card in (
            self._card(theme, "Appearance", [self._choices(theme)]),
            self._card(theme, "Notifications", [self.notify, self.about_notifying]),
            self._card(
                theme,
                "This console",
                [
                    label(theme, "Fingerprint of this console's key", look="muted"),
                    self.fingerprint,
                    self.console,
                ],
            ),
            *self._account_card(theme),
            self._card(theme, "Connection", [self.connection, self._connection_buttons(theme)]),
            self._card(theme, "Ledger witness", [self.ledger, self._accept_row()]),
        ):
            column.addWidget(card)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(body)
        bar = QFrame()
        bar.setProperty("look", "toolbar")
        row = QHBoxLayout(bar)
        row.setContentsMargins(20, 10, 12, 10)
        title = label(theme, "Settings", size="title")
        title.setMinimumHeight(theme.tokens.size.control)
        row.addWidget(title)
        edge_to_edge(self, bar, scroll, grows=scroll)

    def _account_card(self, theme: Theme) -> list[QFrame]:
        """Nobody has a password in the demo workspace."""
        if self._facts.embedded:
            return []
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._account.change_password)
        layout.addStretch(1)
        return [self._card(theme, "Your account", [row, self._account.view])]

    def _card(self, theme: Theme, title: str, parts: Sequence[QWidget]) -> QFrame:
        card = QFrame()
        card.setProperty("look", "card")
        inner = QVBoxLayout(card)
        inner.setContentsMargins(20, 16, 20, 16)
        inner.setSpacing(12)
        inner.addWidget(label(theme, title, size="heading"))
        for part in parts:
            inner.addWidget(part)
        return card

    def _choices(self, theme: Theme) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for number, (_, words, icon) in enumerate(_CHOICES):
            button = Button(theme, words, look="choice", icon=icon)
            button.setCheckable(True)
            self.appearance.addButton(button, number)
            layout.addWidget(button)
        layout.addStretch(1)
        self.appearance.idClicked.connect(
            lambda number: self.theme_wanted.emit(_CHOICES[number][0])
        )
        return row

    def _connection_buttons(self, theme: Theme) -> QWidget:
        other = Button(
            theme, "Connect to a backend…", icon="link", on_click=self.connect_wanted.emit
        )
        self.sign_out = Button(
            theme, "Sign out", icon="log-out", on_click=self.sign_out_wanted.emit
        )
        words = wrapped(theme, "Decisions that wait stay on this computer.", look="muted")
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(other)
        layout.addWidget(self.sign_out)
        layout.addWidget(words, 1)
        return row

    def _accept_row(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.accept, 0, Qt.AlignmentFlag.AlignLeft)
        return row


def console_facts(entered: Entered) -> ConsoleFacts:
    where = "this computer, demo workspace" if entered.embedded else ""
    return ConsoleFacts(
        officer=entered.officer.name,
        roles=", ".join(role.value for role in entered.officer.roles),
        workspace=entered.workspace.name,
        address=f"{entered.address} ({where})" if where else entered.address,
        fingerprint=entered.device.fingerprint,
        keyring=entered.durability.message,
        embedded=entered.embedded,
    )
