"""`Accounts`: sign-in of staff and students, opaque tokens, refresh rotation."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from core.backend.services.commands import AddUserCommand, RegisterStudentCommand
from core.backend.services.errors import (
    AccountDisabledError,
    ConflictError,
    NotFoundError,
    ServiceError,
    SignInNeededError,
    SignInRefusedError,
)
from core.backend.services.guesses import GuessLimiter
from core.backend.services.identities import StaffIdentity, StudentIdentity, StudentSession
from core.backend.services.passwords import Argon2Profile, Passwords
from core.backend.services.rows import Rows, commitment_text, pack_person, student_place
from core.backend.services.submitting import submit
from core.backend.services.tokens import new_token, token_hash
from core.backend.storage import lookups, sessions
from core.backend.storage.errors import StorageError
from core.backend.storage.reader import Reader
from core.backend.storage.records import StaffSession, Student, StudentSessionRow, User
from core.backend.storage.vault import Vault, normalise_email
from core.backend.storage.writer import Writer
from core.domain.roles import SYSTEM, Actor, Role
from core.ledger.commitments import SALT_BYTES, commit
from core.protocol.messages import (
    EmbeddedClaim,
    EmbeddedSessions,
    Refresh,
    Session,
    SignIn,
    SignUp,
)
from core.protocol.messages import User as UserView

__all__ = ["Accounts", "AccountsConfig", "Argon2Profile"]

ACCESS_TIME = timedelta(minutes=15)
REFRESH_TIME = timedelta(days=30)
STUDENT_TIME = timedelta(days=30)
SEEN_STEP = timedelta(minutes=5)  # of a student's session
SIGN_UP_REFUSED = (
    "We could not make this account. If you have been here before, please sign in instead."
)
FREE_TRIES = 5
FREE_TRIES_OF_ADDRESS = 20  # many people may share one address


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsConfig:
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    random_bytes: Callable[[int], bytes]
    embedded_token: str | None = field(default=None, repr=False)


async def new_user(
    passwords: Passwords,
    config: AccountsConfig,
    *,
    name: str,
    email: str,
    roles: frozenset[Role],
    password: str,
    must_change_password: bool = False,
) -> User:
    """The record of somebody new on the staff."""
    return User(
        id=config.new_id(),
        email=normalise_email(email),
        name=name,
        salt=config.random_bytes(SALT_BYTES),
        password_hash=await passwords.hash(password),
        roles=roles,
        must_change_password=must_change_password,
    )


class Accounts:
    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        vault: Vault,
        passwords: Passwords,
        guesses: GuessLimiter,
        config: AccountsConfig,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._vault = vault
        self._rows = Rows(vault)
        self._passwords = passwords
        self._guesses = guesses
        self._config = config
        self._embedded_token = config.embedded_token

    # --- staff ---------------------------------------------------------------------------------

    async def staff_sign_in(self, body: SignIn, *, address: str, label: str = "") -> Session:
        """`label`: words about the console.

        Raises SignInRefusedError, AccountDisabledError, TooManyGuessesError.
        """
        email = normalise_email(body.email)
        keys = self._guess(f"staff:{email}", address)
        found = await self._reader.run(lambda c: lookups.read_users_by_email(c, [email]))
        user = found[0] if found else None
        stored = user.password_hash if user else None
        if not await self._passwords.matches(body.password, stored) or user is None:
            raise SignInRefusedError
        self._guessed_right(keys)
        if user.disabled:
            raise AccountDisabledError
        return await self._new_session(user, label=label)

    async def staff_refresh(self, body: Refresh) -> Session:
        """A new pair of tokens; the old refresh token is spent.

        A spent one that comes again was stolen, by then or now: the whole family is revoked.
        Raises SignInNeededError, AccountDisabledError.
        """
        now = self._config.clock()
        refresh = token_hash(body.refresh_token)
        session = await self._writer.run(lambda c: sessions.spend_refresh(c, refresh, now))
        if session is None:
            ended = await self._reader.run(lambda c: lookups.read_staff_session(c, refresh=refresh))
            raise await self._why_over(ended)
        user = await self._user(session.user_id)
        if user is None or user.disabled:
            raise await self._why_over(session)
        return await self._new_session(user, label=session.label, after=session)

    async def staff_sign_out(self, identity: StaffIdentity) -> None:
        """Revokes this session and all it was refreshed from and into."""
        now = self._config.clock()
        await self._writer.run(lambda c: sessions.revoke_family_of(c, identity.session, now))

    async def staff_identity(self, access_token: str) -> StaffIdentity:
        """Who holds this access token. Raises SignInNeededError, AccountDisabledError."""
        access = token_hash(access_token)
        session = await self._reader.run(lambda c: lookups.read_staff_session(c, access=access))
        now = self._config.clock()
        if session is None or session.revoked_at is not None or session.access_expires_at <= now:
            raise await self._why_over(session)
        user = await self._user(session.user_id)
        if user is None or user.disabled:
            raise await self._why_over(session)
        return _identity(session, user)

    async def disabled_identity(self, refresh_token: str) -> StaffIdentity:
        """Who was disabled, by a session of theirs that would have lasted: only to hand in what
        they had signed, every item of which the writer refuses.

        Raises SignInNeededError for everybody else.
        """
        refresh = token_hash(refresh_token)
        session = await self._reader.run(lambda c: lookups.read_staff_session(c, refresh=refresh))
        if session is None or session.refresh_expires_at <= self._config.clock():
            raise SignInNeededError
        user = await self._user(session.user_id)
        if user is None or not user.disabled:
            raise SignInNeededError
        return _identity(session, user)

    async def embedded_sessions(self, body: EmbeddedClaim) -> EmbeddedSessions:
        """For the console that started this backend: once, with the token it gave."""
        expected, self._embedded_token = self._embedded_token, None
        if expected is None or not hmac.compare_digest(expected.encode(), body.token.encode()):
            self._embedded_token = expected
            raise SignInRefusedError
        staff = await self._reader.run(lookups.read_all_users)
        return EmbeddedSessions(
            administrator=await self._session_of(staff, Role.ADMINISTRATOR),
            officer=await self._session_of(staff, Role.OFFICER),
        )

    async def add_user(
        self, *, email: str, name: str, password: str, roles: frozenset[Role], actor: Actor = SYSTEM
    ) -> UUID:
        """A new member of staff, added at the machine itself; `UserAdmin.add` is for people.

        Raises ConflictError where the email address is taken.
        """
        user = await new_user(
            self._passwords, self._config, name=name, email=email, roles=roles, password=password
        )
        command = AddUserCommand(user=user, actor=actor, key=str(user.id))
        answer = (await submit(self._writer, command)).answer
        if answer.index is None:
            raise ConflictError(answer.code, answer.message)
        return user.id

    async def _session_of(self, staff: list[User], role: Role) -> Session:
        fitting = [user for user in staff if role in user.roles and not user.disabled]
        if not fitting:
            raise NotFoundError("no_such_user", "There is nobody with this role here.")
        return await self._new_session(fitting[0], label="Bursar console")

    async def _why_over(self, session: StaffSession | None) -> ServiceError:
        """Disabling an account ends its sessions; to sign in again would not help."""
        user = None if session is None else await self._user(session.user_id)
        if user is not None and user.disabled:
            return AccountDisabledError()
        return SignInNeededError()

    async def _user(self, user: UUID) -> User | None:
        found = await self._reader.run(lambda c: lookups.read_users(c, [user]))
        return found[0] if found else None

    async def _new_session(
        self, user: User, *, label: str, after: StaffSession | None = None
    ) -> Session:
        """A fresh session; of the same family as the one it comes `after`."""
        access, refresh = self._token(), self._token()
        now = self._config.clock()
        session = StaffSession(
            id=self._config.new_id(),
            user_id=user.id,
            family=after.family if after else self._config.new_id(),
            access_hash=token_hash(access),
            access_expires_at=now + ACCESS_TIME,
            refresh_hash=token_hash(refresh),
            refresh_expires_at=now + REFRESH_TIME,
            started_at=after.started_at if after else now,
            label=label,
        )
        if not await self._writer.run(lambda c: sessions.add_staff_session(c, session)):
            raise SignInNeededError
        return Session(
            access_token=access,
            refresh_token=refresh,
            access_expires_at=session.access_expires_at,
            user=UserView(
                id=user.id,
                name=user.name,
                roles=tuple(sorted(user.roles)),
                must_change_password=user.must_change_password,
            ),
        )

    # --- students ------------------------------------------------------------------------------

    async def student_sign_up(
        self, body: SignUp, *, address: str, label: str = ""
    ) -> StudentSession:
        """A new account, signed in.

        Raises ConflictError, which does not say that the email address is known here, and
        TooManyGuessesError: whoever tries out addresses has to wait, one address or many.
        """
        name, email = body.name, normalise_email(body.email)
        by_email = f"sign-up-for:{self._vault.email_index(email).hex()}"
        self._guesses.attempt_all(
            {f"sign-up:{address}": FREE_TRIES_OF_ADDRESS, by_email: FREE_TRIES}
        )
        hashed = await self._passwords.hash(body.password)
        student = await self._register(name, email, hashed)
        return await self._new_student_session(student, name, label)

    async def hash_password(self, password: str) -> str:
        return await self._passwords.hash(password)

    async def add_invented_student(
        self, *, name: str, email: str, password_hash: str
    ) -> StudentSession:
        """One of the demo's students: they share a password that anybody may know, hashed once.

        Raises ConflictError where there is an account with this address.
        """
        student = await self._register(name, normalise_email(email), password_hash)
        return await self._new_student_session(student, name, "")

    async def _register(self, name: str, email: str, password_hash: str) -> Student:
        """Raises ConflictError where there is an account with this address."""
        id_, salt = self._config.new_id(), self._config.random_bytes(SALT_BYTES)
        student = Student(
            id=id_,
            email_index=self._vault.email_index(email),
            sealed=self._vault.seal(pack_person(name, email), place=student_place(id_)),
            salt=salt,
            commitment=commit(salt, commitment_text(name, email)),
            password_hash=password_hash,
            created_at=self._config.clock(),
        )
        answer = (await submit(self._writer, RegisterStudentCommand(student=student))).answer
        if answer.index is None:
            raise ConflictError("sign_up_refused", SIGN_UP_REFUSED)
        return student

    async def student_sign_in(
        self, body: SignIn, *, address: str, label: str = ""
    ) -> StudentSession:
        """`label`: words about the browser. Raises SignInRefusedError, TooManyGuessesError."""
        index = self._vault.email_index(body.email)
        keys = self._guess(f"student:{index.hex()}", address)
        found = await self._reader.run(lambda c: lookups.read_students_by_index(c, [index]))
        student = found[0] if found else None
        stored = student.password_hash if student else None
        if not await self._passwords.matches(body.password, stored) or student is None:
            raise SignInRefusedError
        self._guessed_right(keys)
        return await self._new_student_session(student, self._rows.person(student).name, label)

    async def student_sign_out(self, token: str) -> None:
        """Ends the session of this token; an unknown one is nobody's."""
        hashed, now = token_hash(token), self._config.clock()
        await self._writer.run(lambda c: sessions.revoke_student_session(c, hashed, now))

    async def student_identity(self, token: str) -> StudentIdentity:
        """Who holds this cookie. Raises SignInNeededError."""
        hashed = token_hash(token)
        session = await self._reader.run(lambda c: lookups.read_student_session(c, hashed))
        now = self._config.clock()
        if session is None or session.revoked_at is not None or session.expires_at <= now:
            raise SignInNeededError
        found = await self._reader.run(lambda c: lookups.read_students(c, [session.student_id]))
        name = self._rows.person(found[0]).name
        if session.seen_at is None or now - session.seen_at >= SEEN_STEP:
            await self._seen(session.id, now)
        return StudentIdentity(session.id, session.student_id, name, session.expires_at)

    async def _seen(self, session: UUID, now: datetime) -> None:
        # Only a courtesy of the list of sessions: a student is let in without it.
        with suppress(StorageError, SQLAlchemyError):
            await self._writer.run(lambda c: sessions.student_seen(c, session, now))

    async def _new_student_session(self, student: Student, name: str, label: str) -> StudentSession:
        token = self._token()
        row = StudentSessionRow(
            id=self._config.new_id(),
            student_id=student.id,
            token_hash=token_hash(token),
            expires_at=self._config.clock() + STUDENT_TIME,
            seen_at=self._config.clock(),
            label=label,
        )
        await self._writer.run(lambda c: sessions.add_student_session(c, row))
        return StudentSession(token, StudentIdentity(row.id, student.id, name, row.expires_at))

    # --- both ----------------------------------------------------------------------------------

    def _token(self) -> str:
        return new_token(self._config.random_bytes)

    def _guess(self, account: str, address: str) -> tuple[str, str]:
        by_address = f"address:{address}"
        self._guesses.attempt_all({account: FREE_TRIES, by_address: FREE_TRIES_OF_ADDRESS})
        return account, by_address

    def _guessed_right(self, keys: tuple[str, str]) -> None:
        account, by_address = keys
        self._guesses.succeeded(account)
        self._guesses.take_back(by_address)


def _identity(session: StaffSession, user: User) -> StaffIdentity:
    return StaffIdentity(
        session=session.id,
        user=user.id,
        name=user.name,
        roles=user.roles,
        expires_at=session.refresh_expires_at,
        family=session.family,
        must_change_password=user.must_change_password,
    )
