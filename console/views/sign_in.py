"""Connecting to a backend: its address, who signs in, and whether that will be remembered."""

from __future__ import annotations

from urllib.parse import urlsplit

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QProgressBar, QVBoxLayout, QWidget

from console.theme import Theme
from console.widgets.basic import Button, centred, label, wrapped
from console.widgets.notices import Notice

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SignInPage(QWidget):
    """Asks; it does not sign in."""

    wanted = Signal(str, str, str)  # address, email, password
    demo_wanted = Signal()
    back_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.address = _edit(theme, "https://bursar.example.org", "Address of the backend")
        self.email = _edit(theme, "you@example.org", "Email")
        self.password = _edit(theme, "", "Password")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.submit = Button(theme, "Sign in", look="primary", on_click=self._submit)
        self.demo = Button(theme, "Use the demo workspace", look="quiet", on_click=self._demo)
        self.back = Button(theme, "Back", look="quiet", hint="Esc", on_click=self.back_wanted.emit)
        self.notice = Notice(theme)
        self.keyring = wrapped(theme, look="muted")
        self._progress = QProgressBar()
        self._progress.setRange(0, 0)
        self._progress.setTextVisible(False)
        self._build(theme)
        for edit in (self.address, self.email, self.password):
            edit.returnPressed.connect(self._submit)
        self.set_busy(busy=False)

    def prepare(self, *, address: str, keyring: str, can_go_back: bool = False) -> None:
        """`address` as used before; `keyring` says in plain words what will be remembered.

        `can_go_back`: somebody is signed in and only looked here.
        """
        self.back.setVisible(can_go_back)
        self.address.setText(address)
        self.keyring.setText(keyring)
        self.password.clear()
        self.notice.hide()
        (self.email if address else self.address).setFocus()

    def tell_problem(self, title: str, text: str) -> None:
        self.notice.tell("warn", title, text)
        self.set_busy(busy=False)
        self.password.setFocus()
        self.password.selectAll()

    def set_busy(self, *, busy: bool) -> None:
        """While an answer is awaited nothing can be sent twice."""
        self._progress.setVisible(busy)
        for widget in (self.address, self.email, self.password, self.submit, self.demo):
            widget.setEnabled(not busy)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.back.isHidden():
            self.back_wanted.emit()
        else:
            super().keyPressEvent(event)

    def _submit(self) -> None:
        missing = address_problem(self.address.text()) or self._missing()
        if missing:
            self.tell_problem("Please check", missing)
            return
        self.notice.hide()
        self.set_busy(busy=True)
        address = self.address.text().strip().rstrip("/")
        self.wanted.emit(address, self.email.text().strip(), self.password.text())

    def _missing(self) -> str:
        if not self.email.text().strip():
            return "Write your email."
        return "" if self.password.text() else "Write your password."

    def _demo(self) -> None:
        self.demo_wanted.emit()

    def _build(self, theme: Theme) -> None:
        card = QFrame()
        card.setProperty("look", "card")
        card.setFixedWidth(460)
        inner = QVBoxLayout(card)
        inner.setContentsMargins(32, 28, 32, 28)
        inner.setSpacing(6)
        inner.addWidget(label(theme, "Connect to a backend", size="title"))
        inner.addWidget(
            wrapped(theme, "Sign in with the account your administrator gave you.", look="muted")
        )
        inner.addSpacing(10)
        inner.addWidget(self.notice)
        for words, edit in (
            ("Address", self.address),
            ("Email", self.email),
            ("Password", self.password),
        ):
            inner.addSpacing(4)
            name = label(theme, words)
            name.setBuddy(edit)
            inner.addWidget(name)
            inner.addWidget(edit)
        inner.addSpacing(10)
        inner.addWidget(self._progress)
        buttons = QHBoxLayout()
        buttons.addWidget(self.submit)
        buttons.addWidget(self.back)
        buttons.addStretch(1)
        buttons.addWidget(self.demo)
        inner.addLayout(buttons)
        inner.addSpacing(8)
        inner.addWidget(self.keyring)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(centred(card))
        layout.addStretch(3)


def address_problem(text: str) -> str:
    """What is wrong with the address of a backend, in plain words; nothing when it can be used."""
    try:
        parts = urlsplit(text.strip())
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return "The address is not a web address."
    if parts.scheme not in {"http", "https"} or not host:
        return "The address begins with https://."
    if parts.scheme == "http" and host not in _LOOPBACK:
        return "Without https the password could be read on its way: use https://."
    return ""


def _edit(theme: Theme, hint: str, name: str) -> QLineEdit:
    edit = QLineEdit()
    edit.setFont(theme.font())
    edit.setPlaceholderText(hint)
    edit.setAccessibleName(name)
    edit.setMaxLength(254)
    return edit
