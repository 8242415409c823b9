"""One batch: commands decided in order over one bulk read, then one bulk write.

Synchronous, without thread, clock or random source of its own. The caller holds the transaction
(`storage/engine.py: write_transaction`); nothing here commits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, Table, bindparam

from core.backend.storage import sessions, tables, webhooks
from core.backend.storage.command import (
    Add,
    Answer,
    Change,
    Command,
    Context,
    Decided,
    EndSessions,
    EndStudentSessions,
    Outcome,
    Refused,
    RequeueDeliveries,
    RevokeDevice,
    Save,
    SaveEnrollment,
    SetWorkspace,
    UseCode,
    Verdict,
)
from core.backend.storage.enrollment_writes import Step, write_enrollments
from core.backend.storage.ledger import append_entries
from core.backend.storage.payment_records import CardLink, CardMoney, LateMoney, Refund
from core.backend.storage.records import (
    Course,
    Device,
    DeviceNumber,
    DeviceRequest,
    Note,
    Student,
    User,
)
from core.backend.storage.workspace import Workspace, load
from core.ledger.leaf import Leaf
from core.protocol.messages import AnswerKind

Decide = Callable[[Workspace, Command, Context], Verdict]

_TABLES: dict[type[object], Table] = {
    User: tables.users,
    Student: tables.students,
    Course: tables.courses,
    Device: tables.devices,
    DeviceNumber: tables.device_numbers,
    Note: tables.notes,
    DeviceRequest: tables.device_requests,
}
# Written behind the enrollments, to which they refer.
_MONEY_TABLES: dict[type[object], Table] = {
    CardLink: tables.card_links,
    LateMoney: tables.late_money,
    Refund: tables.refunds,
}
_USE_CODE = (
    tables.one_time_codes.update()
    .where(tables.one_time_codes.c.hash == bindparam("hash_"))
    .values(used_at=bindparam("at"))
)
_REVOKE = (
    tables.devices.update()
    .where(tables.devices.c.id == bindparam("id_"))
    .values(revoked_index=bindparam("at"))
)
ID_REUSED = Answer(AnswerKind.REFUSED, "id_reused", "This id was used before for something else.")


class _Journal:
    """What a batch leaves behind: entries, changes and answers, in order."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.leaves: list[Leaf] = []
        self.changes: list[Change] = []
        self.answers: list[dict[str, Any]] = []

    def keep(self, entry: Leaf | None, changes: Sequence[Change]) -> int | None:
        """Take an entry and its changes; the entry's ledger index."""
        for change in changes:
            self.workspace.apply(change)
        self.changes += changes
        if entry is None:
            return None
        index = self.workspace.size
        self.leaves.append(entry)
        self.workspace.size += 1
        return index

    def keep_answer(self, command: Command, answer: Answer, context: Context) -> None:
        self.workspace.answers[command.scope, command.key] = (command.digest, answer)
        self.answers.append(
            {
                "scope": command.scope,
                "key": command.key,
                "digest": command.digest,
                "kind": answer.kind.value,
                "code": answer.code,
                "message": answer.message,
                "index": answer.index,
                "subject": answer.subject,
                "created_at": context.now,
            }
        )


def run_batch(
    connection: Connection, commands: Sequence[Command], *, decide: Decide, context: Context
) -> tuple[list[Outcome], int]:
    """Decide and write the commands, in order: their outcomes, and the ledger's new size."""
    workspace = load(connection, commands)
    journal = _Journal(workspace)
    outcomes = [_run_one(journal, command, decide, context) for command in commands]
    _write(connection, journal)
    return outcomes, workspace.size


def _run_one(journal: _Journal, command: Command, decide: Decide, context: Context) -> Outcome:
    known = journal.workspace.answers.get((command.scope, command.key))
    if known is not None:
        digest, answer = known
        if digest != command.digest:
            return Outcome(ID_REUSED)
        return Outcome(answer, repeated=True)
    verdict = decide(journal.workspace, command, context)
    index = journal.keep(verdict.entry, verdict.changes)
    # Only an accepted command tells its entry: an answer's index means "done".
    answer = (
        replace(verdict.answer, index=index) if isinstance(verdict, Decided) else verdict.answer
    )
    if not isinstance(verdict, Refused) or verdict.entry is not None:
        journal.keep_answer(command, answer, context)
    return Outcome(answer)


def _write(connection: Connection, journal: _Journal) -> None:
    if not journal.leaves:
        return
    _write_records(connection, journal.changes, _TABLES)
    steps: list[Step] = [
        (change.before, change.after)
        for change in journal.changes
        if isinstance(change, SaveEnrollment)
    ]
    if steps:
        write_enrollments(connection, steps)
    _write_records(connection, journal.changes, _MONEY_TABLES)
    for change in journal.changes:
        _write_rare(connection, change)
    append_entries(connection, journal.workspace.head, journal.leaves)
    connection.execute(tables.idempotency.insert(), journal.answers)


def _write_records(
    connection: Connection, changes: Sequence[Change], kinds: Mapping[type[object], Table]
) -> None:
    new: dict[Table, list[dict[str, Any]]] = defaultdict(list)
    for change in changes:
        if isinstance(change, Add) and type(change.record) in kinds:
            new[kinds[type(change.record)]].append(_columns(change.record))
    for table in kinds.values():  # users and students before what refers to them
        if new[table]:
            connection.execute(table.insert(), new[table])


def _write_rare(connection: Connection, change: Change) -> None:
    """What comes seldom is written one by one."""
    match change:
        case SetWorkspace(settings=settings):
            connection.execute(tables.workspace.update().values(_columns(settings)))
        case UseCode(code=code):
            connection.execute(_USE_CODE, {"hash_": code.hash, "at": code.used_at})
        case RevokeDevice(device=device, index=index):
            connection.execute(_REVOKE, {"id_": device, "at": index})
        case Save(record=record):
            _save(connection, record)
        case EndSessions() | EndStudentSessions():
            _end(connection, change)
        case RequeueDeliveries(deliveries=deliveries, at=at):
            webhooks.requeue(connection, deliveries, at)
        case Add() | SaveEnrollment():
            pass  # written in bulk


def _end(connection: Connection, change: EndSessions | EndStudentSessions) -> None:
    if isinstance(change, EndSessions):
        sessions.end_sessions(connection, change)
    else:
        sessions.end_student_sessions(connection, change)


def _save(
    connection: Connection,
    record: User | Course | Student | DeviceNumber | DeviceRequest | CardMoney,
) -> None:
    table = (_TABLES | _MONEY_TABLES)[type(record)]
    columns = _columns(record)
    same = [key == columns.pop(key.name) for key in table.primary_key]
    connection.execute(table.update().where(*same).values(columns))


def _columns(record: object) -> dict[str, Any]:
    names = [f.name for f in fields(record)]  # type: ignore[arg-type]  # every record is one
    return {name: getattr(record, name) for name in names}
