"""`AdminApprovalWorkflow`: what waits, its details, and the officers' decisions.

Before the writer: the payload is read, the device's signature and the note's commitment checked.
Everything that can change meanwhile is checked by the writer (`deciding.py`).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from core.backend.services.commands import DecideCommand
from core.backend.services.errors import InvalidError, NotFoundError
from core.backend.services.identities import StaffIdentity
from core.backend.services.rows import Rows, actor_name, card_view
from core.backend.storage import ledger, lookups, queries
from core.backend.storage.errors import StorageError, WriterBusyError, WriterStoppedError
from core.backend.storage.reader import Reader
from core.backend.storage.records import Device, Note
from core.backend.storage.vault import Vault
from core.backend.storage.workspace import user_of
from core.backend.storage.writer import Writer
from core.domain.decisions import Decision
from core.domain.money import MAX_CENTS
from core.ledger.canonical import MAX_INT
from core.ledger.commitments import commit
from core.ledger.errors import LeafError
from core.ledger.keys import SIGNATURE_BYTES, verify
from core.ledger.leaf import decode
from core.ledger.text import read_base64
from core.protocol.messages import (
    PAGE_ROWS,
    AnswerKind,
    DecisionAnswer,
    DecisionAnswers,
    DecisionBatch,
    EnrollmentDetail,
    RowPage,
    SignedDecision,
    TimelineEntry,
)
from core.protocol.messages import Note as NoteBody
from core.protocol.signing import PayloadError, read_decision

TIMELINE_ENTRIES = 200
_HEX32 = re.compile(r"[0-9a-f]{64}")
_CURSOR = re.compile(r"([0-9]{1,17})\.([0-9a-f]{32})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Early:
    """A decision that got its answer before it came to the writer."""

    answer: DecisionAnswer


_Prepared = _Early | DecideCommand


class AdminApprovalWorkflow:
    def __init__(self, *, reader: Reader, writer: Writer, vault: Vault, rows: Rows) -> None:
        self._reader = reader
        self._writer = writer
        self._vault = vault
        self._rows = rows

    async def pending(self, *, after: str | None, limit: int) -> RowPage:
        """A page of what waits, oldest first; `after` is the page before's `next_after`.

        Raises InvalidError for a cursor that is none.
        """
        size = max(1, min(limit, PAGE_ROWS))
        place = None if after is None else _read_cursor(after)
        found = await self._reader.run(lambda c: queries.read_pending(c, place, size))
        rows = tuple(self._rows.enrollment_row(bundle) for bundle in found.bundles)
        return RowPage(
            rows=rows, next_after=_write_cursor(found.next_after) if found.next_after else None
        )

    async def detail(self, enrollment: UUID) -> EnrollmentDetail:
        """Row, timeline and the student's card. Raises NotFoundError."""
        return await self._reader.run(lambda c: self._read_detail(c, enrollment))

    async def decide(self, officer: StaffIdentity, batch: DecisionBatch) -> DecisionAnswers:
        """One answer per item, in order; one bad item never blocks another."""
        prepared = await self._reader.run(lambda c: self._prepare(c, officer, batch))
        # All take their place in the queue at once, so that they are written together.
        answers = await asyncio.gather(*(self._answer(item) for item in prepared))
        return DecisionAnswers(results=tuple(await self._with_rows(prepared, answers)))

    def _read_detail(self, connection: Connection, enrollment: UUID) -> EnrollmentDetail:
        found = queries.read_bundles(connection, [enrollment])
        if not found:
            raise NotFoundError("unknown_enrollment", "There is no such enrollment.")
        bundle = found[0]
        subject = f"{queries.ENROLLMENT_SUBJECT}{enrollment}"
        entries = ledger.read_subject_entries(connection, subject, TIMELINE_ENTRIES)
        actors = [decode(entry.leaf).actor for entry in entries]
        staff = {user for actor in actors if (user := user_of(actor)) is not None}
        names = queries.read_names(connection, staff)
        row = self._rows.enrollment_row(bundle)
        timeline = tuple(
            TimelineEntry(
                index=entry.index,
                leaf=entry.leaf.decode(),
                actor_name=actor_name(actor, names, row.student.name),
            )
            for entry, actor in zip(entries, actors, strict=True)
        )
        card = card_view(bundle.course, bundle.enrollment)
        return EnrollmentDetail(row=row, timeline=timeline, card=card)

    # --- decisions -----------------------------------------------------------------------------

    def _prepare(
        self, connection: Connection, officer: StaffIdentity, batch: DecisionBatch
    ) -> list[_Prepared]:
        """Runs in a reading thread: signatures cost about 0.1 ms each."""
        read = [_read_payload(item) for item in batch.items]
        devices = {decision.device for decision in read if decision is not None}
        known = {d.id: d for d in lookups.read_devices(connection, devices)} if devices else {}
        pairs = zip(batch.items, read, strict=True)
        return [self._prepare_one(officer, item, decision, known) for item, decision in pairs]

    def _prepare_one(
        self,
        officer: StaffIdentity,
        item: SignedDecision,
        decision: Decision | None,
        devices: Mapping[UUID, Device],
    ) -> _Prepared:
        if decision is None:
            return _early(item.id, "unreadable", "This decision cannot be read.")
        if decision.officer != officer.user:
            return _early(item.id, "not_yours", "Somebody else made this decision.")
        device = devices.get(decision.device)
        if device is None:
            message = "This device waits for an administrator."
            return _early(item.id, "device_pending", message, AnswerKind.TRANSIENT)
        if device.user_id != officer.user:
            return _early(item.id, "not_yours", "This device is somebody else's.")
        signature = _read_signature(item.signature)
        payload = item.payload.encode()
        if signature is None or not verify(device.public_key, payload, signature):
            return _early(item.id, "bad_signature", "The signature does not hold.")
        if not _note_fits(item.note, decision):
            message = "The words are not the ones that were signed."
            return _early(item.id, "wrong_note", message)
        return DecideCommand(
            decision=decision,
            payload=payload,
            signature=signature,
            session=officer.session,
            note=self._seal(item.note, decision),
        )

    def _seal(self, note: NoteBody | None, decision: Decision) -> Note | None:
        if note is None or decision.reason_commitment is None:
            return None
        commitment = decision.reason_commitment
        plain = json.dumps([note.text, note.salt]).encode()
        return Note(commitment, self._vault.seal(plain, place=f"notes/{commitment}"))

    async def _answer(self, item: _Prepared) -> DecisionAnswer:
        if isinstance(item, _Early):
            return item.answer
        id_ = item.decision.id
        try:
            answer = (await self._writer.submit(item)).answer
        except (WriterBusyError, WriterStoppedError) as error:
            return _transient(id_, "busy", str(error))
        except (StorageError, SQLAlchemyError):
            return _transient(id_, "unknown", "It is not known whether this was saved. Ask again.")
        return DecisionAnswer(
            id=id_,
            kind=answer.kind,
            code=answer.code,
            message=answer.message,
            index=answer.index,
        )

    async def _with_rows(
        self, prepared: list[_Prepared], answers: list[DecisionAnswer]
    ) -> list[DecisionAnswer]:
        """Each answer that came from the writer, with what the enrollment is now."""
        wanted = [i.decision.enrollment if isinstance(i, DecideCommand) else None for i in prepared]
        ids = {id_ for id_ in wanted if id_ is not None}
        bundles = await self._reader.run(lambda c: queries.read_bundles(c, ids))
        rows = {b.enrollment.id: self._rows.enrollment_row(b) for b in bundles}
        return [
            answer if id_ is None else answer.model_copy(update={"row": rows.get(id_)})
            for id_, answer in zip(wanted, answers, strict=True)
        ]


def _read_payload(item: SignedDecision) -> Decision | None:
    """The decision, None where it cannot be read. Free text has no way in: hashes are hashes."""
    try:
        decision = read_decision(item.payload.encode())
    except PayloadError:
        return None
    reason = decision.reason_commitment
    fits = (
        decision.id == item.id
        and decision.n < MAX_INT  # or there would be no number for the next one
        and _HEX32.fullmatch(decision.seen)
        and (reason is None or _HEX32.fullmatch(reason))
        and (decision.amount_received or 0) <= MAX_CENTS
    )
    return decision if fits else None


def _read_signature(text: str) -> bytes | None:
    try:
        return read_base64(text, SIGNATURE_BYTES)
    except LeafError:
        return None


def _note_fits(note: NoteBody | None, decision: Decision) -> bool:
    """No words without their commitment; a commitment may come without its words."""
    if note is None:
        return True
    try:
        return commit(bytes.fromhex(note.salt), note.text) == decision.reason_commitment
    except (LeafError, ValueError):
        return False


def _early(id_: UUID, code: str, message: str, kind: AnswerKind = AnswerKind.REFUSED) -> _Early:
    return _Early(DecisionAnswer(id=id_, kind=kind, code=code, message=message))


def _transient(id_: UUID, code: str, message: str) -> DecisionAnswer:
    return DecisionAnswer(id=id_, kind=AnswerKind.TRANSIENT, code=code, message=message)


def _write_cursor(place: queries.Place) -> str:
    return f"{(place.waiting_since - _EPOCH) // _MICROSECOND}.{place.enrollment.hex}"


def _read_cursor(text: str) -> queries.Place:
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise InvalidError("wrong_cursor", "This page does not exist.")
    try:
        since = _EPOCH + int(match[1]) * _MICROSECOND
    except OverflowError as error:
        raise InvalidError("wrong_cursor", "This page does not exist.") from error
    return queries.Place(since, UUID(match[2]))
