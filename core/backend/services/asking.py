"""What commands share by who asks: whose idempotency keys count, and what is read of the asker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from core.backend.storage.command import Needs
from core.domain.decisions import Decision
from core.domain.roles import Actor
from core.ledger.canonical import canonical
from core.protocol.signing import Withdrawal


def request_digest(*parts: str) -> bytes:
    """SHA-256 over the texts of a request, in order."""
    return sha256(canonical(list(parts))).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedByStudent:
    student: UUID
    key: str

    @property
    def scope(self) -> str:
        return f"student:{self.student}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedByStaff:
    """`session` is the asker's session row, None at the machine itself: whoever was disabled
    meanwhile changes nothing more."""

    actor: Actor
    key: str
    session: UUID | None = None

    @property
    def scope(self) -> str:
        return self.actor.code

    def needs(self) -> Needs:
        return self.asker_needs()

    def asker_needs(self, **more: frozenset[Any]) -> Needs:
        """`more`, and what tells whether the asker may still ask: user and session."""
        users = more.pop("users", frozenset())
        return Needs(
            users=users | (frozenset({self.actor.id}) if self.actor.id else frozenset()),
            sessions=frozenset({self.session}) if self.session else frozenset(),
            **more,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidByGateway:
    """The card provider's word, asked for by ourselves."""

    @property
    def scope(self) -> str:
        return "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """`signature` over `payload` was checked under the signing device's key before."""

    payload: bytes
    signature: bytes

    @property
    def digest(self) -> bytes:
        return sha256(self.payload + self.signature).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedByOfficer(Signed, ABC):
    """Out of a console's queue; `session` is the officer's session row."""

    session: UUID

    @property
    @abstractmethod
    def made(self) -> Decision | Withdrawal:
        """What the device signed."""

    @property
    def scope(self) -> str:
        return f"device:{self.made.device}"

    @property
    def key(self) -> str:
        return str(self.made.id)

    def needs(self) -> Needs:
        return self.signer_needs()

    def signer_needs(self, **more: frozenset[Any]) -> Needs:
        """`more`, what it is about, and what tells whether the signer may still be heard."""
        made = self.made
        return Needs(
            enrollments=frozenset({made.enrollment}),
            users=frozenset({made.officer}),
            sessions=frozenset({self.session}),
            devices=frozenset({made.device}),
            numbers=frozenset({(made.device, made.n)}),
            **more,
        )
