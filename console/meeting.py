"""`Meeting`: who the backend is, held against what was verified, before anything is sent to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from console.enrollment import Enrollment
from console.entered import Entered
from core.client.errors import (
    AccountDisabledError,
    ClientError,
    NotSentError,
    SignInNeededError,
)
from core.client.witness import Witness
from core.protocol.messages import DecisionAnswers, DecisionBatch, Device, Workspace


class Meeting:
    """Once per start: at once where the console came in by the backend, and on the first contact
    where it opened with a copy."""

    def __init__(self, entered: Entered, enrollment: Enrollment) -> None:
        self._entered = entered
        self._enrollment = enrollment
        self._witness: Witness | None = None
        self._lock = asyncio.Lock()
        self._met = False
        self.workspace = entered.workspace
        """As the backend told it last."""

    def join(self, witness: Witness) -> None:
        """Who verifies."""
        self._witness = witness
        self._enrollment.join(witness)

    async def ensure(self) -> None:
        """Return when the backend has been met. Raises ClientError while it cannot be asked."""
        async with self._lock:
            if self._met or self._witness is None:
                return
            self.workspace, device = await self._news()
            await self._entered.outbox.learn_next_n(device.id, device.next_n)
            await self.meet(self._witness)
            if self._entered.embedded:
                await self._witness.accept_first_contact()  # our own child, on this computer
            await self._enrollment.pin_roots(self.workspace)
            self._met = True

    async def meet(self, witness: Witness) -> None:
        """Hold the backend's ledger against what was verified, as often as it is in doubt."""
        await witness.meet(self.workspace)

    async def _news(self) -> tuple[Workspace, Device]:
        entered = self._entered
        if entered.copy is None:
            return entered.workspace, entered.device_state
        return await entered.api.workspace(), await entered.api.device(entered.device.id)


class AfterMeeting:
    """What the sender needs of the backend, once that was met, and while its ledger is trusted.

    Otherwise nothing is sent: that is NotSentError, for no decision is to blame.
    """

    def __init__(self, entered: Entered, meeting: Meeting, *, in_doubt: Callable[[], bool]) -> None:
        self._api = entered.api
        self._meeting = meeting
        self._in_doubt = in_doubt

    async def decide(self, batch: DecisionBatch) -> DecisionAnswers:
        """Send decisions. Raises ClientError."""
        await self._ready()
        return await self._api.decide(batch)

    async def device(self, device: UUID) -> Device:
        """What the backend knows of a device. Raises ClientError."""
        await self._ready()
        return await self._api.device(device)

    async def _ready(self) -> None:
        try:
            await self._meeting.ensure()
        except AccountDisabledError:
            pass  # nobody tells this officer of the ledger any more; what is handed in is refused
        except SignInNeededError:
            raise
        except ClientError as error:
            raise NotSentError(str(error)) from error
        if self._in_doubt():
            raise NotSentError("The ledger cannot be trusted: nothing is sent.")
