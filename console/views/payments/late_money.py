"""Late money: what came and fitted nothing, and the form that says what became of it."""

from __future__ import annotations

from uuid import UUID

from console.models.records import Cell, RecordColumn, RecordModel
from console.runtime.dialogs import shown
from console.views.payments.bench import PayBench
from console.views.payments.frame import About
from console.views.payments.money_words import late_state, short_reason, show_late_money
from console.views.payments.section import Page, Section
from console.views.payments.settle import SettleDialog
from console.views.payments.shown import Shown, money_cell, reference_cell, when_cell
from console.views.payments.ways import Done, Way
from core.domain.card_money import LateState, Settlement
from core.protocol.messages import LateMoneyRow

_ABOUT = About(
    name="Late money",
    icon="triangle-alert",
    hint="Select money to see why it was not applied.",
    choices=((True, "Open"), (False, "Open and settled")),
    empty={True: "All money fits: nothing is late.", False: "No money ever came late."},
)


class LateMoneySection(Section[LateMoneyRow]):
    """S settles, P goes to the payment in the pending list."""

    def __init__(self, bench: PayBench) -> None:
        columns: tuple[RecordColumn[LateMoneyRow], ...] = (
            RecordColumn("State", lambda row: late_state(row).cell(row.found_at), 106),
            RecordColumn("Found", lambda row: when_cell(row.found_at, bench.clock()), 134),
            RecordColumn("Reference", lambda row: reference_cell(row.reference), 128),
            RecordColumn("Student", lambda row: Cell(row.student_name or "not known")),
            RecordColumn("Why", lambda row: Cell(short_reason(row)), 172),
            RecordColumn("Amount", lambda row: money_cell(row.cents), 116, right=True),
        )
        model = RecordModel(
            columns, key=lambda row: row.id, dimmed=lambda row: row.state is LateState.SETTLED
        )
        super().__init__(bench, model, _ABOUT, key=lambda row: row.id)
        self.look = self.add_way(
            Way(text="Open in Pending", key="P", run=self._look, applies=self._is_pending)
        )
        self.settle = self.add_way(
            Way(
                text="Settle…",
                key="S",
                run=self._settle,
                look="primary",
                asks=True,
                applies=lambda row: row.state is LateState.OPEN,
                why_not=lambda _: bench.why_not_money,
            )
        )

    async def load(self, after: UUID | None) -> Page[LateMoneyRow]:
        page = await self.bench.port.late_money(after=after, open_only=self.choice.value is True)
        return Page(page.rows, page.next_after)

    def describe(self, record: LateMoneyRow) -> Shown:
        return show_late_money(record, self.bench.clock())

    def _is_pending(self, row: LateMoneyRow) -> bool:
        return row.enrollment is not None and self.bench.is_pending(row.enrollment)

    async def _settle(self, row: LateMoneyRow) -> Done[LateMoneyRow] | None:
        dialog = SettleDialog(self.bench, row)
        if not await shown(dialog) or dialog.settled is None:
            return None
        settled = dialog.settled
        words = "Settled. The ledger says so, and by whom."
        if settled.how is Settlement.APPLIED:
            words = "Recorded. The payment waits in Pending for approval."
        return Done("ok", words, settled)

    async def _look(self, row: LateMoneyRow) -> None:
        if row.enrollment is not None:
            self.bench.look(row.enrollment)
