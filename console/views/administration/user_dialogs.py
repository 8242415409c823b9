"""The dialogs about one user: adding, roles, the password shown once, sessions."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from PySide6.QtGui import QFont, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout

from console.views.administration.page import Bench, problem_of
from console.views.administration.words import ROLES
from console.views.sessions import SessionsView
from console.widgets.basic import Button, label, wrapped
from console.widgets.check import CheckBox
from console.widgets.form import FormDialog
from core.client.errors import ClientError
from core.domain.roles import Role
from core.protocol.messages import StaffMember, UserPassword

SESSIONS_TASK = "sessions of a user"


class UserDialog(FormDialog):
    """Adds somebody. `made` is the answer, with the password that is shown once."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(
            bench.theme,
            bench.window,
            title="Add a user",
            words="A first password is made up and shown to you once. The person chooses another"
            " one at the first sign-in.",
            yes="Add user",
            start=bench.start,
        )
        self._port = bench.port
        self.made: UserPassword | None = None
        self.name = self.add_line("Name", hint="Naledi Dlamini")
        self.email = self.add_line("Email", hint="naledi@example.org", limit=254)
        self.boxes = self.add_choices(
            "Roles", [(words, role is Role.OFFICER) for role, words in ROLES]
        )
        self.check(self._missing)
        self.on_submit(self._add)
        self.name.setFocus()

    def _missing(self) -> str:
        if not self.name.text().strip():
            return "Write the person's name."
        if not _looks_like_email(self.email.text()):
            return "Write an email like naledi@example.org."
        return "" if _ticked(self.boxes) else "Choose at least one role."

    async def _add(self) -> str:
        try:
            self.made = await self._port.add_user(
                name=self.name.text().strip(),
                email=self.email.text().strip(),
                roles=_ticked(self.boxes),
            )
        except ClientError as error:
            return str(error)
        return ""


class RolesDialog(FormDialog):
    """Changes what somebody may do."""

    def __init__(self, bench: Bench, user: StaffMember) -> None:
        super().__init__(
            bench.theme,
            bench.window,
            title=f"Roles of {user.name}",
            words="Consoles that are enrolled already keep the roles they were enrolled with: to"
            " give them more, the person asks again from a new console.",
            yes="Change roles",
            start=bench.start,
        )
        self._port, self._user = bench.port, user
        self.boxes = self.add_choices(
            "Roles", [(words, role in user.roles) for role, words in ROLES]
        )
        self.check(self._missing)
        self.on_submit(self._change)
        self.boxes[0].setFocus()

    def _missing(self) -> str:
        return "" if _ticked(self.boxes) else "Choose at least one role."

    async def _change(self) -> str:
        return await problem_of(self._port.set_roles(self._user.id, _ticked(self.boxes)))


class PasswordDialog(QDialog):
    """A password that will never be shown again."""

    def __init__(self, bench: Bench, user: StaffMember, password: str) -> None:
        super().__init__(bench.window)
        theme = bench.theme
        self.setWindowTitle("First password")
        self.setProperty("look", "sheet")
        self._password = password
        self.shown = QLabel(password)
        self.shown.setFont(theme.font("title", weight=QFont.Weight.DemiBold, tabular=True))
        self.shown.setAccessibleName(f"Password {' '.join(password)}")
        self.copy = Button(theme, "Copy", icon="copy", on_click=self._copy)
        self.passed_on = Button(theme, "I have passed it on", look="primary", on_click=self.accept)
        self.passed_on.setDefault(True)
        row = QHBoxLayout()
        row.addWidget(self.shown, 1)
        row.addWidget(self.copy)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.passed_on)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(12)
        layout.addWidget(label(theme, f"Password for {user.name}", size="title"))
        layout.addLayout(row)
        layout.addWidget(
            wrapped(
                theme,
                f"It is shown this once. Pass it on in person or by phone, with the email"
                f" {user.email}. At the first sign-in another one must be chosen.",
                look="muted",
            )
        )
        layout.addLayout(foot)
        self.setMinimumWidth(460)
        self.passed_on.setFocus()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._password)
        self.copy.setText(" Copied")


class UserSessionsDialog(QDialog):
    """Where somebody is signed in; each can be ended, or all at once."""

    def __init__(self, bench: Bench, user: StaffMember) -> None:
        super().__init__(bench.window)
        self._bench, self._user = bench, user
        theme = bench.theme
        self.setWindowTitle("Sessions")
        self.setProperty("look", "sheet")
        self.view = SessionsView(theme, clock=bench.clock, all_words="End all")
        self.view.end_wanted.connect(lambda session: self._start(self._end(session)))
        self.view.end_all_wanted.connect(lambda: self._start(self._end(None)))
        self.close_button = Button(theme, "Close", hint="Esc", on_click=self.accept)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(12)
        layout.addWidget(label(theme, f"{user.name} is signed in on", size="title"))
        layout.addWidget(self.view)
        layout.addLayout(foot)
        self.setMinimumWidth(520)
        self.close_button.setFocus()
        self._start(self._load())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._bench.tasks.start(SESSIONS_TASK, work)

    async def _load(self) -> None:
        try:
            self.view.show_sessions(await self._bench.port.sessions_of(self._user.id))
        except ClientError as error:
            self.view.tell_problem(str(error))

    async def _end(self, session: UUID | None) -> None:
        port, user = self._bench.port, self._user.id
        work = port.end_sessions_of(user) if session is None else port.end_session_of(user, session)
        problem = await problem_of(work)
        await self._load()
        if problem:
            self.view.tell_problem(problem)


def _ticked(boxes: list[CheckBox]) -> tuple[Role, ...]:
    return tuple(role for (role, _), box in zip(ROLES, boxes, strict=True) if box.isChecked())


def _looks_like_email(text: str) -> bool:
    name, at, host = text.strip().partition("@")
    return bool(name and at and host) and not any(letter.isspace() for letter in text.strip())
