"""`AdminApprovalWorkflow`: what waits, its details, and the officers' decisions.

Before the writer: the payload is read, the device's signature and the note's commitment checked
(`preparing.py`). Everything that can change meanwhile is checked by the writer (`deciding.py`).
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from core.backend.services.errors import InvalidError, NotFoundError
from core.backend.services.identities import StaffIdentity
from core.backend.services.preparing import Early, Prepared, prepare
from core.backend.services.rows import Rows, actor_name, card_view
from core.backend.storage import ledger, queries
from core.backend.storage.errors import StorageError, WriterBusyError, WriterStoppedError
from core.backend.storage.reader import Reader
from core.backend.storage.vault import Vault
from core.backend.storage.workspace import user_of
from core.backend.storage.writer import Writer
from core.ledger.leaf import decode
from core.protocol.messages import (
    PAGE_ROWS,
    AnswerKind,
    DecisionAnswer,
    DecisionAnswers,
    DecisionBatch,
    EnrollmentDetail,
    RowPage,
    TimelineEntry,
)

TIMELINE_ENTRIES = 200
_CURSOR = re.compile(r"([0-9]{1,17})\.([0-9a-f]{32})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
        vault = self._vault
        prepared = await self._reader.run(lambda c: prepare(c, vault, officer, batch))
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

    async def _answer(self, item: Prepared) -> DecisionAnswer:
        if isinstance(item, Early):
            return item.answer
        id_ = item.made.id
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
        self, prepared: list[Prepared], answers: list[DecisionAnswer]
    ) -> list[DecisionAnswer]:
        """Each answer that came from the writer, with what the enrollment is now."""
        wanted = [None if isinstance(i, Early) else i.made.enrollment for i in prepared]
        ids = {id_ for id_ in wanted if id_ is not None}
        bundles = await self._reader.run(lambda c: queries.read_bundles(c, ids))
        rows = {b.enrollment.id: self._rows.enrollment_row(b) for b in bundles}
        return [
            answer if id_ is None else answer.model_copy(update={"row": rows.get(id_)})
            for id_, answer in zip(wanted, answers, strict=True)
        ]


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
