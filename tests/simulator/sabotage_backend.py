"""Backends that are broken on purpose in what they write, answer and tell."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from core.backend.services.access import CourseAccessController
from core.backend.services.commands import DecideCommand, SubmitEftCommand
from core.backend.services.identities import StudentIdentity
from core.backend.storage import ledger
from core.backend.storage.command import Command, Context, Outcome
from core.backend.storage.tables import access_grants, enrollments
from core.ledger.checkpoint import Checkpoint, sign_checkpoint
from core.ledger.keys import SigningKey
from core.ledger.leaf import decode
from core.protocol.feed import FeedClient, FeedEvent, GapError
from core.protocol.messages import AnswerKind, DecisionAnswer, DecisionAnswers, LessonPage
from tests.simulator.build import Build
from tests.simulator.sabotage_console import EVERY
from tests.simulator.template import CHECKPOINT_NAME, config_of

# --- answers -----------------------------------------------------------------------------------


class AcceptedIsForgotten(Build):
    """The backend says accepted, and the entry is another one."""

    def answers(self, answers: DecisionAnswers) -> DecisionAnswers:
        return _each(answers, lambda a: {} if a.index is None else {"index": 0})


class RefusalIsALie(Build):
    """What was carried out is told as refused."""

    def answers(self, answers: DecisionAnswers) -> DecisionAnswers:
        is_done = AnswerKind.ACCEPTED
        return _each(answers, lambda a: {"kind": AnswerKind.REFUSED} if a.kind is is_done else {})


class ReasonIsALie(Build):
    """What came too late is told as not allowed."""

    def answers(self, answers: DecisionAnswers) -> DecisionAnswers:
        told: dict[str, object] = {"kind": AnswerKind.REFUSED, "code": "not_allowed"}
        late = AnswerKind.CONFLICT_DECIDED
        return _each(answers, lambda a: told if a.kind is late else {})


class WithdrawalIsDenied(Build):
    """What was withdrawn is told as not withdrawn."""

    def answers(self, answers: DecisionAnswers) -> DecisionAnswers:
        told: dict[str, object] = {"kind": AnswerKind.REFUSED, "code": "device_revoked"}
        is_done = AnswerKind.ACCEPTED
        return _each(answers, lambda a: told if (a.kind, a.code) == (is_done, "withdrawn") else {})


def _each(
    answers: DecisionAnswers, change: Callable[[DecisionAnswer], dict[str, object]]
) -> DecisionAnswers:
    told = [answer.model_copy(update=change(answer)) for answer in answers.results]
    return DecisionAnswers(results=tuple(told))


# --- the ledger --------------------------------------------------------------------------------


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


class EntryIsAltered(Build):
    """Somebody who runs the backend edits an entry, triggers or not."""

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


# --- feeds -------------------------------------------------------------------------------------


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
        return None if _is_hit(message) else text


class FeedAltersEntries(Build):
    """Some entries are told in other words than the ledger has them."""

    def feed_message(self, text: str) -> str | None:
        message = json.loads(text)
        if _is_hit(message):
            leaf = json.loads(message["leaf"])
            leaf["facts"]["note"] = "altered"
            message["leaf"] = json.dumps(leaf, sort_keys=True, separators=(",", ":"))
        return json.dumps(message)


class FeedSkipsRows(Build):
    """Entries are told, but of some not what became of the enrollment."""

    def feed_message(self, text: str) -> str | None:
        message = json.loads(text)
        if _is_hit(message):
            message["row"] = None
        return json.dumps(message)


class FeedFallsSilent(Build):
    """Nothing is told any more after the beginning."""

    def feed_message(self, text: str) -> str | None:
        return text if json.loads(text)["type"] not in {"entry", "checkpoint"} else None


class CheckpointOfAnother(Build):
    """A checkpoint is told, rightly signed, of another ledger than there is."""

    def feed_message(self, text: str) -> str | None:
        message = json.loads(text)
        if message["type"] == "checkpoint":
            key = SigningKey(config_of(Path()).checkpoint_seed)
            other = Checkpoint(CHECKPOINT_NAME, message["size"], bytes(32))
            message["note"] = sign_checkpoint(other, CHECKPOINT_NAME, key)
        return json.dumps(message)


def _is_hit(message: dict[str, Any]) -> bool:
    return message["type"] == "entry" and int(message["index"]) % EVERY == 0


# --- access ------------------------------------------------------------------------------------


class GrantWithoutApproval(Build):
    """Whoever says "I have paid" is let in."""

    approves = False

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
                if self.approves:
                    e = enrollments
                    connection.execute(
                        e.update().where(e.c.id == subject).values(status="approved")
                    )
        return outcomes, size


class ApprovalOffTheLedger(GrantWithoutApproval):
    """... as one who is approved, of which no entry tells."""

    approves = True


class ApprovalWithoutGrant(Build):
    """Approved, and the lessons stay shut."""

    def run_batch(
        self, connection: Connection, commands: Sequence[Command], context: Context
    ) -> tuple[list[Outcome], int]:
        outcomes, size = super().run_batch(connection, commands, context)
        if any(isinstance(command, DecideCommand) for command in commands):
            connection.execute(access_grants.delete())
        return outcomes, size


class _OpenDoor(CourseAccessController):
    async def lessons(self, _student: StudentIdentity, course: UUID) -> LessonPage:
        return LessonPage(course=course, title="Everything", lessons=())


class LessonsAreOpen(Build):
    """Nobody is asked for a grant."""

    access = _OpenDoor
