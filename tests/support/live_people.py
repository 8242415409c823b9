"""People of a live backend: a student with a session, an officer with a device that signs."""

from __future__ import annotations

import base64
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from core.domain.decisions import Decision, ReasonCode, Verdict
from core.ledger.commitments import SALT_BYTES, commit
from core.ledger.keys import SigningKey
from core.protocol.messages import EnrollmentRow, Note, Session, SignedDecision
from core.protocol.signing import (
    Withdrawal,
    decision_payload,
    read_decision,
    seen_digest,
    seen_facts,
    withdrawal_payload,
)


@dataclass(frozen=True)
class LiveStudent:
    """A signed-up student. `cookies` and `headers` go into httpx or websockets as they are."""

    id: UUID
    name: str
    email: str
    password: str
    token: str
    origin: str

    @property
    def cookies(self) -> dict[str, str]:
        return {"bursar_session": self.token}

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"bursar_session={self.token}", "Origin": self.origin}


@dataclass(frozen=True)
class Claimed:
    """A student who says: I have paid."""

    student: LiveStudent
    course: UUID
    enrollment: UUID


def _numbers() -> Iterator[int]:
    return itertools.count()


@dataclass(frozen=True)
class LiveDevice:
    """An enrolled device of somebody on the staff, ready to sign."""

    id: UUID
    session: Session
    key: SigningKey
    _n: Iterator[int] = field(default_factory=_numbers)

    @property
    def user(self) -> UUID:
        return self.session.user.id

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.session.access_token}"}

    def decision(
        self,
        row: EnrollmentRow,
        verdict: Verdict = Verdict.APPROVE,
        *,
        as_of: int,
        reason: ReasonCode | None = None,
        words: str | None = None,
    ) -> SignedDecision:
        """A decision about what `row` shows, signed with the next number of this device."""
        salt = os.urandom(SALT_BYTES)
        decision = Decision(
            id=uuid7(),
            officer=self.user,
            device=self.id,
            n=next(self._n),
            as_of=as_of,
            enrollment=row.enrollment,
            expected_version=row.version,
            seen=seen_digest(seen_facts(row)),
            verdict=verdict,
            reason_code=reason,
            reason_commitment=None if words is None else commit(salt, words),
        )
        note = None if words is None else Note(text=words, salt=salt.hex())
        return self.signed(decision, note)

    def withdrawal(self, item: SignedDecision, **changes: Any) -> SignedDecision:
        """Takes that decision back; `changes` are fields of the withdrawal."""
        made = read_decision(item.payload.encode())
        withdrawal = Withdrawal(
            id=uuid7(),
            officer=made.officer,
            device=made.device,
            n=made.n,
            decision=made.id,
            enrollment=made.enrollment,
        )
        withdrawal = replace(withdrawal, **changes)
        return self._item(withdrawal.id, withdrawal_payload(withdrawal))

    def signed(self, decision: Decision, note: Note | None = None) -> SignedDecision:
        """Any decision at all, rightly signed."""
        return self._item(decision.id, decision_payload(decision), note)

    def _item(self, id_: UUID, payload: bytes, note: Note | None = None) -> SignedDecision:
        return SignedDecision(
            id=id_,
            payload=payload.decode(),
            signature=base64.b64encode(self.key.sign(payload)).decode(),
            note=note,
        )
