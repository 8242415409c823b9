"""`OwnAccount`: what everybody does with their own account: password and sessions."""

from __future__ import annotations

from uuid import UUID

from core.backend.services.accounts import FREE_TRIES, AccountsConfig
from core.backend.services.administration_commands import (
    ChangePasswordCommand,
    ChangeStudentPasswordCommand,
)
from core.backend.services.errors import InvalidError, NotAllowedError, NotFoundError
from core.backend.services.guesses import GuessLimiter
from core.backend.services.identities import StaffIdentity, StudentIdentity
from core.backend.services.passwords import Passwords
from core.backend.services.session_views import staff_session_rows, student_session_rows
from core.backend.services.submitting import submit_or_raise
from core.backend.storage import administration, lookups, sessions
from core.backend.storage.command import EndSessions, EndStudentSessions
from core.backend.storage.reader import Reader
from core.backend.storage.writer import Writer
from core.protocol.messages import PasswordChange, SessionList


class OwnAccount:
    """A changed password ends every other session of the person, in the same transaction."""

    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        passwords: Passwords,
        guesses: GuessLimiter,
        config: AccountsConfig,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._passwords = passwords
        self._guesses = guesses
        self._config = config

    # --- staff ---------------------------------------------------------------------------------

    async def change_staff_password(self, who: StaffIdentity, body: PasswordChange) -> None:
        """Raises NotAllowedError (old password), InvalidError (no new one), TooManyGuessesError."""
        found = await self._reader.run(lambda c: lookups.read_users(c, [who.user]))
        stored = found[0].password_hash
        await self._check(f"password:{who.user}", body, stored)
        command = ChangePasswordCommand(
            actor=who.actor,
            session=who.session,
            key=str(self._config.new_id()),
            old_hash=stored,
            new_hash=await self._passwords.hash(body.new_password),
            keep=who.family,
        )
        await submit_or_raise(self._writer, command)

    async def staff_sessions(self, who: StaffIdentity) -> SessionList:
        now, user = self._config.clock(), who.user
        found = await self._reader.run(lambda c: administration.read_staff_sessions(c, user, now))
        return staff_session_rows(found, who.family)

    async def end_staff_session(self, who: StaffIdentity, session: UUID) -> None:
        """End one of one's own. Raises NotFoundError."""
        listed = await self.staff_sessions(who)
        if session not in {row.id for row in listed.sessions}:
            raise _unknown_session()
        ended = EndSessions(who.user, self._config.clock(), family=session)
        await self._writer.run(lambda c: sessions.end_sessions(c, ended))

    async def end_other_staff_sessions(self, who: StaffIdentity) -> None:
        ended = EndSessions(who.user, self._config.clock(), keep=who.family)
        await self._writer.run(lambda c: sessions.end_sessions(c, ended))

    # --- students ------------------------------------------------------------------------------

    async def change_student_password(self, who: StudentIdentity, body: PasswordChange) -> None:
        """Raises as `change_staff_password`."""
        found = await self._reader.run(lambda c: lookups.read_students(c, [who.student]))
        stored = found[0].password_hash
        await self._check(f"password:{who.student}", body, stored)
        command = ChangeStudentPasswordCommand(
            student=who.student,
            old_hash=stored,
            new_hash=await self._passwords.hash(body.new_password),
            keep=who.session,
            key=str(self._config.new_id()),
        )
        await submit_or_raise(self._writer, command)

    async def student_sessions(self, who: StudentIdentity) -> SessionList:
        now, student = self._config.clock(), who.student
        found = await self._reader.run(
            lambda c: administration.read_student_sessions(c, student, now)
        )
        return student_session_rows(found, who.session)

    async def end_student_session(self, who: StudentIdentity, session: UUID) -> None:
        """End one of one's own. Raises NotFoundError."""
        now, student = self._config.clock(), who.student
        ended = await self._writer.run(
            lambda c: sessions.end_student_session(c, student, session, now)
        )
        if not ended:
            raise _unknown_session()

    async def end_other_student_sessions(self, who: StudentIdentity) -> None:
        ended = EndStudentSessions(who.student, self._config.clock(), keep=who.session)
        await self._writer.run(lambda c: sessions.end_student_sessions(c, ended))

    # --- both ----------------------------------------------------------------------------------

    async def _check(self, account: str, body: PasswordChange, stored: str) -> None:
        self._guesses.attempt(account, free=FREE_TRIES)
        if not await self._passwords.matches(body.old_password, stored):
            raise NotAllowedError("wrong_password", "The old password is wrong.")
        self._guesses.succeeded(account)
        if body.new_password == body.old_password:
            raise InvalidError("same_password", "The new password must be another one.")


def _unknown_session() -> NotFoundError:
    return NotFoundError("unknown_session", "There is no such session.")
