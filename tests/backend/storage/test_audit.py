"""Pages of a long ledger: each by an index, whatever the filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, event, text

from core.backend.storage.audit import EntryFilter, Span, find_span, read_filtered, read_indexes
from core.backend.storage.engine import open_engine, read_transaction, write_transaction
from core.backend.storage.migrate import downgrade, migrate
from core.backend.storage.tables import ledger_entries
from core.ledger.leaf import Leaf, encode
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.both_engines

SIZE = 20_000
LONG = 200_000
START = datetime(2025, 1, 1, tzinfo=UTC)
OFFICERS = tuple(f"user:00000000-0000-7000-8000-00000000000{n}" for n in range(3))
ACTIONS = ("enrollment.enrolled", "claim.submitted", "enrollment.approved", "enrollment.rejected")


@pytest.fixture
def url(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'bursar.sqlite3'}"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    yield postgres.clone("template0")
    postgres.drop_clones()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


def at(index: int) -> datetime:
    return START + timedelta(minutes=index)


def fill(engine: Engine, size: int) -> None:
    """Rows as a ledger has them, without the tree, which no page needs."""
    with write_transaction(engine) as connection:
        for begin in range(0, size, 10_000):
            rows = [
                {
                    "index": index,
                    "leaf": b"{}",
                    "leaf_hash": b"h",
                    "subject": f"enrollment:{index // 4}",
                    "at": at(index),
                    "actor": OFFICERS[index // 5 % 3] if index % 4 > 1 else f"student:{index // 4}",
                    "action": ACTIONS[index % 4] if index % 1000 else "workspace.set",
                }
                for index in range(begin, min(begin + 10_000, size))
            ]
            connection.execute(ledger_entries.insert(), rows)
    if engine.dialect.name == "postgresql":  # which does it by itself, later
        with engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()


FILTERS = (
    EntryFilter(),
    EntryFilter(actor=OFFICERS[1]),
    EntryFilter(action="enrollment.rejected"),
    EntryFilter(action="workspace.set"),
    EntryFilter(subject="enrollment:4000"),
    EntryFilter(since=at(9_000), until=at(12_000)),
    EntryFilter(actor=OFFICERS[0], action="enrollment.approved"),
    EntryFilter(actor=OFFICERS[0], action="enrollment.approved", since=at(9_000), until=at(12_000)),
)


def matching(wanted: EntryFilter, size: int) -> Iterator[int]:
    """The same, told without a database."""
    for index in range(size - 1, -1, -1):
        actor = OFFICERS[index // 5 % 3] if index % 4 > 1 else f"student:{index // 4}"
        action = ACTIONS[index % 4] if index % 1000 else "workspace.set"
        if (
            wanted.actor in {None, actor}
            and wanted.action in {None, action}
            and wanted.subject in {None, f"enrollment:{index // 4}"}
            and (wanted.since is None or at(index) >= wanted.since)
            and (wanted.until is None or at(index) < wanted.until)
        ):
            yield index


def pages(connection: Connection, wanted: EntryFilter, size: int) -> list[list[int]]:
    """A page from the top, one from the middle, and the outline."""
    top = find_span(connection, wanted, size)
    middle = Span(top.begin, min(top.end, size // 2))
    return [
        [entry.index for entry in read_filtered(connection, wanted, top, 100)],
        [entry.index for entry in read_filtered(connection, wanted, middle, 100)],
        read_indexes(connection, wanted, top, 1_000),
    ]


def test_pages_are_what_matches_and_nothing_else(engine: Engine) -> None:
    fill(engine, SIZE)
    with read_transaction(engine) as connection:
        for wanted in FILTERS:
            every = list(matching(wanted, SIZE))
            lower = [index for index in every if index < SIZE // 2]
            assert pages(connection, wanted, SIZE) == [every[:100], lower[:100], every[:1_000]]


def test_every_page_of_a_long_ledger_is_found_by_an_index(engine: Engine, database: str) -> None:
    fill(engine, LONG)
    with read_transaction(engine) as connection:
        for wanted in FILTERS:
            with recorded(engine) as statements:
                pages(connection, wanted, LONG)
            assert len(statements) <= 3 + 2 * LONG.bit_length()
            for statement, values in statements[-3:] + statements[:1]:
                check_plan(connection, database, statement, values)


def check_plan(connection: Connection, database: str, statement: str, values: Any) -> None:
    if database == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        steps = [str(row[3]) for row in rows]
        assert len(steps) == 1, steps  # one search; no sorting beside it
        assert steps[0].startswith("SEARCH ledger_entries USING"), (statement, steps)
    else:
        plan = "\n".join(
            row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values)
        )
        assert "Seq Scan" not in plan, (statement, plan)
        assert "Index" in plan


@contextmanager
def recorded(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        statements.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_an_older_ledger_gets_its_columns_from_the_leaves(url: str) -> None:
    migrate(url, "0001")
    engine = open_engine(url)
    leaves = [_leaf(number) for number in range(5)]
    columns = ledger_entries.c
    old = [columns.index, columns.leaf, columns.leaf_hash, columns.subject, columns.at]
    names = ", ".join(f'"{column.name}"' for column in old)
    with write_transaction(engine) as connection:
        insert = text(f"INSERT INTO ledger_entries ({names}) VALUES (:i, :l, :h, :s, :a)")  # noqa: S608 - our own names
        for index, leaf in enumerate(leaves):
            values = {
                "i": index,
                "l": encode(leaf),
                "h": b"h",
                "s": leaf.subject,
                "a": str(leaf.time),
            }
            connection.execute(insert, values)
    migrate(url)
    with read_transaction(engine) as connection:
        found = read_filtered(connection, EntryFilter(), Span(0, 5), 10)
    assert _told(found) == [(leaf.actor, leaf.action, encode(leaf)) for leaf in leaves[::-1]]
    engine.dispose()
    downgrade(url, "0001")
    migrate(url)
    engine = open_engine(url)
    with read_transaction(engine) as connection:
        again = read_filtered(connection, EntryFilter(), Span(0, 5), 10)
    engine.dispose()
    assert _told(again) == _told(found)


def _leaf(number: int) -> Leaf:
    return Leaf(
        entry_id=UUID(int=number),
        time=at(number),
        actor=OFFICERS[number % 3],
        device=None,
        action=ACTIONS[number % 4],
        subject=f"enrollment:{UUID(int=number)}",
        before=None,
        after=1,
        facts={"actor": "somebody else", "action": "an.other"},
        signed=None,
    )


def _told(entries: Sequence[Any]) -> list[tuple[str, str, bytes]]:
    return [(entry.actor, entry.action, entry.leaf) for entry in entries]
