"""Users: who works here, in which roles, and where they are signed in."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from console.models.records import Cell, RecordColumn, RecordModel
from console.runtime.dialogs import confirm
from console.views.administration.page import Bench, RecordPage, problem_of
from console.views.administration.user_dialogs import (
    SESSIONS_TASK,
    PasswordDialog,
    RolesDialog,
    UserDialog,
    UserSessionsDialog,
)
from console.views.administration.words import roles_words, seen_cell, user_state
from core.client.errors import ClientError
from core.protocol.messages import StaffMember


class UsersPage(RecordPage[StaffMember]):
    """Keys: N adds, R roles, P password, S sessions."""

    def __init__(self, bench: Bench) -> None:
        columns: tuple[RecordColumn[StaffMember], ...] = (
            RecordColumn("Name", lambda user: Cell(user.name)),
            RecordColumn("Email", lambda user: Cell(user.email), width=240),
            RecordColumn("Roles", lambda user: Cell(roles_words(user.roles)), 190),
            RecordColumn(
                "Devices", lambda user: Cell(str(user.devices), user.devices), 88, right=True
            ),
            RecordColumn("Last seen", lambda user: seen_cell(user.seen_at, bench.clock()), 140),
            RecordColumn("State", user_state, 140),
        )
        super().__init__(
            bench,
            RecordModel(columns, key=lambda user: user.id, dimmed=lambda user: user.disabled),
            name="Users",
            icon="users",
            empty="Nobody works here yet.",
            hint="Select a person to change roles, password, sessions or access.",
        )
        self.add_user = self.add_tool("Add user…", self._add_wanted, icon="user", key="N")
        self.roles = self.add_action("Roles…", self._roles_wanted, key="R")
        self.password = self.add_action(
            "New password…", self._password_wanted, why_not=self._not_oneself_password, key="P"
        )
        self.sessions = self.add_action("Sessions…", self._sessions_wanted, key="S")
        self.disable = self.add_action(
            "Disable…",
            self._disable_wanted,
            why_not=self._not_disable,
            words=lambda user: "Enable" if user.disabled else "Disable…",
        )

    async def load(self) -> Sequence[StaffMember]:
        return await self.bench.port.users()

    def name_of(self, record: StaffMember) -> str:
        return f"{record.name}, {roles_words(record.roles)}"

    # --- what can be done ---

    def _not_oneself_password(self, user: StaffMember) -> str:
        return "Change your own password in Settings." if user.id == self.bench.me else ""

    def _not_disable(self, user: StaffMember) -> str:
        return "Nobody locks the door behind oneself." if user.id == self.bench.me else ""

    def _add_wanted(self) -> None:
        self.bench.start(self._add())

    async def _add(self) -> None:
        dialog = UserDialog(self.bench)
        if await self.bench.ask(dialog) and dialog.made is not None:
            await self.reload()
            made = dialog.made
            if made.password is not None:
                await self.bench.ask(PasswordDialog(self.bench, made.user, made.password))
            self.table.select_key(made.user.id)

    def _roles_wanted(self, user: StaffMember) -> None:
        self.bench.start(self._roles(user))

    async def _roles(self, user: StaffMember) -> None:
        if await self.bench.ask(RolesDialog(self.bench, user)):
            self.bench.tell("ok", f"{user.name} has other roles now.")
            self.refresh()

    def _password_wanted(self, user: StaffMember) -> None:
        self.bench.start(self._new_password(user))

    async def _new_password(self, user: StaffMember) -> None:
        sure = await confirm(
            self.bench.window,
            title=f"A new password for {user.name}?",
            text="The old one stops working and every session ends. The new one is shown to you"
            " once; the person chooses another at the next sign-in.",
            yes="Make a new password",
        )
        if not sure:
            return
        try:
            made = await self.bench.port.new_password(user.id)
        except ClientError as error:
            self.bench.tell("danger", str(error))
            return
        self.refresh()
        if made.password is not None:
            await self.bench.ask(PasswordDialog(self.bench, made.user, made.password))

    def _sessions_wanted(self, user: StaffMember) -> None:
        self.bench.start(self._sessions(user))

    async def _sessions(self, user: StaffMember) -> None:
        await self.bench.ask(UserSessionsDialog(self.bench, user))
        self.bench.tasks.cancel(SESSIONS_TASK)  # nothing is left to show it in
        self.refresh()

    def _disable_wanted(self, user: StaffMember) -> None:
        self.bench.start(self._enable(user) if user.disabled else self._disable(user))

    async def _enable(self, user: StaffMember) -> None:
        await self._change(self.bench.port.enable_user(user.id), f"{user.name} can sign in again.")

    async def _disable(self, user: StaffMember) -> None:
        sure = await confirm(
            self.bench.window,
            title=f"Disable {user.name}?",
            text="Every session ends at once and nobody can sign in with this account. What was"
            " decided stays. You can enable the account again.",
            yes="Disable",
            danger=True,
        )
        if sure:
            await self._change(self.bench.port.disable_user(user.id), f"{user.name} is disabled.")

    async def _change(self, work: Coroutine[Any, Any, StaffMember], done: str) -> None:
        problem = await problem_of(work)
        self.bench.tell("danger" if problem else "ok", problem or done)
        self.refresh()
