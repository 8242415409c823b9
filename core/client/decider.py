"""`Decider`: turns an officer's click into a signed, stored decision. It never sends."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from core.client.device import DeviceKey
from core.client.errors import DecisionError
from core.client.outbox import Draft, Outbox, OutboxItem, SignedBytes, SignedWithdrawal
from core.domain.decisions import NEEDS_REASON, Decision, ReasonCode, Verdict
from core.domain.money import MoneyError, check_cents
from core.ledger.commitments import SALT_BYTES, commit
from core.ledger.errors import LedgerError
from core.protocol.messages import EnrollmentRow, Note
from core.protocol.signing import (
    Withdrawal,
    decision_payload,
    seen_digest,
    seen_facts,
    withdrawal_payload,
)

MAX_NOTE_CHARS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Decides for the officer whose `device` this is.

    `as_of()` gives the index of the last ledger entry that this console had seen.
    """

    device: DeviceKey
    outbox: Outbox
    as_of: Callable[[], int]
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    random_bytes: Callable[[int], bytes] = os.urandom

    async def decide(
        self,
        row: EnrollmentRow,
        verdict: Verdict,
        *,
        reason: ReasonCode | None = None,
        note: str | None = None,
        amount_received: int | None = None,
    ) -> OutboxItem:
        """Bind a verdict to `row` exactly as it was shown, sign it, and queue it.

        `note` is the officer's own words; `amount_received` is cents. Raises DecisionError for
        what a person can put right, OutboxError where the queue fails.
        """
        _check(verdict, reason, amount_received)
        words = self._note(note)
        try:
            seen = seen_digest(seen_facts(row))
        except LedgerError as error:
            raise DecisionError("This row cannot be decided: its data is damaged.") from error
        decision_id, as_of = self.new_id(), self.as_of()

        def sign(n: int) -> SignedBytes:
            decision = Decision(
                id=decision_id,
                officer=self.device.user,
                device=self.device.id,
                n=n,
                as_of=as_of,
                enrollment=row.enrollment,
                expected_version=row.version,
                seen=seen,
                verdict=verdict,
                reason_code=reason,
                reason_commitment=commit(bytes.fromhex(words.salt), words.text) if words else None,
                amount_received=amount_received,
            )
            payload = decision_payload(decision)
            return SignedBytes(payload, self.device.key.sign(payload))

        draft = Draft(
            id=decision_id,
            officer=self.device.user,
            device=self.device.id,
            enrollment=row.enrollment,
            verdict=verdict,
            note=words,
            created_at=self.now(),
            reference=row.reference,
            cents=row.claim.amount_cents if row.claim else row.amount_cents,
            shown=row,
        )
        return await self.outbox.add(draft, sign)

    async def withdraw(self, item: OutboxItem) -> tuple[OutboxItem, OutboxItem]:
        """Take back a decision that waits: sign a withdrawal of it and queue that instead.

        Gives the decision and the withdrawal. Raises DecisionError where it does not wait any
        more, or was not signed by this key; OutboxError where the queue fails.
        """
        if item.officer != self.device.user:
            raise DecisionError("Only the officer who signed it can discard it.")
        if item.device != self.device.id:
            raise DecisionError(
                "It was signed with an earlier key of this console, which is gone: it cannot be"
                " discarded. Ask an administrator to revoke that key: then it ends refused."
            )
        withdrawal_id, at = self.new_id(), self.now()

        def sign(decision: OutboxItem) -> SignedWithdrawal:
            payload = withdrawal_payload(
                Withdrawal(
                    id=withdrawal_id,
                    officer=decision.officer,
                    device=decision.device,
                    n=decision.n,
                    decision=decision.id,
                    enrollment=decision.enrollment,
                )
            )
            signed = SignedBytes(payload, self.device.key.sign(payload))
            return SignedWithdrawal(withdrawal_id, at, signed)

        return await self.outbox.discard(item.id, sign)

    def _note(self, text: str | None) -> Note | None:
        """The words with a fresh salt, so that equal words do not look equal in the ledger."""
        words = (text or "").strip()
        if not words:
            return None
        if len(words) > MAX_NOTE_CHARS:
            raise DecisionError(f"A note has at most {MAX_NOTE_CHARS} characters.")
        try:
            return Note(text=words, salt=self.random_bytes(SALT_BYTES).hex())
        except ValidationError:
            # Not `from` it: that one repeats the words.
            raise DecisionError(
                "The note holds a broken character. Please type it again."
            ) from None


def _check(verdict: Verdict, reason: ReasonCode | None, amount_received: int | None) -> None:
    if verdict in NEEDS_REASON and reason is None:
        raise DecisionError("Please give a reason.")
    if amount_received is not None:
        try:
            check_cents(amount_received)
        except MoneyError as error:
            raise DecisionError(str(error)) from error
