"""A process with our real backend under our real server, told what to do by JSON lines.

    {"do": "start", "courses": 5, "pupils": 200, "places": 1000}
        -> {"port": .., "token": .., "epoch": .., "next": ..}    the token is an officer's
    {"do": "event"}     -> {"woken_ns": .., "text": ..}: one claim; when the follower was woken
    {"do": "sign", "count": 9}   -> {"bodies": [..], "token": ..}: so many claims made, and their
                           approvals signed, as bodies to post with this token
    {"do": "write", "count": 9}  -> {"seconds": ..}: the same given to the writer, 32 in flight
    {"do": "settle"}    -> {}: after a collection of garbage, for a fair look at the memory

Arguments: an empty folder for its data and, if it is not to use a file there, the address of an
empty database.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from uuid_utils.compat import uuid7

from core.backend.services.commands import DecideCommand
from core.backend.services.container import Services, build
from core.backend.services.preparing import prepare
from core.backend.storage import ledger
from core.backend.web.app import create_app
from core.backend.web.server import Server, bind, make_config
from core.domain.roles import Role
from core.ledger.keys import SigningKey
from core.protocol.messages import AnswerKind, DecisionBatch, EntryMessage, Session
from tests.benchmarks.processes import Answer, on_commands, say
from tests.benchmarks.school import Place, add_courses, add_pupils, enroll, submit, waiting_rows
from tests.support.live_people import LiveDevice
from tests.support.live_template import Template, enroll_device, live_config, make_template, sign_in

IN_FLIGHT = 32


class Host:
    """One backend and the people who use it."""

    def __init__(self, services: Services, template: Template) -> None:
        self.services = services
        self._template = template
        self._places: list[Place] = []
        self._woken_ns = 0
        self._wake = services.sync.wake
        services.writer.on_commit = self._committed
        self.commands: Commands = {
            "start": self._start,
            "event": self._event,
            "sign": self._sign,
            "write": self._write,
            "settle": self._settle,
        }

    def _committed(self, size: int) -> None:
        self._woken_ns = time.monotonic_ns()
        self._wake(size)

    async def _start(self, command: Answer) -> Answer:
        services = self.services
        courses = await add_courses(services, command["courses"])
        people = await add_pupils(services, command["pupils"])
        self._places = await enroll(services, people, courses, command["places"])
        session = await self._session(Role.OFFICER)
        head = await services.reader.run(ledger.read_head)
        return {"token": session.access_token, "epoch": str(head.epoch), "next": head.size}

    async def _event(self, _command: Answer) -> Answer:
        place = self._places.pop()
        await submit(self.services, [place])
        head = await self.services.reader.run(ledger.read_head)
        (text,) = await self.services.sync.entry_messages(head.size - 1, head.size)
        message = EntryMessage.model_validate_json(text)
        return {"woken_ns": self._woken_ns, "text": text.decode(), "index": message.index}

    async def _sign(self, command: Answer) -> Answer:
        device, batches = await self._decisions(command["count"])
        bodies = [batch.model_dump_json() for batch in batches]
        return {"bodies": bodies, "token": device.session.access_token}

    async def _write(self, command: Answer) -> Answer:
        """Signatures are checked before the clock starts: readers do that, beside the writer."""
        device, batches = await self._decisions(command["count"])
        services = self.services
        officer = await services.accounts.staff_identity(device.session.access_token)
        prepared = await services.reader.run(
            lambda c: [prepare(c, services.vault, officer, batch) for batch in batches]
        )
        todo = [item for some in prepared for item in some if isinstance(item, DecideCommand)]
        assert len(todo) == command["count"]

        async def work() -> None:
            while todo:
                outcome = await services.writer.submit(todo.pop())
                assert outcome.answer.kind is AnswerKind.ACCEPTED, outcome.answer

        start = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        return {"seconds": time.perf_counter() - start}

    async def _decisions(self, count: int) -> tuple[LiveDevice, list[DecisionBatch]]:
        """New claims, and a signed approval of each."""
        some, self._places = self._places[:count], self._places[count:]
        await submit(self.services, some)
        device = await self.device()
        head = await self.services.reader.run(ledger.read_head)
        rows = await waiting_rows(self.services)
        signed = [device.decision(row, as_of=head.size - 1) for row in rows]
        return device, [DecisionBatch(items=(decision,)) for decision in signed]

    async def _settle(self, _command: Answer) -> Answer:
        gc.collect()
        return {}

    async def _session(self, role: Role) -> Session:
        return await sign_in(self.services, self._template.staff[role][0])

    async def device(self) -> LiveDevice:
        """An officer's, enrolled."""
        owner = await self._session(Role.OFFICER)
        device = LiveDevice(uuid7(), owner, SigningKey(uuid7().bytes * 2))
        await enroll_device(
            self.services,
            owner=owner,
            device=device.id,
            key=device.key,
            by_device=self._template.root_device,
            by_key=self._template.root_key,
            administrator=await self._session(Role.ADMINISTRATOR),
        )
        return device


Commands = Mapping[str, Callable[[Answer], Awaitable[Answer]]]


async def obey(commands: Commands, server: Server, ready: asyncio.Event, port: int) -> None:
    """Answer commands until there are no more."""
    loop = asyncio.get_running_loop()
    given: asyncio.Queue[Answer | None] = asyncio.Queue()
    on_commands(lambda command: loop.call_soon_threadsafe(given.put_nowait, command))
    await ready.wait()
    while (command := await given.get()) is not None:
        say(port=port, **await commands[command["do"]](command))
    server.leave()


async def _serve(folder: Path, template: Template) -> None:
    bound = bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    services = build(live_config(folder, url=f"http://127.0.0.1:{port}"))
    ready = asyncio.Event()
    server = Server(make_config(create_app(services)), ready.set)
    host = Host(services, template)
    obeying = asyncio.create_task(obey(host.commands, server, ready, port))
    await server.serve([bound])
    await obeying


if __name__ == "__main__":
    home = Path(sys.argv[1])
    asyncio.run(_serve(home, make_template(home, *sys.argv[2:])))
