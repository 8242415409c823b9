"""Refunds: money that has to go back, from due over sent to done."""

from __future__ import annotations

from uuid import UUID

from console.models.records import Cell, RecordColumn, RecordModel
from console.runtime.dialogs import confirm
from console.views.payments.bench import PayBench
from console.views.payments.frame import About
from console.views.payments.money_words import refund_state, show_refund
from console.views.payments.section import Page, Section
from console.views.payments.shown import Shown, money_cell, reference_cell, when_cell
from console.views.payments.ways import Done, Way
from core.domain.card_money import RefundState
from core.domain.money import format_rand
from core.domain.references import show_reference
from core.protocol.messages import RefundRow

_ABOUT = About(
    name="Refunds",
    icon="undo-2",
    hint="Select a refund to see where it stands.",
    choices=((True, "Due and sent"), (False, "All")),
    empty={True: "No money has to go back.", False: "No money ever had to go back."},
)
_ENDED = frozenset({RefundState.DONE, RefundState.NOT_DUE})


class RefundsSection(Section[RefundRow]):
    """S says that it was sent, F that it is done."""

    def __init__(self, bench: PayBench) -> None:
        columns: tuple[RecordColumn[RefundRow], ...] = (
            RecordColumn("State", lambda row: refund_state(row).cell(row.opened_at), 106),
            RecordColumn("Opened", lambda row: when_cell(row.opened_at, bench.clock()), 134),
            RecordColumn("Reference", lambda row: reference_cell(row.reference), 128),
            RecordColumn("Student", lambda row: Cell(row.student_name)),
            RecordColumn("Last step by", lambda row: Cell(row.by_name), 150),
            RecordColumn("Amount", lambda row: money_cell(row.cents), 116, right=True),
        )
        model = RecordModel(
            columns, key=lambda row: row.attempt, dimmed=lambda row: row.state in _ENDED
        )
        super().__init__(bench, model, _ABOUT, key=lambda row: row.attempt)
        self.sent = self.add_way(
            Way(
                text="It was sent…",
                key="S",
                run=self._sent,
                look="primary",
                asks=True,
                applies=lambda row: row.state is RefundState.DUE,
                why_not=lambda _: bench.why_not_money,
            )
        )
        self.done = self.add_way(
            Way(
                text="It is done…",
                key="F",
                run=self._done,
                look="primary",
                asks=True,
                applies=lambda row: row.state is RefundState.SENT,
                why_not=lambda _: bench.why_not_money,
            )
        )

    async def load(self, after: UUID | None) -> Page[RefundRow]:
        page = await self.bench.port.refunds(after=after, open_only=self.choice.value is True)
        return Page(page.rows, page.next_after)

    def describe(self, record: RefundRow) -> Shown:
        return show_refund(record, self.bench.clock())

    async def _sent(self, row: RefundRow) -> Done[RefundRow] | None:
        if not await self._sure(row, "Was it sent?", "you sent it back at the provider", "Sent"):
            return None
        moved = await self.bench.port.refund_sent(row.attempt)
        return Done("ok", "Noted on the ledger: the money is on its way back.", moved)

    async def _done(self, row: RefundRow) -> Done[RefundRow] | None:
        if not await self._sure(row, "Is it done?", "the provider shows that it arrived", "Done"):
            return None
        moved = await self.bench.port.refund_done(row.attempt)
        return Done("ok", "Noted on the ledger: the money is back.", moved)

    async def _sure(self, row: RefundRow, title: str, what: str, yes: str) -> bool:
        """It cannot be taken back: the ledger keeps it."""
        money = f"{format_rand(row.cents)}, {show_reference(row.reference)}, {row.student_name}."
        text = f"{money} Say so only if {what}. It goes on the ledger under your name."
        return await confirm(self.bench.window, title=title, text=text, yes=yes)
