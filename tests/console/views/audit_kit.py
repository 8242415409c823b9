"""What the tests of the Audit screen share: opening it, and reading what it shows."""

from __future__ import annotations

from console.models.audit import Column
from console.views.audit import AuditScreen
from tests.console.fixtures import OpenOffice
from tests.console.trail import Trail
from tests.support.waiting import until


async def audit_of(opened: OpenOffice, size: int) -> tuple[AuditScreen, Trail]:
    """The screen, open over this many entries, its first page there."""
    trail = opened.desk.audit
    assert isinstance(trail, Trail)
    trail.size = size
    opened.office.commands.trigger("open audit")
    screen = opened.office.audit
    await until(lambda: trail.asked, what="the first page was asked for")
    await until(lambda: screen.model.entry_at(0) is not None, what="the first page is there")
    return screen, trail


def words(screen: AuditScreen, row: int, column: Column) -> str:
    return str(screen.model.index(row, column).data())


def shown_indexes(screen: AuditScreen) -> list[int | None]:
    seen = screen.table.visible_rows
    assert seen is not None
    found = [screen.model.entry_at(row) for row in range(seen[0], seen[1] + 1)]
    return [None if one is None else one.index for one in found]
