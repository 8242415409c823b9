"""`SessionKeeper`: tokens in memory, the refresh token in a secret store."""

from __future__ import annotations

import asyncio
import contextlib
from uuid import UUID

from core.client.errors import SecretStoreError, SignInNeededError
from core.client.secrets import SecretStore
from core.protocol.messages import Session


class SessionKeeper:
    """Holds the session of one sign-in at one backend.

    `name` tells backends and roles apart in the store, whose calls run in a worker thread. A store
    that fails costs a sign-in at the next start, never the session in hand.
    """

    def __init__(self, store: SecretStore, name: str) -> None:
        self._store = store
        self._name = f"refresh-token:{name}"
        self.session: Session | None = None
        self.remembered = False
        """Whether the store holds what the next start needs."""
        self.renewing = asyncio.Lock()
        """Refresh tokens are good once: two renewals at a time would end the session."""
        self.belongs_to: UUID | None = None
        """Whose desk this is: one officer's queue never travels with another's session."""

    async def keep(self, session: Session) -> None:
        """Take over a new session. SignInNeededError if it is somebody else's."""
        if self.belongs_to not in {None, session.user.id}:
            await self.forget()
            raise SignInNeededError("Somebody else has signed in on this computer: sign in again.")
        self.session = session
        try:
            await asyncio.to_thread(self._store.set, self._name, session.refresh_token)
        except SecretStoreError:
            self.remembered = False
        else:
            self.remembered = True

    async def refresh_token(self) -> str | None:
        """The token of the session in hand, else the one remembered from an earlier start."""
        if self.session is not None:
            return self.session.refresh_token
        try:
            return await asyncio.to_thread(self._store.get, self._name)
        except SecretStoreError:
            return None

    async def forget(self) -> None:
        """Signed out: nothing stays, here or in the store."""
        self.session = None
        self.remembered = False
        with contextlib.suppress(SecretStoreError):
            await asyncio.to_thread(self._store.delete, self._name)
