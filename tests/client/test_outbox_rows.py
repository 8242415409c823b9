"""Bad rows: an edited one is set aside, with its bytes, and told; the rest goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from tests.client.build import OFFICER
from tests.client.queueing import (
    DEVICE,
    decide,
    edit,
    fill,
    ids,
    kept_files,
    only_notice,
    opened,
    settle,
    take_back,
    taken,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "o.db"


@pytest.mark.parametrize(
    "change",
    [
        "content = substr(content, 1, 40)",
        "content = (SELECT content FROM items WHERE seq = 3)",
        "outcome = (SELECT outcome FROM items WHERE seq = 3)",
        "outcome = 'text'",
        "id = '00000000-0000-0000-0000-0000000000ff'",
        "id = CAST(x'ff' AS TEXT)",
        "kind = 'withdrawal'",
        "officer = '00000000-0000-0000-0000-0000000000bb'",
        "device = '00000000-0000-0000-0000-0000000000bb'",
        "n = 99",
        "enrollment = '00000000-0000-0000-0000-000000000001'",
        "created_at = '2026-03-02T10:42:00.000001+00:00'",
        "state = 'accepted'",
        "state = 'withdrawn'",
        "state = 'nonsense'",
        "attempts = 7",
        "not_before = 'later'",
        "settled_at = created_at",
        "dismissed = 1",
        "confirmed = 1",
        "seq = 77",
    ],
)
def test_a_row_that_was_edited_is_set_aside_and_the_rest_goes_on(path: Path, change: str) -> None:
    fill(path)
    edit(path, f"UPDATE items SET {change} WHERE seq = 2")  # noqa: S608 - of this test
    for _ in range(2):
        with opened(path) as file:
            assert ids(file.open_for(OFFICER)) == [1, 3]
            assert only_notice(file).path is None
            assert "set aside" in only_notice(file).message
    assert kept_files(path) == []


def test_damaged_rows_are_told_of_together(path: Path) -> None:
    fill(path)
    edit(path, "UPDATE items SET n = n + 100 WHERE seq > 1")
    with opened(path) as file:
        assert only_notice(file).message.startswith("2 decisions")
        assert only_notice(file).items == (UUID(int=2), UUID(int=3))


def test_a_row_set_aside_keeps_its_bytes_and_tells_its_id(path: Path) -> None:
    fill(path)
    edit(path, "UPDATE items SET attempts = 9 WHERE seq = 2")
    with closing(sqlite3.connect(path)) as db:
        before = db.execute("SELECT * FROM items WHERE seq = 2").fetchone()
    with opened(path) as file:
        assert only_notice(file).items == (UUID(int=2),)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT * FROM set_aside").fetchone()[1:] == before


def test_a_row_damaged_while_it_waits_is_not_sent(path: Path) -> None:
    with opened(path) as file:
        for number in (1, 2):
            decide(file, number, number)
        file._table._db.execute("UPDATE items SET content = x'00' WHERE seq = 1")
        assert ids(taken(file)) == [2]
        assert only_notice(file).items == (UUID(int=1),)


@pytest.mark.parametrize("value", ["0", "'many'", "-5", "9e18", "x'00'"])
def test_an_edited_counter_never_gives_a_number_twice(path: Path, value: str) -> None:
    fill(path)
    edit(path, f"UPDATE counters SET next_n = {value}")  # noqa: S608 - of this test
    with opened(path) as file:
        assert decide(file, 10, 10).n == 3
        file.learn_next_n(DEVICE, 20)
        assert decide(file, 11, 11).n == 20


def test_an_old_copy_of_the_file_is_safe_once_the_backend_told_its_count(path: Path) -> None:
    first, second = fill(path, 2)
    old = path.read_bytes()
    with opened(path) as file:
        taken(file)
        settle(file, first)
        take_back(file, decide(file, 3, 3), 9)
    path.write_bytes(old)
    with opened(path) as file:
        file.learn_next_n(DEVICE, 3)
        assert [item.payload for item in taken(file)] == [first.payload, second.payload]
        assert decide(file, 4, 4).n == 3
