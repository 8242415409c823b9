"""Attempts: every try to pay by card, and asking the provider about one."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import Qt

from console.models.records import Cell, RecordColumn, RecordModel
from console.views.payments.attempt_words import attempt_state, said_words, show_attempt
from console.views.payments.bench import PayBench
from console.views.payments.frame import About
from console.views.payments.section import Page, Section
from console.views.payments.shown import Shown, money_cell, reference_cell, when_cell
from console.views.payments.ways import Done, Way
from core.domain.card_money import LinkState
from core.protocol.messages import CardAttempt

_ABOUT = About(
    name="Attempts",
    icon="credit-card",
    hint="Select a card payment to see how it stands.",
    empty={None: "Nobody has paid by card yet."},
    sort=(1, Qt.SortOrder.DescendingOrder),
)
_KINDS = {"approved": "ok", "already": "ok", "late_money": "warn", "unreachable": "warn"}


class AttemptsSection(Section[CardAttempt]):
    """A asks the provider, P goes to the payment in the pending list."""

    def __init__(self, bench: PayBench) -> None:
        columns: tuple[RecordColumn[CardAttempt], ...] = (
            RecordColumn("State", lambda row: attempt_state(row).cell(row.created_at), 118),
            RecordColumn("Started", lambda row: when_cell(row.created_at, bench.clock()), 134),
            RecordColumn("Reference", lambda row: reference_cell(row.reference), 128),
            RecordColumn("Student", lambda row: Cell(row.student_name)),
            RecordColumn("Amount", lambda row: money_cell(row.cents), 116, right=True),
            RecordColumn("Provider said", lambda row: Cell(said_words(row)), 132),
        )
        model = RecordModel(columns, key=lambda row: row.attempt)
        super().__init__(bench, model, _ABOUT, key=lambda row: row.attempt)
        self.look = self.add_way(
            Way(
                text="Open in Pending",
                key="P",
                run=self._look,
                applies=lambda row: bench.is_pending(row.enrollment),
            )
        )
        self.ask = self.add_way(
            Way(
                text="Ask the provider now",
                key="A",
                run=self._ask,
                look="primary",
                applies=lambda row: row.link_state is not LinkState.PAID,
            )
        )

    async def load(self, after: UUID | None) -> Page[CardAttempt]:
        page = await self.bench.port.attempts(after=after)
        return Page(page.rows, page.next_after)

    def describe(self, record: CardAttempt) -> Shown:
        return show_attempt(record, self.bench.clock())

    async def _ask(self, row: CardAttempt) -> Done[CardAttempt]:
        asked = await self.bench.port.ask_provider(row.attempt)
        return Done(_KINDS.get(asked.answer, "info"), asked.message, asked.row)

    async def _look(self, row: CardAttempt) -> None:
        self.bench.look(row.enrollment)
