"""One's own account: the password, and where one is signed in."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from console.runtime.dialogs import shown
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.views.sessions import SessionsView
from console.views.workbench import Tell
from console.widgets.basic import Button
from console.widgets.form import FormDialog, Start
from core.client.errors import ClientError
from core.protocol.messages import SessionRow

MIN_PASSWORD = 8


class AccountPort(Protocol):
    """`core.client.api_admin.AccountApi`. Every method may raise ClientError."""

    async def change_password(self, old: str, new: str) -> None: ...

    async def sessions(self) -> tuple[SessionRow, ...]: ...

    async def end_session(self, session: UUID) -> None: ...

    async def end_other_sessions(self) -> None: ...


class PasswordChangeDialog(FormDialog):
    """Asks for the old password and a new one, twice. `known` is the old one just typed."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        *,
        port: AccountPort,
        start: Start,
        must: bool = False,
        known: str = "",
    ) -> None:
        """`must`: nothing else is answered before it is done."""
        super().__init__(
            theme,
            parent,
            title="Choose a new password" if must else "Change your password",
            words="The one you have was made for you: choose one that only you know."
            if must
            else "You stay signed in here; everywhere else you are signed out.",
            yes="Change password",
            start=start,
        )
        self._port = port
        self.old = self.add_line("Password until now", text=known, secret=True)
        self.new = self.add_line("New password", hint="At least 8 characters", secret=True)
        self.again = self.add_line("New password again", secret=True)
        self.check(self._missing)
        self.on_submit(self._change)
        (self.new if known else self.old).setFocus()

    def _missing(self) -> str:
        if not self.old.text():
            return "Write the password you have had until now."
        if len(self.new.text()) < MIN_PASSWORD:
            return f"A password has at least {MIN_PASSWORD} characters."
        if self.new.text() == self.old.text():
            return "Choose another one than the old one."
        return "" if self.new.text() == self.again.text() else "The two new passwords differ."

    async def _change(self) -> str:
        try:
            await self._port.change_password(self.old.text(), self.new.text())
        except ClientError as error:
            return str(error)
        return ""


class Account(QObject):
    """The account part of Settings: `view` and `change_password` are put into a card there."""

    def __init__(
        self,
        theme: Theme,
        port: AccountPort,
        *,
        window: QWidget,
        tasks: TaskRunner,
        clock: Callable[[], datetime],
        tell: Tell,
    ) -> None:
        super().__init__(window)
        self._theme, self._port, self._window = theme, port, window
        self._tasks, self._tell = tasks, tell
        self.view = SessionsView(theme, clock=clock, all_words="End all others")
        self.change_password = Button(
            theme, "Change password…", icon="key-round", on_click=self._password_wanted
        )
        self.view.end_wanted.connect(lambda session: self._start(self._end(session)))
        self.view.end_all_wanted.connect(lambda: self._start(self._end(None)))

    def refresh(self) -> None:
        """Fetch where one is signed in."""
        self._tasks.replace("own sessions", self._load())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start("account", work)

    async def _load(self) -> None:
        try:
            self.view.show_sessions(await self._port.sessions())
        except ClientError as error:
            self.view.tell_problem(str(error))

    async def _end(self, session: UUID | None) -> None:
        try:
            if session is None:
                await self._port.end_other_sessions()
            else:
                await self._port.end_session(session)
        except ClientError as error:
            self._tell("danger", str(error))
        await self._load()

    def _password_wanted(self) -> None:
        self._start(self._password())

    async def _password(self) -> None:
        dialog = PasswordChangeDialog(self._theme, self._window, port=self._port, start=self._start)
        if await shown(dialog):
            self._tell("ok", "Your password is changed.")
            await self._load()
