"""Alerts: callbacks that were refused, by hour and address."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import Qt

from console.models.records import Cell, RecordColumn, RecordModel
from console.views.payments.bench import PayBench
from console.views.payments.frame import About
from console.views.payments.section import Page, Section
from console.views.payments.shown import Shown, when_cell
from console.views.payments.webhook_words import address_words, alert_state, show_alert
from console.words import whole
from core.protocol.messages import SecurityAlertRow

_ABOUT = About(
    name="Alerts",
    icon="shield-alert",
    hint="Select an alert to see what it means.",
    empty={None: "No callback was refused: nobody tries to fool this house."},
    sort=(1, Qt.SortOrder.DescendingOrder),
)


class AlertsSection(Section[SecurityAlertRow]):
    """Nothing is to be done here: a refused callback has changed nothing."""

    def __init__(self, bench: PayBench) -> None:
        columns: tuple[RecordColumn[SecurityAlertRow], ...] = (
            RecordColumn("State", lambda row: alert_state(row).cell(row.last_at), 112),
            RecordColumn("Last", lambda row: when_cell(row.last_at, bench.clock()), 134),
            RecordColumn("What happened", lambda row: Cell(row.message)),
            RecordColumn("From", lambda row: Cell(address_words(row)), 170),
            RecordColumn("Count", lambda row: Cell(whole(row.count), row.count), 84, right=True),
        )
        model = RecordModel(columns, key=lambda row: row.id)
        super().__init__(bench, model, _ABOUT, key=lambda row: row.id)

    async def load(self, after: UUID | None) -> Page[SecurityAlertRow]:
        page = await self.bench.port.alerts(after=after)
        return Page(page.rows, page.next_after)

    def describe(self, record: SecurityAlertRow) -> Shown:
        return show_alert(record, self.bench.clock())
