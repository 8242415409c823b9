"""Cut connections, lost notifications, a lock that is held: no entry is lost, none is doubled."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import DBAPIError

from core.backend.services.identities import StudentIdentity
from core.backend.services.orchestrator import ProductionPaymentOrchestrator
from core.backend.storage import engine as engine_module
from core.backend.storage import ledger, listener
from core.backend.storage.engine import open_engine, write_transaction
from core.backend.storage.errors import DatabaseAwayError, StorageError, UnknownOutcomeError
from core.backend.storage.migrate import MIGRATING, migrate
from core.backend.storage.revision import current_revision, require_current
from core.domain.enrollment import PaymentMethod
from tests.backend.nodes.conftest import Nodes
from tests.backend.nodes.following import cut_all, following, listeners, server_side
from tests.support.postgres import PostgresServer
from tests.support.waiting import until
from tests.support.watch import ExpectedLogs
from tests.support.workspace import House, enroll_command

_log = logging.getLogger(__name__)
AGAIN = (StorageError, DBAPIError)


@pytest.fixture(autouse=True)
def quick_to_return(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "FIRST_DELAY", 0.01)


async def persistent(
    orchestrator: ProductionPaymentOrchestrator, student: StudentIdentity, house: House, key: str
) -> int:
    """What a client does: ask again with the same key until there is an answer; the questions."""
    for asked in range(1, 200):
        try:
            await orchestrator.enroll(student, house.courses[0].id, PaymentMethod.EFT, key=key)
        except AGAIN:
            await asyncio.sleep(0.01)
        else:
            return asked
    raise AssertionError("there was never an answer")


async def test_cutting_every_connection_under_load_costs_and_doubles_nothing(
    nodes: Nodes, postgres: PostgresServer, expected_logs: ExpectedLogs
) -> None:
    students = [await nodes.first.student() for _ in range(120)]
    async with following(nodes.first) as here, following(nodes.second) as there:
        before = nodes.first.size()

        async def one(number: int) -> int:
            node = (nodes.first, nodes.second)[number % 2]
            return await persistent(
                node.services.orchestrator, students[number], nodes.first, f"key-{number}"
            )

        expected = expected_logs("could not be followed|connections are cut")
        with server_side(postgres, nodes.first) as server, expected:
            _log.warning("connections are cut from here on")
            working = [asyncio.create_task(one(number)) for number in range(len(students))]
            cuts = 0
            for answered in (0, 10, 40, 70):  # in the midst of it, again and again
                await until(lambda least=answered: nodes.first.size() >= before + least)  # type: ignore[misc]  # bound now
                cuts += await asyncio.to_thread(cut_all, server)
            await asyncio.gather(*working)
            assert cuts >= 4
            for follower in (here, there):
                await follower.reach(before + len(students))
                assert follower.indexes == list(range(follower.indexes[0], nodes.first.size()))
    assert nodes.first.size() == before + len(students)
    assert nodes.second.verify().size == before + len(students)


async def test_a_listener_that_was_cut_listens_again(
    patient: Nodes, postgres: PostgresServer
) -> None:
    with server_side(postgres, patient.first) as server:
        async with following(patient.second) as there:
            await until(lambda: len(listeners(server)) == 2)
            old = set(listeners(server))
            for pid in old:
                server.execute("SELECT pg_terminate_backend(%s)", (pid,))
            # What is written while nobody listens is looked for after the return.
            await patient.first.student()
            await there.reach(patient.first.size())
            await until(lambda: len(listeners(server)) == 2)
            assert old.isdisjoint(listeners(server))
            await patient.first.student()
            await there.reach(patient.first.size())


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """The server's processes stand still: the connection is up, and says nothing."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_a_listening_connection_that_is_silently_dead_costs_time_only(
    nodes: Nodes, postgres: PostgresServer
) -> None:
    with server_side(postgres, nodes.first) as server:
        async with following(nodes.second) as there:
            await until(lambda: len(listeners(server)) == 2)
            with stopped(listeners(server)):
                await nodes.first.claim()
                await there.reach(nodes.first.size())  # by the poll
            assert there.indexes == list(range(there.indexes[0], nodes.first.size()))


async def test_a_connection_that_is_cut_before_the_commit_is_replaced(
    nodes: Nodes, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client notices nothing: nothing was committed, so the batch is written once more."""
    real, cuts, before = ledger.append_entries, list[int](), nodes.first.size()
    with server_side(postgres, nodes.first) as server:

        def append(connection: Connection, *args: Any) -> ledger.Head:
            if not cuts:
                cuts.append(_cut(connection, server))
            return real(connection, *args)

        monkeypatch.setattr("core.backend.storage.batch.append_entries", append)
        await nodes.first.student()
    assert len(cuts) == 1
    assert nodes.first.size() == before + 1


async def test_a_read_whose_connection_is_cut_is_asked_again(
    nodes: Nodes, postgres: PostgresServer
) -> None:
    cuts = list[int]()
    with server_side(postgres, nodes.first) as server:

        def size(connection: Connection) -> int:
            if not cuts:
                connection.exec_driver_sql("SELECT 1")
                cuts.append(_cut(connection, server))
            return ledger.read_head(connection).size

        assert await nodes.first.services.reader.run(size) == nodes.second.size()
    assert cuts


async def test_a_commit_whose_answer_is_lost_is_unknown_and_safe_to_ask_again(
    nodes: Nodes, postgres: PostgresServer
) -> None:
    student, before = await nodes.first.student(), nodes.first.size() + 1
    command, cuts = enroll_command(student.student, nodes.first.courses[0].id), list[int]()
    engine = nodes.first.services.engine
    with server_side(postgres, nodes.first) as server:

        def cut_at_commit(connection: Connection) -> None:
            if not cuts:
                cuts.append(_cut(connection, server))

        event.listen(engine, "commit", cut_at_commit)
        with pytest.raises(UnknownOutcomeError):
            await nodes.first.services.writer.submit(command)
    again = await nodes.second.services.writer.submit(command)
    assert again.accepted
    assert await nodes.first.services.writer.submit(command) == replace(again, repeated=True)
    assert nodes.first.size() == before
    nodes.first.verify()


def _cut(connection: Connection, server: psycopg.Connection[tuple[object, ...]]) -> int:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    pid = driver.info.backend_pid
    server.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    return pid


async def test_a_head_that_somebody_holds_is_busy_and_nothing_hangs(
    nodes: Nodes, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engine_module.POSTGRES, "options", "-c lock_timeout=100")
    impatient = open_engine(nodes.first.services.config.database_url)

    def write() -> None:
        with write_transaction(impatient):
            pass

    with server_side(postgres, nodes.first) as server, server.transaction():
        server.execute("SELECT 1 FROM ledger_head FOR UPDATE")
        with pytest.raises(DatabaseAwayError, match="busy"):
            await asyncio.to_thread(write)
    await asyncio.to_thread(write)
    impatient.dispose()


async def test_every_connection_has_its_limits(nodes: Nodes) -> None:
    with nodes.first.services.engine.connect() as connection:

        def setting(name: str) -> str:
            return str(connection.exec_driver_sql(f"SHOW {name}").scalar_one())

        assert setting("transaction_isolation") == "read committed"
        assert setting("synchronous_commit") == "on"
        assert setting("lock_timeout") == "10s"
        assert setting("statement_timeout") == "30s"
        assert setting("idle_in_transaction_session_timeout") == "30s"


async def test_a_database_that_is_away_is_said_so(postgres: PostgresServer) -> None:
    engine = open_engine(postgres.url("there_is_no_such_database"))
    with pytest.raises(DatabaseAwayError, match="cannot be reached"), write_transaction(engine):
        pass
    engine.dispose()


async def test_two_nodes_that_migrate_at_once_take_turns(postgres: PostgresServer) -> None:
    url = postgres.clone("template0")
    name = make_url(url).database
    assert name is not None
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with postgres.connect(name) as server:
        with server.transaction():
            server.execute(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            migrating = asyncio.create_task(asyncio.to_thread(migrate, url))
            await until(lambda: server.execute(waiting).fetchone())
            assert current_revision(url) is None
        await migrating
    migrate(url)  # whoever comes second finds it done
    engine = open_engine(url)
    require_current(engine)
    engine.dispose()
    postgres.drop_clones()
