"""`Leaving`: asks before a step that decisions without an answer would be lost by, or wait for."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtWidgets import QWidget

from console.backends import plain
from console.closing import (
    Risk,
    risk_of_closing,
    risk_of_going_elsewhere,
    risk_of_signing_out,
)
from console.entered import Entered
from console.run_queues import RunQueues
from console.runtime.dialogs import confirm
from core.client.errors import OutboxError
from core.client.outbox import OutboxSummary


class LeftPort(Protocol):
    """What this needs of a desk."""

    @property
    def entered(self) -> Entered: ...

    @property
    def is_sending(self) -> bool: ...

    async def outbox_summary(self) -> OutboxSummary: ...


class Leaving:
    """Each method tells whether to go on; without a desk there is nothing to ask about it."""

    def __init__(self, window: QWidget, queues: RunQueues) -> None:
        self._window = window
        self._queues = queues

    async def may_close(self, desk: LeftPort | None) -> bool:
        """Before the program ends; also what an earlier sign-in left in memory counts."""
        sending = desk is not None and desk.is_sending
        return await self._agreed(
            risk_of_closing(sending=sending, lost=await self._queues.unanswered())
        )

    async def may_sign_out(self, desk: LeftPort | None) -> bool:
        if desk is None:
            return True
        lasts = desk.entered.durability.remembered
        return await self._agreed(risk_of_signing_out(waiting=await _waiting(desk), lasts=lasts))

    async def may_go_to(self, address: str, desk: LeftPort | None) -> bool:
        """Before it connects to the backend there; "" is the demo."""
        if desk is None or _is_at(desk.entered, address):
            return True
        lasts = desk.entered.durability.remembered
        return await self._agreed(
            risk_of_going_elsewhere(waiting=await _waiting(desk), lasts=lasts)
        )

    async def _agreed(self, risk: Risk | None) -> bool:
        return risk is None or await confirm(
            self._window,
            title=risk.title,
            text=risk.text,
            yes=risk.yes,
            no=risk.no,
            danger=risk.danger,
        )


def _is_at(entered: Entered, address: str) -> bool:
    if entered.embedded:
        return not address
    return plain(entered.address) == plain(address)


async def _waiting(desk: LeftPort) -> int:
    """A queue that fails keeps nobody here: it stays as it is."""
    try:
        return (await desk.outbox_summary()).waiting
    except OutboxError:
        return 0
