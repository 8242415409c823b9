"""A passphrase in place of a keyring: chosen once, asked for at each start."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from console.keeping import Attempt, Unlocking
from console.runtime.dialogs import confirm, shown
from console.theme import Theme
from console.widgets.basic import Button
from console.widgets.form import FormDialog, Start
from console.words import counted
from core.client.errors import ClientError, SecretStoreError
from core.client.passphrase import MAX_CHARACTERS, MIN_CHARACTERS, check_new
from core.client.secrets import SecretStore


class ChoosePassphraseDialog(FormDialog):
    """Accepted: `store` is open. Rejected: nothing is kept."""

    def __init__(self, theme: Theme, parent: QWidget, *, attempt: Attempt, start: Start) -> None:
        super().__init__(
            theme,
            parent,
            title="Choose a passphrase",
            words="This computer has no usable keyring. With a passphrase, this console seals your"
            " sign-in, its key and the decisions that wait, and you can work without a connection."
            " It asks for it at each start, and nobody can recover it.\n\nWithout one nothing is"
            " kept: nothing can be decided without a connection, and each start needs a sign-in"
            " and a new enrollment of this console.",
            yes="Use this passphrase",
            start=start,
        )
        self.store: SecretStore | None = None
        self._attempt = attempt
        self.new = self.add_line(
            "Passphrase",
            hint=f"At least {MIN_CHARACTERS} characters; some words in a row are good",
            secret=True,
            limit=MAX_CHARACTERS,
        )
        self.again = self.add_line("Passphrase again", secret=True, limit=MAX_CHARACTERS)
        self.cancel.setText("Go on without")
        self.check(self._missing)
        self.on_submit(self._make)
        self.new.setFocus()

    def _missing(self) -> str:
        try:
            check_new(self.new.text())
        except SecretStoreError as error:
            return str(error)
        return "" if self.new.text() == self.again.text() else "The two passphrases differ."

    async def _make(self) -> str:
        try:
            self.store = await self._attempt(self.new.text())
        except ClientError as error:
            return str(error)
        return ""


class UnlockDialog(FormDialog):
    """Accepted: `store` is open. Rejected: not now, or `forgotten`."""

    def __init__(self, theme: Theme, parent: QWidget, *, attempt: Attempt, start: Start) -> None:
        super().__init__(
            theme,
            parent,
            title="Unlock this console",
            words="Your sign-in, this console's key and the decisions that wait are sealed with"
            " your passphrase.",
            yes="Unlock",
            start=start,
        )
        self.store: SecretStore | None = None
        self.forgotten = False
        self._attempt = attempt
        self.passphrase = self.add_line("Passphrase", secret=True, limit=MAX_CHARACTERS)
        self.forgot = Button(theme, "I forgot it…", look="quiet", on_click=self._forget)
        self.forgot.setAutoDefault(False)
        self.add(_at_the_left(self.forgot))
        self.cancel.setText("Not now")
        self.check(lambda: "" if self.passphrase.text() else "Write your passphrase.")
        self.on_submit(self._unlock)
        self.passphrase.setFocus()

    def _forget(self) -> None:
        self.forgotten = True
        self.reject()

    async def _unlock(self) -> str:
        try:
            self.store = await self._attempt(self.passphrase.text())
        except ClientError as error:
            self.passphrase.selectAll()
            self.passphrase.setFocus()
            return str(error)
        return ""


def _at_the_left(button: Button) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(button)
    layout.addStretch(1)
    return row


class PassphraseAsker:
    """Asks over the window; `console.keeping.AskPassphrase`."""

    def __init__(self, theme: Theme, window: QWidget, *, start: Start) -> None:
        self._theme = theme
        self._window = window
        self._start = start

    async def choose(self, attempt: Attempt) -> SecretStore | None:
        """A new passphrase, or None to go on without."""
        dialog = ChoosePassphraseDialog(
            self._theme, self._window, attempt=attempt, start=self._start
        )
        return dialog.store if await shown(dialog) else None

    async def unlock(self, attempt: Attempt) -> SecretStore | Unlocking:
        """The passphrase that there is, until it is right, forgotten for good, or put off."""
        while True:
            dialog = UnlockDialog(self._theme, self._window, attempt=attempt, start=self._start)
            if await shown(dialog) and dialog.store is not None:
                return dialog.store
            if not dialog.forgotten:
                return Unlocking.WITHOUT
            if await self._is_sure():
                return Unlocking.FORGOT

    async def try_keyring(self, waiting: int) -> bool:
        """Whether to look at the keyring once more before anything new is chosen."""
        one = waiting == 1
        was, go, stay = (
            ("It was", "it goes", "it stays") if one else ("They were", "they go", "they stay")
        )
        return await confirm(
            self._window,
            title=f"{counted(waiting, 'decision waits', 'decisions wait')} behind the keyring",
            text=f"{was} sealed with this computer's keyring, which does not answer now: it may be"
            f" locked. Unlock it and try again: {go} out then.\n\nWithout it {stay} here unsent,"
            " until Bursar starts and the keyring answers.",
            yes="Try the keyring again",
            no="Go on without it",
        )

    async def _is_sure(self) -> bool:
        return await confirm(
            self._window,
            title="Start anew without the old passphrase?",
            text="What was sealed with it stays on this computer, set aside, and nothing is"
            " deleted; but without the passphrase nobody can read it. Decisions that still wait in"
            " it are not sent, and an administrator has to enroll this console again.",
            yes="Set aside and start anew",
            danger=True,
        )
