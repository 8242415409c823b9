"""A console without a window: the product's desk (`console.desk.Desk`), and a script for a person.

Arguments: address, data folder, email, password, seed. Commands and events: see `telling.py`.
"""

from __future__ import annotations

import asyncio
import random
import sys
import traceback
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from console.desk import Desk
from console.entered import Entered
from console.entering import Place, enter_backend, resume_backend
from console.keeping import SafeKeeping
from core.client.connection import ConnectionState, ConnectionStatus
from core.client.errors import ClientError, SignInNeededError
from core.client.outbox import ItemKind, OutboxItem, OutboxState
from core.client.sender import SenderState
from core.client.witness import Witness, WitnessStatus
from core.domain.decisions import Verdict
from core.protocol.messages import Device, EnrollmentRow
from tests.benchmarks.processes import Answer, on_commands, say
from tests.crash import telling

_RETRY_SECONDS = 0.05


def now() -> datetime:
    return datetime.now(UTC)


class Person:
    """Looks at what the desk tells (it is its `DeskEvents`) and decides while told to work."""

    def __init__(self, chance: random.Random) -> None:
        self.rows: dict[UUID, EnrollmentRow] = {}
        self.working = asyncio.Event()
        self.sign_in_needed = asyncio.Event()
        self.live = False
        self.witness: WitnessStatus | None = None
        self._waiting: dict[UUID, UUID] = {}
        self._chance = chance
        self._was_live = False

    def sit_down(self) -> None:
        """At a new desk, which tells everything anew."""
        self.sign_in_needed.clear()
        self._waiting.clear()

    async def work(self, desk: Desk) -> None:
        """Decide one row after the other, for ever."""
        while True:
            await self.working.wait()
            await asyncio.sleep(self._chance.uniform(0.0, telling.PAUSE_SECONDS))
            with suppress(ClientError):  # said in place; nothing was stored
                await self._act(desk)

    async def _act(self, desk: Desk) -> None:
        if self._waiting and self._chance.random() < telling.WITHDRAWN_SHARE:
            await desk.discard_item(self._chance.choice(list(self._waiting)))
            return
        row = self._choose()
        if row is None:
            return
        if self._chance.random() < telling.REJECTED_SHARE:
            note = "Nothing on the statement." if self._chance.random() < 0.5 else None
            await desk.decide(row, Verdict.REJECT, reason=telling.REASON, note=note)
        else:
            await desk.decide(row, Verdict.APPROVE)

    def _choose(self) -> EnrollmentRow | None:
        again = self._chance.random() < telling.AGAIN_SHARE
        mine = set() if again else set(self._waiting.values())
        found = [row for row in self.rows.values() if row.enrollment not in mine]
        return self._chance.choice(found) if found else None

    # --- what the desk tells -----------------------------------------------------------------

    def rows_came(self, rows: tuple[EnrollmentRow, ...], *, snapshot: bool) -> None:
        if snapshot:
            self.rows.clear()
        for row in rows:
            held = self.rows.get(row.enrollment)
            if held is not None and held.version > row.version:
                continue
            if row.waiting:
                self.rows[row.enrollment] = row
            else:
                self.rows.pop(row.enrollment, None)

    def decisions_changed(self, items: Sequence[OutboxItem]) -> None:
        for item in items:
            self._decision_changed(item)

    def _decision_changed(self, item: OutboxItem) -> None:
        telling.tell_item(item)
        waits = item.state in {OutboxState.QUEUED, OutboxState.SENDING}
        if waits and item.kind is ItemKind.DECISION:
            self._waiting[item.id] = item.enrollment
        else:
            self._waiting.pop(item.id, None)
        if item.answer is not None and item.answer.row is not None:
            self.rows_came((item.answer.row,), snapshot=False)

    def connection_changed(self, status: ConnectionStatus) -> None:
        self.live = status.state is ConnectionState.LIVE
        if self.live and not self._was_live:
            self._was_live = True
            say(event="live")
        if status.state is ConnectionState.SIGNED_OUT:
            self.sign_in_needed.set()

    def sender_changed(self, state: SenderState) -> None:
        if state is SenderState.SIGN_IN_NEEDED:
            self.sign_in_needed.set()

    def witness_changed(self, status: WitnessStatus) -> None:
        self.witness = status

    def list_as_of(self, at: datetime | None) -> None:
        """Rows are decided from a copy as from the live list."""

    def device_changed(self, device: Device) -> None:
        """Enrolled before the first start."""

    def ledger_grew(self, size: int) -> None:
        """There is no audit screen."""

    def house_changed(self) -> None:
        """There is no administration."""

    def payments_changed(self) -> None:
        """There is no payments screen."""


class Officer:
    """The process: signs in, signs in again when it must, and answers the harness."""

    def __init__(self, address: str, folder: Path, email: str, password: str, seed: str) -> None:
        self._address = address
        self._folder = folder
        self._email = email
        self._password = password
        self._person = Person(random.Random(seed))
        self._entered: Entered | None = None

    async def run(self) -> None:
        commands: asyncio.Queue[Answer | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        on_commands(lambda command: loop.call_soon_threadsafe(commands.put_nowait, command))
        sitting = asyncio.create_task(self._sit())
        while (command := await commands.get()) is not None:
            say(ok=True, **await self._answer(command["do"]))
        sitting.cancel()
        with suppress(asyncio.CancelledError):
            await sitting

    async def _answer(self, action: str) -> dict[str, Any]:
        person, entered = self._person, self._entered
        if action == "work":
            person.working.set()
        elif action == "rest":
            person.working.clear()
        elif entered is None:
            return dict(telling.NOWHERE)
        elif action == "standing":
            officer = entered.officer.id
            return await telling.standing_of(
                entered.outbox, officer, live=person.live, witness=person.witness
            )
        elif action == "items":
            return await telling.items_of(entered.outbox, entered.officer.id)
        elif action == "rows":
            return telling.rows_of(person.rows.values())
        return {}

    async def _sit(self) -> None:
        while True:
            self._person.sit_down()
            try:
                await self._one_desk()
            except ClientError:
                await asyncio.sleep(_RETRY_SECONDS)  # "Bursar could not start": try again
            except Exception:  # noqa: BLE001 - a bug of the product, which the harness must hear of
                say(event="bug", what=traceback.format_exc())
                await asyncio.sleep(_RETRY_SECONDS)

    async def _one_desk(self) -> None:
        async with AsyncExitStack() as stack:
            place = Place(
                folder=self._folder, stack=stack, new_id=uuid7,
                keeping=SafeKeeping(self._folder / "secrets.sealed"),
            )  # fmt: skip
            entered, files = await self._enter(place)
            desk = Desk(entered, report=self._bug, now=now, new_id=uuid7)
            stack.push_async_callback(desk.close)
            witness = await Witness.open(
                files / "witness.json", source=entered.api, on_change=desk.witness_moved, now=now
            )
            await desk.start(self._person, witness)
            self._entered = entered
            working = asyncio.create_task(self._person.work(desk))
            try:
                await self._person.sign_in_needed.wait()
            finally:
                self._entered, self._person.live = None, False
                working.cancel()
                with suppress(asyncio.CancelledError):
                    await working

    async def _enter(self, place: Place) -> tuple[Entered, Path]:
        try:
            return await resume_backend(place, self._address)
        except SignInNeededError:
            say(event="signed_in_again")
            return await enter_backend(
                place, self._address, email=self._email, password=self._password
            )

    def _bug(self, error: BaseException, name: str) -> None:
        say(event="bug", what=f"{name}: {''.join(traceback.format_exception(error))}")


if __name__ == "__main__":
    address_, folder_, email_, password_, seed_ = sys.argv[1:]
    asyncio.run(Officer(address_, Path(folder_), email_, password_, seed_).run())
