"""One world: a node or two on one database, a few consoles, and students, all of one seed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Engine

from core.backend.storage import ledger
from core.backend.storage.command import Command
from core.backend.storage.engine import read_transaction
from core.client.secrets import MemoryStore
from tests.simulator.book import Book
from tests.simulator.build import Build
from tests.simulator.chance import Chance, Ids
from tests.simulator.console import Console, Desk
from tests.simulator.network import Link
from tests.simulator.node import Machine, Node
from tests.simulator.process import Process
from tests.simulator.students import Students
from tests.simulator.template import START, House
from tests.simulator.writer import Trouble

NODES = (1, 1, 2)
CONSOLES = (2, 2, 3)


@dataclass
class Skew:
    """How far a machine's clock is off."""

    by: timedelta = timedelta(0)


class World:
    """Everything of one seed. `folder` is empty but for the database; `engine` is over that."""

    def __init__(
        self, *, seed: int, house: House, folder: Path, engine: Engine, build: Build
    ) -> None:
        self.seed = seed
        self.house = house
        self.engine = engine
        self.build = build
        self.book = Book()
        self.story: list[str] = []
        self._is_over = False
        self.trouble = Trouble()
        self._loop = asyncio.get_running_loop()
        self._generation = 0
        self._commands: asyncio.Queue[Command] = asyncio.Queue()
        self.folder = folder
        self._everybody = Process(
            "world", Chance(seed, "world"), on_end=_nothing, on_error=self._failed
        )
        self._new_id = Ids(Chance(seed, "system"))
        count = Chance(seed, "nodes").choice(NODES)
        self.node_skews = [Skew() for _ in range(count)]
        self.machines = [self._machine(number) for number in range(count)]
        self.nodes: list[Node | None] = [None] * count
        present = Chance(seed, "staff")
        self.staff = tuple(present.sample(house.staff, present.choice(CONSOLES)))
        self.desk_skews = [Skew() for _ in self.staff]
        self.desks = [self._desk(number) for number in range(len(self.staff))]
        self.keys = [sha256(f"key {n}".encode()).digest() for n in range(len(self.staff))]
        self.lost_keys: set[int] = set()
        self.consoles: list[Console | None] = [None] * len(self.staff)
        self.notify = Chance(seed, "notify")
        self.students_link = Link(Chance(seed, "students' link"))
        self.students = Students(
            house, self.students_link, self.node, Chance(seed, "students"), self._everybody
        )

    # --- time and story ------------------------------------------------------------------------

    def tell(self, who: str, what: str) -> None:
        self.story.append(f"{self._loop.time():9.3f}  {who:<10} {what}")

    @property
    def digest(self) -> str:
        """Stands for everything that happened."""
        return sha256("\n".join(self.story).encode()).hexdigest()

    def _clock(self, skew: Skew) -> Callable[[], datetime]:
        return lambda: START + timedelta(seconds=self._loop.time()) + skew.by

    def _failed(self, task: str, error: BaseException) -> None:
        self.book.errors.append(f"{task} ended with {type(error).__name__}: {error}")
        self.tell("!", self.book.errors[-1])

    # --- nodes ---------------------------------------------------------------------------------

    def _machine(self, number: int) -> Machine:
        folder = self.folder / f"node{number}"
        folder.mkdir()
        clock = self._clock(self.node_skews[number])
        return Machine(
            number, self.engine, folder, self.house, clock, self.trouble, self.build,
            self._tell_nodes,
        )  # fmt: skip

    def node(self, number: int) -> Node | None:
        """What runs on that machine now."""
        return self.nodes[number]

    def _tell_nodes(self, by: int) -> None:
        """One node tells the others that the ledger grew; that may be lost."""
        for number, node in enumerate(self.nodes):
            if node is not None and number != by and self.notify.happens(0.8):
                node.sync.wake()

    def start_node(self, number: int) -> None:
        if self._is_over:
            return
        self._generation += 1
        chance = Chance(self.seed, f"node {number}/{self._generation}")

        def ended() -> None:
            node.close()
            self.nodes[number] = None
            self.tell(f"node {number}", "died")
            self._loop.call_later(chance.uniform(0.5, 15.0), self.start_node, number)

        process = Process(f"node {number}", chance, on_end=ended, on_error=self._failed)
        node = Node(self.machines[number], chance, process)

        async def start() -> None:
            await node.sync.start()
            self.nodes[number] = node
            self.tell(f"node {number}", "started")

        process.spawn(start(), "start")

    def command(self, command: Command) -> None:
        """The system asks, at whichever node runs, one thing after the other."""
        self._commands.put_nowait(command)

    async def _ask_all(self) -> None:
        while True:
            await self._ask(await self._commands.get())

    async def _ask(self, command: Command) -> None:
        """Again, until it is answered."""
        while True:
            node = next((node for node in self.nodes if node is not None), None)
            if node is not None:
                asked = node.process.spawn(node.submit(command), "system")
                await asyncio.wait([asked])
                if not asked.cancelled() and asked.result() is not None:
                    return
            await asyncio.sleep(1.0)

    def new_key(self) -> str:
        return str(self._new_id())

    # --- consoles ------------------------------------------------------------------------------

    def _desk(self, number: int) -> Desk:
        folder = self.folder / f"console{number}"
        folder.mkdir()
        return Desk(
            number=number, person=self.staff[number], folder=folder,
            link=Link(Chance(self.seed, f"link {number}")), store=MemoryStore(),
            clock=self._clock(self.desk_skews[number]), house=self.house, nodes=self.node,
            build=self.build, book=self.book,
            tell=lambda what: self.tell(f"console {number}", what), rows={},
        )  # fmt: skip

    def start_console(self, number: int) -> None:
        """Unless it runs."""
        if self._is_over or self.consoles[number] is not None:
            return
        self._generation += 1
        chance = Chance(self.seed, f"console {number}/{self._generation}")

        def ended() -> None:
            console.close()
            self.consoles[number] = None
            self.tell(f"console {number}", "died")
            self._loop.call_later(chance.uniform(0.5, 20.0), self.start_console, number)

        process = Process(f"console {number}", chance, on_end=ended, on_error=self._failed)
        console = Console(self.desks[number], chance, process, self.keys[number])
        self.consoles[number] = console
        self.tell(f"console {number}", "started")
        console.start()

    def stop_console(self, number: int) -> None:
        """Whoever uses its machine otherwise ends the program; it is started again later."""
        console = self.consoles[number]
        if console is not None:
            console.process.die()

    # --- life ----------------------------------------------------------------------------------

    def open(self) -> None:
        self._everybody.spawn(self._ask_all(), "system")
        for number in range(len(self.machines)):
            self.start_node(number)
        for number in range(len(self.desks)):
            self.start_console(number)

    def calm_down(self) -> None:
        """Everything heals: the network, the machines; whoever died is started again."""
        self.tell("world", "the storm is over")
        self.trouble.rolled_back = self.trouble.answer_lost = 0.0
        for link in (self.students_link, *(desk.link for desk in self.desks)):
            link.heal()
        for runs in (*self.nodes, *self.consoles):
            if runs is not None:
                runs.process.spare()

    def size(self) -> int:
        with read_transaction(self.engine) as connection:
            return ledger.read_head(connection).size

    async def is_quiet(self) -> bool:
        """Whether there is nothing left to do for anybody who may do anything."""
        size = self.size()
        for number, console in enumerate(self.consoles):
            if console is None or console.outbox is None:
                done = console is not None and bool(console.unusable)
            elif number in self.book.disabled:
                done = console.is_paused or not await console.waiting()
            else:
                done = console.knows_all(size) and not await console.waiting()
            if not done:
                return False
        return True

    async def close(self) -> None:
        """The end of the world: every process dies for good."""
        self._is_over = True
        for runs in (*self.nodes, *self.consoles):
            if runs is not None:
                runs.process.die()
                await runs.process.gone()
        self._everybody.die()
        await self._everybody.gone()


def _nothing() -> None: ...
