"""An outbox's file and what goes into it, for the tests of the queue."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from core.client.outbox import (
    Draft,
    Notice,
    Outbox,
    OutboxItem,
    OutboxState,
    SignedBytes,
    SignedWithdrawal,
)
from core.client.outbox_file import OutboxFile
from core.client.sealing import Sealer
from core.domain.decisions import Verdict
from core.protocol.messages import AnswerKind, DecisionAnswer, Note
from tests.client.build import OFFICER, START, device_key
from tests.protocol.build import row

DEVICE = device_key().id
SEALER = Sealer(b"k" * 32)
OTHER_SEALER = Sealer(b"x" * 32)
COLLEAGUE = UUID(int=0xBB)
WORDS = "Secret words of hers"


async def due(outbox: Outbox, now: datetime) -> list[OutboxItem]:
    return await outbox.next_batch(officer=OFFICER, now=now)


def answer_for(
    item: OutboxItem, kind: AnswerKind = AnswerKind.ACCEPTED, code: str | None = None
) -> DecisionAnswer:
    return DecisionAnswer(
        id=item.id, kind=kind, code=code or kind.value, message="So it is.", index=5
    )


@contextmanager
def opened(
    path: Path, sealer: Sealer = SEALER, now: Callable[[], datetime] = lambda: START
) -> Iterator[OutboxFile]:
    """The queue's file after a start-up, in this thread."""
    with closing(OutboxFile(path, sealer, now)) as file:
        file.sweep()
        yield file


def decide(
    file: OutboxFile,
    number: int,
    enrollment: int = 1,
    *,
    officer: UUID = OFFICER,
    device: UUID = DEVICE,
    at: datetime = START,
) -> OutboxItem:
    """Decision `number`, with words and the row it was made on."""
    draft = Draft(
        id=UUID(int=number),
        officer=officer,
        device=device,
        enrollment=UUID(int=enrollment),
        verdict=Verdict.APPROVE,
        note=Note(text=WORDS, salt="ab" * 16),
        created_at=at,
        reference="K7QM3XRA",
        cents=125_000,
        shown=row(enrollment),
    )
    return file.add(draft, lambda n: SignedBytes(b'{"n":%d}' % n, b"s" * 64))


def take_back(file: OutboxFile, item: OutboxItem, number: int) -> tuple[OutboxItem, OutboxItem]:
    """Discard a decision by withdrawal `number`."""
    signed = SignedBytes(b"withdrawal of %d" % item.n, b"w" * 64)
    withdrawal = SignedWithdrawal(UUID(int=number), START, signed)
    return file.discard(item.id, lambda _: withdrawal)


def taken(file: OutboxFile, now: datetime = START, limit: int = 50) -> list[OutboxItem]:
    return file.next_batch(officer=OFFICER, now=now, limit=limit)


def ids(items: list[OutboxItem]) -> list[int]:
    return [item.id.int for item in items]


def settle(
    file: OutboxFile, item: OutboxItem, state: OutboxState = OutboxState.ACCEPTED
) -> OutboxItem:
    """Its final answer comes."""
    kinds = {
        OutboxState.ACCEPTED: AnswerKind.ACCEPTED,
        OutboxState.CONFLICT: AnswerKind.CONFLICT_DECIDED,
        OutboxState.REFUSED: AnswerKind.REFUSED,
    }
    return file.answer(answer_for(item, kinds[state]), state)


def edit(path: Path, sql: str, *values: object) -> None:
    """Change the file behind the console's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(sql, values)


def fill(path: Path, count: int = 3) -> list[OutboxItem]:
    """Decisions 1 to `count` wait, each about an enrollment of its own; the file is closed."""
    with opened(path) as file:
        return [decide(file, number, number) for number in range(1, count + 1)]


def kept_files(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.aside-*"))


def only_notice(file: OutboxFile) -> Notice:
    [notice] = file.notices()
    return notice
