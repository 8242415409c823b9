"""`UserAdmin`: the staff, as an administrator (or somebody at the machine itself) manages it."""

from __future__ import annotations

from uuid import UUID

from core.backend.services.accounts import AccountsConfig, new_user
from core.backend.services.administration_commands import (
    EndSessionsCommand,
    ResetPasswordCommand,
    SetDisabledCommand,
    SetRolesCommand,
)
from core.backend.services.commands import AddUserCommand
from core.backend.services.errors import NotFoundError
from core.backend.services.identities import Asker, StaffIdentity
from core.backend.services.passwords import Passwords
from core.backend.services.session_views import last_seen, staff_session_rows
from core.backend.services.submitting import submit_or_raise
from core.backend.storage import administration, lookups
from core.backend.storage.reader import Reader
from core.backend.storage.vault import normalise_email
from core.backend.storage.writer import Writer
from core.domain.roles import SYSTEM, Role
from core.protocol.messages import (
    NewUser,
    SessionList,
    StaffList,
    StaffMember,
    UserPassword,
)

# Without letters and digits that look alike. 32 of them: every byte gives each as often.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 4, 5


class UserAdmin:
    """Every change is one ledger entry. Asked again with the same key nothing happens twice."""

    def __init__(
        self, *, reader: Reader, writer: Writer, passwords: Passwords, config: AccountsConfig
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._passwords = passwords
        self._config = config

    def by_system(self) -> Asker:
        """Somebody at the machine itself asks, once."""
        return Asker(SYSTEM, None, str(self._config.new_id()))

    async def list(self) -> StaffList:
        now = self._config.clock()
        found = await self._reader.run(lambda c: administration.read_staff(c, now))
        return StaffList(users=tuple(_member(use) for use in found))

    async def get(self, user: UUID) -> StaffMember:
        """Raises NotFoundError."""
        now = self._config.clock()
        found = await self._reader.run(lambda c: administration.read_member(c, user, now))
        if found is None:
            raise NotFoundError("unknown_user", "There is nobody with this id.")
        return _member(found)

    async def find(self, email: str) -> UUID:
        """Who signs in with this email address. Raises NotFoundError."""
        wanted = normalise_email(email)
        found = await self._reader.run(lambda c: lookups.read_users_by_email(c, [wanted]))
        if not found:
            raise NotFoundError("unknown_user", "Nobody on the staff has this email address.")
        return found[0].id

    async def add(self, by: Asker, body: NewUser) -> UserPassword:
        """Somebody new, who must change this first password. Raises ConflictError."""
        password = body.password or self._make_password()
        user = await new_user(
            self._passwords,
            self._config,
            name=body.name,
            email=body.email,
            roles=frozenset(body.roles),
            password=password,
            must_change_password=True,
        )
        command = AddUserCommand(user=user, actor=by.actor, session=by.session, key=by.key)
        outcome = await submit_or_raise(self._writer, command)
        added = await self.get(outcome.answer.subject or user.id)
        # Asked again: the password that was made up now is nobody's.
        is_new = body.password is None and not outcome.repeated
        return UserPassword(user=added, password=password if is_new else None)

    async def set_roles(self, by: Asker, user: UUID, roles: frozenset[Role]) -> StaffMember:
        """Raises NotFoundError, ConflictError (the last administrator)."""
        command = SetRolesCommand(
            actor=by.actor, session=by.session, key=by.key, user=user, roles=roles
        )
        await submit_or_raise(self._writer, command)
        return await self.get(user)

    async def set_disabled(self, by: Asker, user: UUID, *, disabled: bool) -> StaffMember:
        """Disabling ends every session. Raises NotFoundError, ConflictError."""
        command = SetDisabledCommand(
            actor=by.actor, session=by.session, key=by.key, user=user, disabled=disabled
        )
        await submit_or_raise(self._writer, command)
        return await self.get(user)

    async def reset_password(self, by: Asker, user: UUID, password: str | None) -> UserPassword:
        """A new password, to be changed at the next sign-in; every session ends.

        Raises NotFoundError, ConflictError (one's own).
        """
        new = password or self._make_password()
        command = ResetPasswordCommand(
            actor=by.actor, session=by.session, key=by.key,
            user=user, password_hash=await self._passwords.hash(new),
        )  # fmt: skip
        outcome = await submit_or_raise(self._writer, command)
        is_new = password is None and not outcome.repeated
        return UserPassword(user=await self.get(user), password=new if is_new else None)

    async def sessions(self, user: UUID) -> SessionList:
        """Where somebody is signed in. Raises NotFoundError."""
        await self.get(user)
        now = self._config.clock()
        found = await self._reader.run(lambda c: administration.read_staff_sessions(c, user, now))
        return staff_session_rows(found)

    async def end_sessions(
        self, identity: StaffIdentity, user: UUID, *, session: UUID | None, key: str
    ) -> None:
        """End one session of somebody, or all of them; of oneself all but this one.

        Raises NotFoundError.
        """
        if session is not None:
            listed = await self.sessions(user)
            if session not in {row.id for row in listed.sessions}:
                raise NotFoundError("unknown_session", "There is no such session.")
        keep = identity.family if session is None and user == identity.user else None
        command = EndSessionsCommand(
            actor=identity.actor, session=identity.session, key=key,
            user=user, family=session, keep=keep,
        )  # fmt: skip
        await submit_or_raise(self._writer, command)

    def _make_password(self) -> str:
        letters = [
            _ALPHABET[byte % len(_ALPHABET)] for byte in self._config.random_bytes(_GROUPS * _GROUP)
        ]
        groups = ["".join(letters[i : i + _GROUP]) for i in range(0, len(letters), _GROUP)]
        return "-".join(groups)


def _member(use: administration.StaffUse) -> StaffMember:
    user = use.user
    return StaffMember(
        id=user.id,
        name=user.name,
        email=user.email,
        roles=tuple(sorted(user.roles)),
        disabled=user.disabled,
        must_change_password=user.must_change_password,
        devices=use.devices,
        sessions=len(use.sessions),
        seen_at=max((last_seen(session) for session in use.sessions), default=None),
    )
