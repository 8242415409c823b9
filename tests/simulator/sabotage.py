"""Builds that are broken on purpose: the positive controls. For each invariant at least one.

Each breaks the product in one place, as a mistake in that place could, and leaves the rest alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from core.backend.services.commands import DecideCommand, SubmitEftCommand
from core.backend.storage import ledger
from core.backend.storage.command import Command, Context, Outcome
from core.backend.storage.tables import access_grants
from core.client.outbox import Outbox, OutboxItem, OutboxState
from core.ledger.leaf import decode
from core.protocol.feed import FeedClient, FeedEvent, GapError
from core.protocol.messages import AnswerKind, DecisionAnswers
from tests.simulator import invariants
from tests.simulator.build import Build
from tests.simulator.console import Console

_EVERY = 3  # a mistake that comes with each of so many


class _DroppingOutbox(Outbox):
    """Loses what could not be sent at once."""

    async def next_batch(self, **wanted: Any) -> list[OutboxItem]:
        items = await super().next_batch(**wanted)
        for item in items:
            if item.n % _EVERY == 1:
                with self._file._table.transaction():
                    self._file._table.delete(item.id)
        return [item for item in items if item.n % _EVERY != 1]


class SenderDropsItems(Build):
    outbox = _DroppingOutbox


class AcceptedIsForgotten(Build):
    """The backend says accepted, and the entry is another one."""

    def answers(self, answers: DecisionAnswers) -> DecisionAnswers:
        wrong = [
            answer.model_copy(update={"index": 0}) if answer.index is not None else answer
            for answer in answers.results
        ]
        return DecisionAnswers(results=tuple(wrong))


class IdempotencyIsIgnored(Build):
    """A decision that comes again is carried out again."""

    def run_batch(
        self, connection: Connection, commands: Sequence[Command], context: Context
    ) -> tuple[list[Outcome], int]:
        outcomes, size = super().run_batch(connection, commands, context)
        for command, outcome in zip(commands, outcomes, strict=True):
            index = outcome.answer.index
            if isinstance(command, DecideCommand) and outcome.repeated and index is not None:
                (entry,) = ledger.read_entries(connection, index, index + 1)
                again = replace(decode(entry.leaf), entry_id=context.new_id())
                size = ledger.append_entries(connection, ledger.read_head(connection), [again]).size
        return outcomes, size


class _LazyOutbox(Outbox):
    """Some decisions are never due."""

    async def next_batch(self, **wanted: Any) -> list[OutboxItem]:
        items = await super().next_batch(**wanted)
        for item in items:
            if item.n % _EVERY == 1:
                await self.mark_postponed_many(
                    [item.id], until=_keep, code="later", message="It will be sent later."
                )
        return [item for item in items if item.n % _EVERY != 1]

    async def next_due(self, _officer: UUID, _device: UUID) -> datetime | None:
        return None


def _keep(item: OutboxItem) -> datetime:
    return item.not_before


class SenderForgetsItems(Build):
    outbox = _LazyOutbox


class RefusalIsALie(Build):
    """What was carried out is told as refused."""

    def answers(self, answers: DecisionAnswers) -> DecisionAnswers:
        told = [
            answer.model_copy(update={"kind": AnswerKind.REFUSED})
            if answer.kind is AnswerKind.ACCEPTED
            else answer
            for answer in answers.results
        ]
        return DecisionAnswers(results=tuple(told))


class DiscardIsSilent(Build):
    """A decision is taken off the list, and no withdrawal tells the ledger."""

    async def discard(self, console: Console, item: OutboxItem) -> None:
        if console.outbox is None or item.state is not OutboxState.QUEUED:
            return
        table = console.outbox._file._table
        with table.transaction():
            table.update(replace(item, state=OutboxState.WITHDRAWN))
        console.desk.tell(f"n={item.n} silently discarded")


class EntryIsAltered(Build):
    """Somebody who runs the backend edits the amount in an entry, triggers or not."""

    def tamper(self, database: Path) -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as db:
            _drop_triggers(db)
            index, leaf = db.execute(
                'SELECT "index", leaf FROM ledger_entries ORDER BY "index" DESC LIMIT 1'
            ).fetchone()
            fields = json.loads(leaf)
            fields["facts"]["note"] = "altered"
            changed = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
            db.execute('UPDATE ledger_entries SET leaf = ? WHERE "index" = ?', (changed, index))


class EntryIsRemoved(Build):
    """... or takes one out."""

    def tamper(self, database: Path) -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as db:
            _drop_triggers(db)
            db.execute(
                'DELETE FROM ledger_entries WHERE "index" = '
                '(SELECT max("index") - 1 FROM ledger_entries)'
            )


def _drop_triggers(db: sqlite3.Connection) -> None:
    names = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        db.execute(f"DROP TRIGGER {name}")


class _GapBlindFeed(FeedClient):
    """Goes on behind whatever is missing."""

    def receive(self, text: str | bytes) -> list[FeedEvent]:
        try:
            return super().receive(text)
        except GapError:
            message = json.loads(text)
            self.next = message.get("index", message.get("size"))
            return super().receive(text)


class FeedSkipsEntries(Build):
    """Some entries are never told, and consoles do not look whether any is missing."""

    feed_client = _GapBlindFeed

    def feed_message(self, text: str) -> str | None:
        message = json.loads(text)
        return None if message["type"] == "entry" and message["index"] % _EVERY == 0 else text


class FeedSkipsRows(Build):
    """Entries are told, but of some not what became of the enrollment."""

    def feed_message(self, text: str) -> str | None:
        message = json.loads(text)
        if message["type"] == "entry" and message["index"] % _EVERY == 0:
            message["row"] = None
        return json.dumps(message)


class GrantWithoutApproval(Build):
    """Whoever says "I have paid" is let in."""

    def run_batch(
        self, connection: Connection, commands: Sequence[Command], context: Context
    ) -> tuple[list[Outcome], int]:
        outcomes, size = super().run_batch(connection, commands, context)
        for command, outcome in zip(commands, outcomes, strict=True):
            if isinstance(command, SubmitEftCommand) and outcome.accepted and not outcome.repeated:
                subject = outcome.answer.subject
                grant = access_grants.insert().values(
                    enrollment=subject, version=0, granted_at=context.now
                )
                connection.execute(grant)
        return outcomes, size


class ApprovalWithoutGrant(Build):
    """Approved, and the lessons stay shut."""

    def run_batch(
        self, connection: Connection, commands: Sequence[Command], context: Context
    ) -> tuple[list[Outcome], int]:
        outcomes, size = super().run_batch(connection, commands, context)
        if any(isinstance(command, DecideCommand) for command in commands):
            connection.execute(access_grants.delete())
        return outcomes, size


class _FailingOutbox(Outbox):
    async def learn_next_n(self, device: UUID, n: int) -> None:
        raise RuntimeError(f"number {n} of {device}")


class TaskFails(Build):
    outbox = _FailingOutbox


@dataclass(frozen=True, slots=True)
class Control:
    """A broken build, and the invariant that has to find it."""

    build: Callable[[], Build]
    invariant: str


CONTROLS: tuple[Control, ...] = (
    Control(SenderDropsItems, invariants.NOT_LOST),
    Control(AcceptedIsForgotten, invariants.NOT_LOST),
    Control(IdempotencyIsIgnored, invariants.APPLIED_ONCE),
    Control(SenderForgetsItems, invariants.NOT_SILENT),
    Control(RefusalIsALie, invariants.NOT_SILENT),
    Control(DiscardIsSilent, invariants.NOT_SILENT),
    Control(EntryIsAltered, invariants.LEDGER_WHOLE),
    Control(EntryIsRemoved, invariants.LEDGER_WHOLE),
    Control(FeedSkipsEntries, invariants.CONSOLES_EQUAL),
    Control(FeedSkipsRows, invariants.CONSOLES_EQUAL),
    Control(GrantWithoutApproval, invariants.ACCESS),
    Control(ApprovalWithoutGrant, invariants.ACCESS),
    Control(TaskFails, invariants.NO_ERROR),
)
