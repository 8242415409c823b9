"""A full disk, and two consoles on one file."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from core.client.errors import OutboxError
from core.client.outbox import Outbox, OutboxItem
from core.client.outbox_file import OutboxFile
from core.domain.decisions import Verdict
from tests.client.build import OFFICER, Clock, decider
from tests.client.full_disk import no_room
from tests.client.queueing import (
    SEALER,
    decide,
    fill,
    ids,
    only_notice,
    opened,
    taken,
)
from tests.protocol.build import row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "o.db"


def test_a_second_console_on_the_same_file_is_told_so(path: Path) -> None:
    with opened(path) as file:
        decide(file, 1)
        with pytest.raises(OutboxError, match="Another Bursar console"):
            OutboxFile(path, SEALER)
        assert ids(taken(file)) == [1]
    with opened(path):
        pass


async def test_a_full_disk_stores_nothing_and_says_so(path: Path, clock: Clock) -> None:
    outbox = await Outbox.open(path, SEALER, clock)
    decide_by = decider(outbox, clock).decide

    async def limit(pages: int) -> int:
        """The file may not grow over this, nor over what it has; how many that is."""
        db, loop = outbox._file._table._db, asyncio.get_running_loop()
        sql = f"PRAGMA max_page_count = {pages}"
        return int(
            await loop.run_in_executor(outbox._worker, lambda: db.execute(sql).fetchone()[0])
        )

    async def fill_up(items: list[OutboxItem]) -> None:
        while len(items) < 100:
            items.append(await decide_by(row(len(items) + 1), Verdict.APPROVE))

    items = [await decide_by(row(1), Verdict.APPROVE)]
    size = await limit(1)
    with pytest.raises(OutboxError, match="no room left"):
        await fill_up(items)
    assert await outbox.waiting_for(OFFICER) == items
    await limit(size * 100)
    items.append(await decide_by(row(99), Verdict.APPROVE))
    assert [item.n for item in items] == list(range(len(items)))
    assert await outbox.waiting_for(OFFICER) == items
    await outbox.close()


def test_a_write_that_the_system_refuses_leaves_nothing_half_written(path: Path) -> None:
    """A real limit of the operating system, not of the database."""
    with opened(path) as file:
        items = [decide(file, 1, 1)]
        with (
            no_room(path.with_name("o.db-wal").stat().st_size),
            pytest.raises(sqlite3.OperationalError),
        ):
            decide(file, 2, 2)
        assert file.waiting_for(OFFICER) == items
        items.append(decide(file, 3, 3))
        assert [item.n for item in items] == [0, 1]
    with opened(path) as file:
        assert file.waiting_for(OFFICER) == items


@pytest.mark.parametrize(
    ("free", "words"), [(4096, "no room left"), (10**9, "cannot be used")], ids=["full", "broken"]
)
async def test_a_queue_that_cannot_be_opened_says_whether_the_disk_is_full(
    path: Path, free: int, words: str
) -> None:
    fill(path)
    with no_room(), pytest.raises(OutboxError, match=words) as told:
        # SQLite needs a file beside it, and only says that it cannot have one.
        await Outbox.open(path, SEALER, free=lambda _: free)
    assert getattr(told.value.__cause__, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR
    with opened(path) as file:
        assert ids(taken(file)) == [1, 2, 3]


async def test_where_nobody_knows_how_much_is_free_it_is_not_called_full(path: Path) -> None:
    def unknown(_: Path) -> int:
        raise FileNotFoundError

    fill(path)
    with no_room(), pytest.raises(OutboxError, match="cannot be used"):
        await Outbox.open(path, SEALER, free=unknown)


def test_no_room_for_mending_leaves_the_damaged_file_as_it_was(path: Path) -> None:
    fill(path)
    content = b"damaged" + path.read_bytes()
    path.write_bytes(content)
    with no_room(len(content) // 2), pytest.raises(OSError, match="large"):
        OutboxFile(path, SEALER)
    assert path.read_bytes() == content
    with opened(path) as file:
        assert "damaged" in only_notice(file).message
