"""`PaymentDesk`: card payments as staff see them, and what people do about money that came late or
has to go back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection

from core.backend.services.confirmations import Confirmations
from core.backend.services.errors import NotFoundError
from core.backend.services.identities import Asker
from core.backend.services.payment_commands import MoveRefundCommand, SettleLateMoneyCommand
from core.backend.services.payment_rows import attempt_row, late_row, refund_row
from core.backend.services.rows import Rows
from core.backend.services.submitting import submit_or_raise
from core.backend.storage import lookups, payments, queries
from core.backend.storage.payment_records import CardLink, LateMoney, Refund
from core.backend.storage.queries import Bundle
from core.backend.storage.reader import Reader
from core.backend.storage.records import Note
from core.backend.storage.vault import Vault
from core.backend.storage.workspace import user_of
from core.backend.storage.writer import Writer
from core.domain.card_money import RefundState
from core.ledger.commitments import SALT_BYTES, commit
from core.protocol.messages import (
    CardAsked,
    CardAttempt,
    CardAttemptPage,
    LateMoneyPage,
    LateMoneyRow,
    RefundPage,
    RefundRow,
    SettleLateMoney,
)

_UNKNOWN_PAYMENT = ("unknown_attempt", "There is no such card payment.")
_UNKNOWN_MONEY = ("unknown_late_money", "There is no such money.")
_UNKNOWN_REFUND = ("unknown_refund", "There is no such refund.")


@dataclass(frozen=True, slots=True)
class _Read:
    """Late money or refunds with what people need to read them."""

    bundles: Mapping[UUID, Bundle]
    names: Mapping[UUID, str]
    notes: Mapping[str, bytes]


class PaymentDesk:
    """Every change is one ledger entry, by somebody who may decide about money."""

    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        vault: Vault,
        rows: Rows,
        confirmations: Confirmations,
        new_id: Callable[[], UUID],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._vault = vault
        self._rows = rows
        self._confirmations = confirmations
        self._new_id = new_id
        self._random_bytes = random_bytes

    # --- attempts ------------------------------------------------------------------------------

    async def attempts(self, *, after: UUID | None, limit: int) -> CardAttemptPage:
        """All card payments, newest first."""
        rows = await self._reader.run(
            lambda c: self._attempts(c, payments.read_link_page(c, after, limit))
        )
        return CardAttemptPage(rows=rows, next_after=_next([r.attempt for r in rows], limit))

    async def attempts_of(self, enrollment: UUID) -> CardAttemptPage:
        """Those of one enrollment, newest first. Raises NotFoundError."""

        def read(connection: Connection) -> tuple[CardAttempt, ...]:
            if not queries.read_bundles(connection, [enrollment]):
                raise NotFoundError("unknown_enrollment", "There is no such enrollment.")
            links = payments.read_links(connection, enrollments=[enrollment])
            return self._attempts(connection, links[::-1])

        return CardAttemptPage(rows=await self._reader.run(read))

    async def ask(self, attempt: UUID) -> CardAsked:
        """Ask the provider now. Raises NotFoundError, BusyError."""
        result = await self._confirmations.confirm(attempt=attempt)
        rows = await self._reader.run(
            lambda c: self._attempts(c, payments.read_links(c, attempts=[attempt]))
        )
        if not rows:
            raise NotFoundError(*_UNKNOWN_PAYMENT)
        return CardAsked(answer=result.answer.value, message=result.message, row=rows[0])

    def _attempts(
        self, connection: Connection, links: Sequence[CardLink]
    ) -> tuple[CardAttempt, ...]:
        bundles = _bundles(connection, {link.enrollment for link in links})
        return tuple(attempt_row(link, bundles[link.enrollment], self._rows) for link in links)

    # --- late money ----------------------------------------------------------------------------

    async def late_money(self, *, after: UUID | None, limit: int, open_only: bool) -> LateMoneyPage:
        """Newest first."""
        rows = await self._reader.run(
            lambda c: self._late(c, payments.read_late_page(c, after, limit, open_only=open_only))
        )
        return LateMoneyPage(rows=rows, next_after=_next([r.id for r in rows], limit))

    async def settle(self, by: Asker, money: UUID, body: SettleLateMoney) -> LateMoneyRow:
        """Say what became of it. `applied` makes a claim that waits for an officer's approval.

        Raises NotFoundError, ConflictError (settled already, cannot be applied), NotAllowedError.
        """
        found = await self._reader.run(lambda c: payments.read_late_money(c, [money]))
        if not found:
            raise NotFoundError(*_UNKNOWN_MONEY)
        command = SettleLateMoneyCommand(
            money=money,
            enrollment=found[0].enrollment,
            how=body.how,
            words=sha256(body.words.encode()).hexdigest(),
            note=self._seal(body.words),
            claim=self._new_id(),
            actor=by.actor,
            session=by.session,
            key=by.key,
        )
        await submit_or_raise(self._writer, command)
        rows = await self._reader.run(lambda c: self._late(c, payments.read_late_money(c, [money])))
        return rows[0]

    def _late(self, connection: Connection, found: Sequence[LateMoney]) -> tuple[LateMoneyRow, ...]:
        read = _read(
            connection,
            {money.enrollment for money in found if money.enrollment},
            {money.by for money in found if money.by},
            {money.note for money in found if money.note},
        )
        return tuple(
            late_row(
                money,
                read.bundles.get(money.enrollment) if money.enrollment else None,
                self._rows,
                names=read.names,
                words=self._open(money.note, read.notes),
            )
            for money in found
        )

    def _seal(self, words: str) -> Note:
        salt = self._random_bytes(SALT_BYTES)
        commitment = commit(salt, words)
        plain = json.dumps([words, salt.hex()]).encode()
        return Note(commitment, self._vault.seal(plain, place=_place(commitment)))

    def _open(self, commitment: str | None, notes: Mapping[str, bytes]) -> str | None:
        """The words; None where there are none, or they were erased."""
        if commitment is None or commitment not in notes:
            return None
        words, _ = json.loads(self._vault.open(notes[commitment], place=_place(commitment)))
        return str(words)

    # --- refunds -------------------------------------------------------------------------------

    async def refunds(self, *, after: UUID | None, limit: int, open_only: bool) -> RefundPage:
        """Newest payments first."""
        rows = await self._reader.run(
            lambda c: self._refunds(
                c, payments.read_refund_page(c, after, limit, open_only=open_only)
            )
        )
        return RefundPage(rows=rows, next_after=_next([r.attempt for r in rows], limit))

    async def move_refund(self, by: Asker, attempt: UUID, to: RefundState) -> RefundRow:
        """It was sent, or it is done. Raises NotFoundError, ConflictError, NotAllowedError."""
        refund = await self._reader.run(lambda c: payments.read_refund(c, attempt))
        if refund is None:
            raise NotFoundError(*_UNKNOWN_REFUND)
        command = MoveRefundCommand(
            attempt=attempt, enrollment=refund.enrollment, to=to,
            actor=by.actor, session=by.session, key=by.key,
        )  # fmt: skip
        await submit_or_raise(self._writer, command)
        rows = await self._reader.run(lambda c: self._refunds(c, _existing(c, attempt)))
        return rows[0]

    def _refunds(self, connection: Connection, found: Sequence[Refund]) -> tuple[RefundRow, ...]:
        read = _read(connection, {r.enrollment for r in found}, {r.by for r in found}, set())
        return tuple(
            refund_row(refund, read.bundles[refund.enrollment], self._rows, names=read.names)
            for refund in found
        )


def _existing(connection: Connection, attempt: UUID) -> list[Refund]:
    refund = payments.read_refund(connection, attempt)
    return [] if refund is None else [refund]


def _next(ids: Sequence[UUID], limit: int) -> UUID | None:
    """Where the next page begins; None on the last one."""
    return ids[-1] if len(ids) == limit else None


def _bundles(connection: Connection, enrollments: Iterable[UUID]) -> dict[UUID, Bundle]:
    found = queries.read_bundles(connection, enrollments)
    return {bundle.enrollment.id: bundle for bundle in found}


def _read(
    connection: Connection, enrollments: set[UUID], actors: set[str], notes: set[str]
) -> _Read:
    users = {user for actor in actors if (user := user_of(actor)) is not None}
    return _Read(
        _bundles(connection, enrollments),
        queries.read_names(connection, users),
        lookups.read_notes(connection, notes) if notes else {},
    )


def _place(commitment: str) -> str:
    return f"notes/{commitment}"
