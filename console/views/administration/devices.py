"""Devices: the consoles that wait to be enrolled, and those that may sign."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from console.models.records import Cell, RecordColumn, RecordModel
from console.runtime.dialogs import confirm
from console.views.administration.device_request import DeviceRequestCard
from console.views.administration.page import Bench, RecordPage, problem_of
from console.views.administration.words import device_state, roles_words, seen_cell
from console.widgets.basic import label
from core.protocol.messages import DeviceRequestRow, DeviceRow, DeviceState

_CARD_HEIGHT = 162  # pixels, with the space below
_MOST_HEIGHT = 372  # pixels: two requests, and a third one peeping out where there are more


class DevicesPage(RecordPage[DeviceRow]):
    """Requests come first: somebody's decisions are held until they are answered."""

    waiting_changed = Signal(int)

    def __init__(self, bench: Bench) -> None:
        columns: tuple[RecordColumn[DeviceRow], ...] = (
            RecordColumn("Person", lambda device: Cell(device.user_name)),
            RecordColumn("Roles", lambda device: Cell(roles_words(device.roles)), 170),
            RecordColumn("Fingerprint", lambda device: Cell(device.fingerprint), 330),
            RecordColumn("Enrolled by", lambda device: Cell(device.by_name), 160),
            RecordColumn(
                "Enrolled", lambda device: seen_cell(device.enrolled_at, bench.clock()), 130
            ),
            RecordColumn("State", device_state, 130),
        )
        super().__init__(
            bench,
            RecordModel(
                columns,
                key=lambda device: device.id,
                dimmed=lambda device: device.state is DeviceState.REVOKED,
            ),
            name="Enrolled devices",
            icon="fingerprint",
            empty="No console may sign decisions yet.",
            hint="Select a device to revoke it.",
        )
        self.cards: list[DeviceRequestCard] = []
        self.revoke = self.add_action("Revoke…", self._revoke_wanted, why_not=self._not_revoke)
        self._requests = self._build_requests()
        self.column.insertWidget(0, self._requests)

    # --- what is shown ---

    async def load(self) -> Sequence[DeviceRow]:
        answer = await self.bench.port.devices()
        self._show_requests(answer.requests)
        return answer.devices

    def name_of(self, record: DeviceRow) -> str:
        return f"{record.user_name}, {record.fingerprint}"

    @property
    def waiting(self) -> int:
        """How many consoles wait."""
        return len(self.cards)

    def _show_requests(self, requests: Sequence[DeviceRequestRow]) -> None:
        """Cards that stay keep what was ticked in them."""
        held = {card.asked: card for card in self.cards}
        for card in self.cards:
            if card.asked not in requests:
                card.hide()
                card.deleteLater()
        self.cards = [held.get(asked) or self._card(asked) for asked in requests]
        for place, card in enumerate(self.cards):
            self._list.insertWidget(place, card)
            card.set_why_not(self.bench.port.why_not_sign)
        self._requests.setVisible(bool(self.cards))
        self._scroll.setFixedHeight(min(len(self.cards) * _CARD_HEIGHT, _MOST_HEIGHT))
        self.waiting_changed.emit(len(self.cards))

    def _card(self, asked: DeviceRequestRow) -> DeviceRequestCard:
        card = DeviceRequestCard(self.bench.theme, asked, clock=self.bench.clock)
        card.approve_wanted.connect(lambda asked: self.bench.start(self._approve(asked, card)))
        card.refuse_wanted.connect(lambda asked: self.bench.start(self._refuse(asked, card)))
        return card

    def _build_requests(self) -> QWidget:
        theme = self.bench.theme
        body = QWidget()
        body.setProperty("look", "scrolled")
        self._list = QVBoxLayout(body)
        self._list.setContentsMargins(20, 0, 20, 12)
        self._list.setSpacing(12)
        self._list.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(body)
        box = QFrame()
        box.setProperty("look", "toolbar")
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 12, 0, 0)
        layout.setSpacing(10)
        heading = label(theme, "Waiting to be enrolled", size="heading")
        heading.setContentsMargins(20, 0, 0, 0)
        layout.addWidget(heading)
        layout.addWidget(self._scroll)
        box.hide()
        return box

    # --- what can be done ---

    def _not_revoke(self, device: DeviceRow) -> str:
        if device.state is DeviceState.REVOKED:
            return "It is revoked already."
        return self.bench.port.why_not_sign

    async def _approve(self, asked: DeviceRequestRow, card: DeviceRequestCard) -> None:
        await self._answer(
            self.bench.port.approve(asked), card, f"{asked.user_name}'s console may sign now."
        )

    async def _refuse(self, asked: DeviceRequestRow, card: DeviceRequestCard) -> None:
        sure = await confirm(
            self.bench.window,
            title=f"Refuse the console of {asked.user_name}?",
            text="What was decided on it stays held there. The person can ask again.",
            yes="Refuse",
            danger=True,
        )
        if sure:
            await self._answer(
                self.bench.port.refuse_device(asked.device),
                card,
                f"{asked.user_name}'s console was refused.",
            )

    async def _answer(
        self, work: Coroutine[Any, Any, object], card: DeviceRequestCard, done: str
    ) -> None:
        card.set_busy(busy=True)
        problem = await problem_of(work)
        self.bench.tell("danger" if problem else "ok", problem or done)
        if card in self.cards:
            card.set_busy(busy=False)
        self.refresh()

    def _revoke_wanted(self, device: DeviceRow) -> None:
        self.bench.start(self._revoke(device))

    async def _revoke(self, device: DeviceRow) -> None:
        sure = await confirm(
            self.bench.window,
            title=f"Revoke the device of {device.user_name}?",
            text=f"Fingerprint {device.fingerprint}. From now on every decision signed on it is"
            " refused, also those that wait there. This cannot be taken back: the person makes a"
            " new key on that console, which then asks to be enrolled.",
            yes="Revoke",
            danger=True,
        )
        if not sure:
            return
        problem = await problem_of(self.bench.port.revoke(device.id))
        done = f"The device of {device.user_name} is revoked."
        self.bench.tell("danger" if problem else "ok", problem or done)
        self.refresh()
