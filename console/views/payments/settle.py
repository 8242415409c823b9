"""What became of late money: one of three ways, and the person's own words."""

from __future__ import annotations

from types import MappingProxyType

from PySide6.QtWidgets import QButtonGroup

from console.views.payments.bench import PayBench
from console.views.payments.money_words import WAYS, long_reason, why_not_applied
from console.views.payments.shown import money_words
from console.widgets.basic import Button, label
from console.widgets.form import FormDialog
from core.client.errors import ClientError
from core.domain.card_money import Settlement
from core.domain.references import show_reference
from core.protocol.messages import LateMoneyRow

MAX_WORDS = 1000


class SettleDialog(FormDialog):
    """`settled` is the row as the backend has it afterwards."""

    def __init__(self, bench: PayBench, row: LateMoneyRow) -> None:
        whose = show_reference(row.reference) if row.reference else "no enrollment here"
        super().__init__(
            bench.theme,
            bench.window,
            title="Settle late money",
            words=f"{money_words(row.cents)} · {whose} · {long_reason(row)}",
            yes="Settle it",
            start=bench.start,
        )
        self._port = bench.port
        self._row = row
        self.settled: LateMoneyRow | None = None
        self._group = QButtonGroup(self)
        self.add(label(bench.theme, "What became of it"))
        why_not = why_not_applied(row)
        self.choices = MappingProxyType({how: self._choice(bench, how, why_not) for how in WAYS})
        if why_not:
            self.add(label(bench.theme, f"It cannot be recorded: {why_not}", look="muted"))
        self.words = self.add_text("Why, in your own words")
        self.check(self._missing)
        self.on_submit(self._settle)
        self.choices[Settlement.REFUNDED].setFocus()

    @property
    def how(self) -> Settlement | None:
        return next((how for how, button in self.choices.items() if button.isChecked()), None)

    def _choice(self, bench: PayBench, how: Settlement, why_not: str) -> Button:
        button = Button(bench.theme, WAYS[how], look="choice")
        button.setCheckable(True)
        button.setAutoDefault(False)
        if how is Settlement.APPLIED and why_not:
            button.setEnabled(False)
            button.setToolTip(why_not)
        self._group.addButton(button)
        self.add(button)
        return button

    def _missing(self) -> str:
        if self.how is None:
            return "Choose what became of the money."
        words = self.words.toPlainText().strip()
        if not words:
            return "Say in your own words why: others read it years later."
        return "" if len(words) <= MAX_WORDS else f"At most {MAX_WORDS} characters."

    async def _settle(self) -> str:
        how = self.how
        if how is None:
            return self._missing()
        words = self.words.toPlainText().strip()
        try:
            self.settled = await self._port.settle_late_money(self._row.id, how, words)
        except ClientError as error:
            return str(error)
        return ""
