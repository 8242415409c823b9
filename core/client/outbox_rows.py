"""How an item of the outbox lies in its row: sealed whole, bound to the row's clear columns.

The clear columns are what queueing needs, and every one of them is sealed in as associated data,
so that an edited row does not open. `content` never changes; `outcome` is sealed anew with each
change of state. Only `sending` passes for `queued`: a start-up sweep makes it that anyway.

Times are ISO texts in UTC of one width, so that they compare as texts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from core.client.outbox_items import ItemKind, OutboxItem, OutboxState
from core.client.sealing import Sealer
from core.domain.decisions import Verdict
from core.protocol.messages import DecisionAnswer, EnrollmentRow, Note

COLUMNS = (
    "seq", "id", "kind", "officer", "device", "n", "enrollment", "created_at",
    "state", "attempts", "not_before", "settled_at", "dismissed", "confirmed",
    "content", "outcome",
)  # fmt: skip
# What never changes identifies the row; the rest is what became of it.
_IDENTITY = COLUMNS[:8]
_STANDING = COLUMNS[8:14]


class DamagedRowError(Exception):
    """A row whose seal does not open, or that holds what was never written."""


class _Sealed(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, ser_json_bytes="base64", val_json_bytes="base64"
    )


class _Content(_Sealed):
    payload: bytes
    signature: bytes
    note: Note | None
    note_lost: bool
    verdict: Verdict
    reference: str
    cents: int
    withdraws: UUID | None
    shown: EnrollmentRow | None


class _Outcome(_Sealed):
    code: str | None
    message: str | None
    answer: DecisionAnswer | None


class RowCodec:
    """Items to rows and back, under one key."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def row(self, item: OutboxItem, seq: int) -> tuple[object, ...]:
        """The values of `COLUMNS`."""
        clear = _clear(item, seq)
        content = _Content(
            payload=item.payload,
            signature=item.signature,
            note=item.note,
            note_lost=item.note_lost,
            verdict=item.verdict,
            reference=item.reference,
            cents=item.cents,
            withdraws=item.withdraws,
            shown=item.shown,
        )
        sealed = self._sealer.seal(content.model_dump_json(), _content_context(clear))
        return (*clear.values(), sealed, self._outcome(item, clear))

    def standing(self, item: OutboxItem, seq: int) -> tuple[object, ...]:
        """The values of the columns that change: from `state` on, without `content`."""
        clear = _clear(item, seq)
        return (*(clear[name] for name in _STANDING), self._outcome(item, clear))

    def opens(self, row: sqlite3.Row) -> bool:
        """Whether both seals of a row open: cheaper than reading it."""
        try:
            self._open(row)
        except DamagedRowError:
            return False
        return True

    def read(self, row: sqlite3.Row) -> OutboxItem:
        """Raises DamagedRowError."""
        sealed_content, sealed_outcome = self._open(row)
        try:
            content = _Content.model_validate_json(sealed_content)
            outcome = _Outcome.model_validate_json(sealed_outcome)
            settled = row["settled_at"]
            return OutboxItem(
                id=UUID(row["id"]),
                officer=UUID(row["officer"]),
                device=UUID(row["device"]),
                n=row["n"],
                enrollment=UUID(row["enrollment"]),
                verdict=content.verdict,
                payload=content.payload,
                signature=content.signature,
                note=content.note,
                note_lost=content.note_lost,
                state=OutboxState(row["state"]),
                attempts=row["attempts"],
                not_before=read_time(row["not_before"]),
                reason_code=outcome.code,
                reason_message=outcome.message,
                answer=outcome.answer,
                created_at=read_time(row["created_at"]),
                reference=content.reference,
                cents=content.cents,
                kind=ItemKind(row["kind"]),
                withdraws=content.withdraws,
                shown=content.shown,
                settled_at=None if settled is None else read_time(settled),
                dismissed=bool(row["dismissed"]),
                confirmed=bool(row["confirmed"]),
            )
        except (ValueError, TypeError) as error:
            raise DamagedRowError from error

    def _outcome(self, item: OutboxItem, clear: Mapping[str, object]) -> bytes:
        outcome = _Outcome(code=item.reason_code, message=item.reason_message, answer=item.answer)
        return self._sealer.seal(outcome.model_dump_json(), _outcome_context(clear))

    def _open(self, row: sqlite3.Row) -> tuple[str, str]:
        clear = {name: row[name] for name in (*_IDENTITY, *_STANDING)}
        content = self._unseal(row["content"], _content_context(clear))
        return content, self._unseal(row["outcome"], _outcome_context(clear))

    def _unseal(self, sealed: object, context: str) -> str:
        text = self._sealer.open(sealed, context) if isinstance(sealed, bytes) else None
        if text is None:
            raise DamagedRowError
        return text


def write_time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def read_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _clear(item: OutboxItem, seq: int) -> dict[str, object]:
    """The clear columns, in their order."""
    return {
        "seq": seq,
        "id": str(item.id),
        "kind": item.kind.value,
        "officer": str(item.officer),
        "device": str(item.device),
        "n": item.n,
        "enrollment": str(item.enrollment),
        "created_at": write_time(item.created_at),
        "state": item.state.value,
        "attempts": item.attempts,
        "not_before": write_time(item.not_before),
        "settled_at": None if item.settled_at is None else write_time(item.settled_at),
        "dismissed": int(item.dismissed),
        "confirmed": int(item.confirmed),
    }


def _content_context(clear: Mapping[str, object]) -> str:
    # `repr` keeps a number and its text apart, and no value can run into the next one.
    return "outbox/2/content:" + ",".join(repr(clear[name]) for name in _IDENTITY)


def _outcome_context(clear: Mapping[str, object]) -> str:
    waits = clear["state"] == OutboxState.SENDING.value
    standing = dict(clear, state=OutboxState.QUEUED.value) if waits else clear
    values = (repr(standing[name]) for name in (*_IDENTITY, *_STANDING))
    return "outbox/2/outcome:" + ",".join(values)
