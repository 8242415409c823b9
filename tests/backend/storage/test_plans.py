"""No statement of the writer or of the feed reads a whole table that grows."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from sqlalchemy import event

from core.domain.roles import Role
from tests.support.workspace import House

# A handful of rows each, for ever: the house, its staff, and the ledger's one head.
SMALL = {"ledger_head", "workspace", "users", "courses"}
EXPLAINED = ("SELECT", "UPDATE", "DELETE")


async def _everything(house: House) -> None:
    """Two of each, so that a batch asks for several keys."""
    students = [await house.student() for _ in range(2)]
    enrollments = [await house.claim(student) for student in students]
    officer = await house.officer()
    supervisor = await house.officer(Role.SUPERVISOR)
    items = [officer.sign(await house.row(enrollment)) for enrollment in enrollments]
    await house.decide(officer, *items)
    await house.decide(supervisor, supervisor.sign(await house.row(enrollments[0])))
    await house.services.approval.pending(after=None, limit=1)
    await house.services.signer.sign(house.size() - 2)
    await house.services.signer.sign(house.size())
    await house.services.signer.head()


async def test_everything_is_found_by_an_index(house: House) -> None:
    assert not await whole_reads(house, _everything(house), at_least=20)


async def whole_reads(
    house: House, work: Awaitable[None], *, at_least: int
) -> set[tuple[str, str]]:
    """The statements of `work` that read a whole table, each with the line that says so."""
    seen: dict[str, Any] = {}

    def note(
        _c: object, _cursor: object, statement: str, given: Any, _x: object, many: Any
    ) -> None:
        if statement.startswith(EXPLAINED):
            seen.setdefault(statement, given[0] if many else given)

    engine = house.services.engine
    event.listen(engine, "before_cursor_execute", note)
    await work
    event.remove(engine, "before_cursor_execute", note)
    assert len(seen) > at_least
    with engine.connect() as connection:
        plans = {
            statement: [
                row[3]
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            ]
            for statement, given in seen.items()
        }
    return {
        (line, statement)
        for statement, plan in plans.items()
        for line in plan
        if _reads_all(line) and not _stops_early(statement, plan)
    }


def _reads_all(line: str) -> bool:
    return line.startswith("SCAN ") and " INDEX " not in line and line.split()[1] not in SMALL


def _stops_early(statement: str, plan: list[str]) -> bool:
    """In the order of the key, as far as the limit: the newest checkpoint is the first read."""
    return " LIMIT " in statement and not any("TEMP B-TREE" in line for line in plan)
