"""Signing in, sessions, and the workspace that one signs in to."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime

from core.domain.roles import Role
from core.protocol.messages.fields import Base64, Cents, Email, Message, Password, Secret, ShortText


class SignIn(Message):
    email: Email
    password: Password


class Refresh(Message):
    refresh_token: Secret


class EmbeddedClaim(Message):
    """The one-time token that the console gave its own child on standard input."""

    token: Secret


class User(Message):
    """`must_change_password`: nothing else is answered before `PasswordChange` was done."""

    id: UUID
    name: ShortText
    roles: tuple[Role, ...]
    must_change_password: bool = False


class Session(Message):
    """Opaque tokens; the access token is short-lived, the refresh token is used once."""

    access_token: Secret
    refresh_token: Secret
    access_expires_at: AwareDatetime
    user: User


class EmbeddedSessions(Message):
    administrator: Session
    officer: Session


class Workspace(Message):
    """`demo` marks data that is not real; `threshold_cents` None: one signature is enough.

    `root_fingerprints`: of every first device there ever was, in the order of the ledger.
    """

    name: ShortText
    demo: bool
    threshold_cents: Cents | None
    checkpoint_name: ShortText
    checkpoint_key: Base64
    root_fingerprints: tuple[ShortText, ...] = ()
