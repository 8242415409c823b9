"""One officer's desk never runs on another's session."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from core.client.errors import SignInNeededError
from core.client.secrets import MemoryStore
from core.client.session import SessionKeeper
from core.protocol.messages import Session, User


def session(user: UUID) -> Session:
    return Session(
        access_token="a" * 40,
        refresh_token="r" * 40,
        access_expires_at=datetime(2026, 3, 4, tzinfo=UTC),
        user=User(id=user, name="Palesa Ndlovu", roles=()),
    )


async def test_the_session_of_somebody_else_is_not_taken_and_not_kept() -> None:
    store = MemoryStore()
    keeper = SessionKeeper(store, "here")
    keeper.belongs_to = UUID(int=1)
    await keeper.keep(session(UUID(int=1)))
    assert await keeper.refresh_token() is not None
    with pytest.raises(SignInNeededError, match="Somebody else"):
        await keeper.keep(session(UUID(int=2)))
    assert keeper.session is None
    assert await keeper.refresh_token() is None
