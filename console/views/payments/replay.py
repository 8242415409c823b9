"""Which dead letters are to be worked on again: one, those on one side of it, or all."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from PySide6.QtWidgets import QButtonGroup

from console.views.payments.bench import PayBench
from console.widgets.basic import Button
from console.widgets.form import FormDialog
from console.words import counted, when_words
from core.protocol.messages import WebhookRow


class ReplayDialog(FormDialog):
    """`wanted` are the chosen ones. The shown one is among them, whichever way is chosen."""

    def __init__(self, bench: PayBench, row: WebhookRow, dead: Sequence[WebhookRow]) -> None:
        """`dead` are all dead letters that may be replayed at once, newest first."""
        came = when_words(row.received_at, bench.clock())
        super().__init__(
            bench.theme,
            bench.window,
            title="Replay dead letters",
            words=f"The chosen one came {came}. The provider is asked about each again; what was"
            " applied before is not applied twice.",
            yes="Replay",
            start=bench.start,
        )
        newer = [one.id for one in dead if one.received_at > row.received_at]
        older = [one.id for one in dead if one.received_at < row.received_at]
        everyone = [one.id for one in dead] or [row.id]
        self._ways: tuple[tuple[str, list[UUID]], ...] = (
            ("Only the chosen one", [row.id]),
            (_with(newer, "that came later"), [*newer, row.id]),
            (_with(older, "that came before"), [row.id, *older]),
            (f"All: {_letters(everyone)}", everyone),
        )
        self._group = QButtonGroup(self)
        for number, (words, ids) in enumerate(self._ways):
            self._add_choice(bench, number, words, can=number == 0 or len(ids) > 1)
        self._group.button(0).setChecked(True)
        self.on_submit(self._chosen)
        self._group.button(0).setFocus()

    @property
    def choices(self) -> list[Button]:
        """In their order on the form."""
        return [button for button in self._group.buttons() if isinstance(button, Button)]

    @property
    def wanted(self) -> list[UUID]:
        return self._ways[self._group.checkedId()][1]

    def _add_choice(self, bench: PayBench, number: int, words: str, *, can: bool) -> None:
        button = Button(bench.theme, words, look="choice")
        button.setCheckable(True)
        button.setAutoDefault(False)
        button.setEnabled(can)
        self._group.addButton(button, number)
        self.add(button)

    async def _chosen(self) -> str:
        """The section does it, and tells what came of it beside the table."""
        return ""


def _with(ids: Sequence[UUID], which: str) -> str:
    return f"It and {_letters(ids)} {which}" if ids else f"There are none {which}"


def _letters(ids: Sequence[UUID]) -> str:
    return counted(len(ids), "dead letter", "dead letters")
