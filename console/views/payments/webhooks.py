"""Webhooks: the provider's callbacks, dead letters first, and having them worked on again."""

from __future__ import annotations

import asyncio
from uuid import UUID

from console.models.records import Cell, RecordColumn, RecordModel
from console.runtime.dialogs import shown
from console.views.payments.bench import PayBench
from console.views.payments.frame import About
from console.views.payments.replay import ReplayDialog
from console.views.payments.section import Page, Section
from console.views.payments.shown import Shown, reference_cell, when_cell
from console.views.payments.ways import Done, Way
from console.views.payments.webhook_words import (
    claim_words,
    delivery_state,
    outcome_words,
    show_delivery,
)
from console.words import counted
from core.client.errors import ClientError
from core.domain.webhooks import DeliveryState
from core.protocol.messages import WebhookDetail, WebhookRow
from core.protocol.messages.webhooks import MAX_REPLAYED

_ABOUT = About(
    name="Webhooks",
    icon="download",
    hint="Select a callback to see its tries.",
    choices=(
        (None, "Dead letters first"),
        (DeliveryState.DEAD, "Dead letters"),
        (DeliveryState.WAITING, "Waiting"),
        (DeliveryState.DONE, "Done"),
    ),
    empty={
        None: "The provider has not called back yet.",
        DeliveryState.DEAD: "No dead letters: every callback was worked on.",
        DeliveryState.WAITING: "No callback waits.",
        DeliveryState.DONE: "No callback is done yet.",
    },
)
# While somebody runs through the rows with a key held down, nothing is fetched for each of them.
DETAIL_AFTER_SECONDS = 0.08
_WAITS = "It is being worked on already."


class WebhooksSection(Section[WebhookRow]):
    """R replays the chosen one, Shift+R some dead letters."""

    def __init__(self, bench: PayBench) -> None:
        columns: tuple[RecordColumn[WebhookRow], ...] = (
            RecordColumn("State", lambda row: delivery_state(row).cell(row.received_at), 130),
            RecordColumn("Received", lambda row: when_cell(row.received_at, bench.clock()), 134),
            RecordColumn("Says", lambda row: Cell(claim_words(row)), 100),
            RecordColumn("Reference", lambda row: reference_cell(row.reference), 128),
            RecordColumn("Came to", lambda row: Cell(outcome_words(row.outcome))),
            RecordColumn("Tries", lambda row: Cell(str(row.tries), row.tries), 72, right=True),
        )
        model = RecordModel(columns, key=lambda row: row.id)
        self._detail: WebhookDetail | None = None
        super().__init__(bench, model, _ABOUT, key=lambda row: row.id)
        self.some = self.add_way(
            Way(
                text="Replay some…",
                key="Shift+R",
                run=self._some,
                asks=True,
                applies=lambda row: row.state is DeliveryState.DEAD,
                why_not=lambda _: bench.why_not_replay,
            )
        )
        self.replay = self.add_way(
            Way(text="Replay", key="R", run=self._one, look="primary", why_not=self._why_not)
        )

    async def load(self, after: UUID | None) -> Page[WebhookRow]:
        """The first page of all has the dead letters with it, however old they are."""
        state = self.choice.value
        wanted = state if isinstance(state, DeliveryState) else None
        page = await self.bench.port.webhooks(after=after, state=wanted)
        if wanted is not None or after is not None:
            return Page(page.rows, page.next_after)
        dead = await self.bench.port.webhooks(state=DeliveryState.DEAD)
        rows = {row.id: row for row in (*dead.rows, *page.rows)}
        return Page(tuple(rows.values()), page.next_after)

    def describe(self, record: WebhookRow) -> Shown:
        detail = self._detail
        known = detail if detail is not None and detail.row.id == record.id else None
        return show_delivery(record, self.bench.clock(), known)

    def chosen(self, record: WebhookRow) -> None:
        if self._detail is None or self._detail.row != record:
            self.start("detail", self._load_detail(record.id))

    async def _load_detail(self, delivery: UUID) -> None:
        await asyncio.sleep(DETAIL_AFTER_SECONDS)
        try:
            self._detail = await self.bench.port.webhook(delivery)
        except ClientError:
            return  # the row itself stays; its tries come with the next look
        if self.record is not None and self.record.id == delivery:
            self.show_again()

    # --- replaying ---

    def _why_not(self, row: WebhookRow) -> str:
        return self.bench.why_not_replay or (_WAITS if row.state is DeliveryState.WAITING else "")

    async def _one(self, row: WebhookRow) -> Done[WebhookRow]:
        return await self._replay([row.id])

    async def _some(self, row: WebhookRow) -> Done[WebhookRow] | None:
        dialog = ReplayDialog(self.bench, row, await self._dead())
        return await self._replay(dialog.wanted) if await shown(dialog) else None

    async def _dead(self) -> list[WebhookRow]:
        """As many dead letters as can be replayed at once, newest first."""
        rows: list[WebhookRow] = []
        after: UUID | None = None
        while len(rows) < MAX_REPLAYED:
            page = await self.bench.port.webhooks(after=after, state=DeliveryState.DEAD)
            rows += page.rows
            after = page.next_after
            if after is None:
                break
        return rows[:MAX_REPLAYED]

    async def _replay(self, deliveries: list[UUID]) -> Done[WebhookRow]:
        await self.bench.port.replay_webhooks(deliveries)
        many = counted(len(deliveries), "callback is", "callbacks are")
        return Done("ok", f"{many} being worked on again. The ledger says by whom.")
