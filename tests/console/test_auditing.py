"""The Audit screen over a desk at our real backend: live entries, names, checks made here."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from console.app import now
from console.auditing import Auditing
from console.commands import Commands
from console.models.audit import Column
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.views.audit import AuditScreen
from core.domain.decisions import Verdict
from tests.console.test_desk import Place, row_of
from tests.support.live_backend import LiveBackend
from tests.support.waiting import until


async def test_a_decision_appears_live_and_is_checked_here(
    live_backend: LiveBackend, tmp_path: Path, theme: Theme
) -> None:
    errors: list[str] = []
    tasks = TaskRunner(lambda error, name: errors.append(f"{name}: {error!r}"))
    place, window, owner = Place(live_backend, tmp_path), QWidget(), QObject()
    async with place:
        screen = AuditScreen(theme, Commands(owner), clock=now, is_pending=lambda _: False)
        auditing = Auditing(theme, screen, place.desk.audit, tasks=tasks, clock=now, window=window)
        screen.setParent(window)
        window.resize(1000, 700)
        window.show()
        screen.show()
        await until(lambda: screen.model.entry_at(0) is not None, what="the ledger's newest entry")
        before = screen.model.rowCount()
        assert before == live_backend.size

        claimed = live_backend.claim()
        row = await row_of(place.heard, claimed)
        await place.desk.decide(row, Verdict.APPROVE)
        await until(lambda: live_backend.detail(claimed.enrollment).row.version > row.version)

        def newest() -> str:
            auditing.ledger_grew(place.heard.size)  # as an office does at each batch
            return str(screen.model.index(0, Column.WHAT).data())

        await until(lambda: newest() == "Approved", what="the decision at the top")
        assert screen.model.index(0, Column.WHO).data() == place.desk.entered.officer.name
        assert screen.model.index(0, Column.ABOUT).data() == row.student.name

        await until(lambda: place.heard.verified_to == live_backend.size, what="the witness")
        screen.table.select_row(0)
        await until(
            lambda: screen.entry.signature.text.startswith("Signature holds"), what="the signature"
        )
        assert screen.entry.inclusion.text.startswith("In the ledger. Proved to be entry ")
        await tasks.close()
    window.close()
    window.deleteLater()
    assert errors == []


async def test_the_desk_tells_how_far_the_ledger_grew(
    live_backend: LiveBackend, tmp_path: Path
) -> None:
    async with Place(live_backend, tmp_path) as place:
        assert place.heard.size == live_backend.size
        live_backend.claim()
        await until(lambda: place.heard.size == live_backend.size, what="the new entries")
