"""Keys, rows, sessions and a queue for the tests of the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from core.client.decider import Decider
from core.client.device import DeviceKey
from core.client.outbox import Outbox
from core.domain.roles import Role
from core.ledger.keys import SigningKey
from core.protocol.messages import Session, User

OFFICER = UUID(int=0xAA)
START = datetime(2026, 3, 2, 10, 42, tzinfo=UTC)


@dataclass
class Clock:
    """Moves only when told."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Ids:
    """Ids in order."""

    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __call__(self) -> UUID:
        return UUID(int=0x1000 + next(self.numbers))


def device_key(user: UUID = OFFICER, number: int = 1) -> DeviceKey:
    return DeviceKey(UUID(int=0xD0 + number), user, SigningKey(bytes([number]) * 32))


def decider(
    outbox: Outbox, clock: Callable[[], datetime], device: DeviceKey | None = None
) -> Decider:
    return Decider(
        device=device or device_key(),
        outbox=outbox,
        as_of=lambda: 41,
        now=clock,
        new_id=_IDS,
        random_bytes=lambda size: b"\x07" * size,
    )


_IDS = Ids()


def session(number: int = 1, user: UUID = OFFICER) -> Session:
    return Session(
        access_token=f"access-token-number-{number}",
        refresh_token=f"refresh-token-number-{number}",
        access_expires_at=START + timedelta(minutes=15),
        user=User(id=user, name="T. Mokoena", roles=(Role.OFFICER,)),
    )
