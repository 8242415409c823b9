"""Students: they enroll, say that they have paid, and enroll again; each asks until it is told."""

from __future__ import annotations

import asyncio
from uuid import UUID

from core.backend.services.commands import EnrollCommand, SubmitEftCommand
from core.backend.storage.command import Command
from core.client.errors import UnreachableError
from core.domain.enrollment import PaymentMethod
from core.domain.references import make_reference
from tests.simulator.chance import Chance, Ids
from tests.simulator.network import Link
from tests.simulator.process import Process
from tests.simulator.template import House
from tests.simulator.wire import Nodes


class Students:
    """All of them, on one machine of their own that never fails."""

    def __init__(
        self, house: House, link: Link, nodes: Nodes, chance: Chance, process: Process
    ) -> None:
        self._house = house
        self._link = link
        self._nodes = nodes
        self._chance = chance
        self._new_id = Ids(chance)
        self._process = process

    def act(self) -> str:
        """One of them does something: enrolls, perhaps again, and mostly says that it has paid."""
        chance = self._chance
        number = chance.randrange(len(self._house.students))
        student, course = self._house.students[number], chance.choice(self._house.courses)
        commands: list[Command] = [self._enroll(student, course)]
        if chance.happens(0.9):
            commands.append(self._paid(student, course))
        self._process.spawn(self._ask(commands), "student")
        return f"student {number} enrolls and pays"

    def _enroll(self, student: UUID, course: UUID) -> Command:
        references = tuple(make_reference(self._chance.randrange) for _ in range(2))
        return EnrollCommand(
            student=student, course=course, method=PaymentMethod.EFT,
            enrollment=self._new_id(), references=references, key=str(self._new_id()),
        )  # fmt: skip

    def _paid(self, student: UUID, course: UUID) -> Command:
        key = str(self._new_id())
        return SubmitEftCommand(student=student, course=course, claim=self._new_id(), key=key)

    async def _ask(self, commands: list[Command]) -> None:
        for command in commands:
            while True:
                if await self._is_answered(command):
                    break
                await asyncio.sleep(self._chance.uniform(1.0, 5.0))

    async def _is_answered(self, command: Command) -> bool:
        try:
            outcome = await self._link.ask(self._nodes, lambda node: node.submit(command))
        except UnreachableError:
            return False
        return outcome is not None
