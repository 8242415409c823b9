"""A process with our real backend that is called back, told what to do by JSON lines.

    {"do": "start", "links": 20} -> {"port": .., "links": [[link, attempt], ..]}: so many open links
    {"do": "receive", "count": 9} -> {"seconds": ..}: so many given to the handler, 32 in flight
    {"do": "count"}              -> {"kept": .., "tried": ..}: callbacks on the disk, and tried,
                                    as soon as one was

The provider takes its time to answer, as one elsewhere does. Arguments: as
`tests/benchmarks/host.py`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from core.backend.gateway.provider import LinkStatus
from core.backend.services.container import Services, build
from core.backend.storage import payments
from core.backend.storage.tables import webhook_deliveries
from core.backend.web.app import create_app
from core.backend.web.server import Server, bind, make_config
from core.domain.enrollment import PaymentMethod
from core.protocol.messages import SignUp
from tests.backend.webhooks.letters import KEYS, failures, signed
from tests.benchmarks.host import IN_FLIGHT, Commands, obey
from tests.benchmarks.processes import Answer
from tests.support.card_provider import ScriptedProvider
from tests.support.live_template import PASSWORD, Template, live_config, make_template

_PROVIDER_SECONDS = 0.2


class DistantProvider(ScriptedProvider):
    """Answers from memory, some time later."""

    async def link_status(self, link_id: str) -> LinkStatus:
        await asyncio.sleep(_PROVIDER_SECONDS)
        return await super().link_status(link_id)


class CalledHost:
    """One backend, and students who want to pay by card."""

    def __init__(self, services: Services, template: Template) -> None:
        self._services = services
        self._course = template.courses[0].id
        self._rounds = 0
        self.commands: Commands = {
            "start": self._start,
            "receive": self._receive,
            "count": self._count,
        }

    async def _start(self, command: Answer) -> Answer:
        for number in range(command["links"]):
            await self._enroll(f"student{number}@mail.example")
        links = await self._services.reader.run(lambda c: payments.read_link_page(c, None, 1000))
        return {"links": [[link.link_id, str(link.attempt)] for link in links]}

    async def _enroll(self, email: str) -> None:
        body = SignUp(name="A Student", email=email, password=PASSWORD)
        session = await self._services.accounts.student_sign_up(body, address=email)
        await self._services.orchestrator.enroll(
            session.identity, self._course, PaymentMethod.CARD, key=str(uuid7())
        )

    async def _receive(self, command: Answer) -> Answer:
        handler = self._services.webhooks
        assert handler is not None
        self._rounds += 1
        links = await self._services.reader.run(lambda c: payments.read_link_page(c, None, 1000))
        known = [(link.link_id or "", str(link.attempt)) for link in links]
        bodies = islice(failures(known, f"h{self._rounds}-"), command["count"])
        todo = [(body, signed(body)) for body in bodies]

        async def work() -> None:
            while todo:
                body, headers = todo.pop()
                sign, app_id = headers["ik-sign"], headers["ik-appid"]
                await handler.receive(body, signature=sign, app_id=app_id, address="")

        start = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        return {"seconds": time.perf_counter() - start}

    async def _count(self, _command: Answer) -> Answer:
        everything = select(func.count(), func.count().filter(webhook_deliveries.c.outcome != ""))
        query = everything.select_from(webhook_deliveries)
        kept, tried = 0, 0
        while not tried:  # the first answers take their time
            row = await self._services.reader.run(lambda c: c.execute(query).one())
            kept, tried = row[0], row[1]
            await asyncio.sleep(_PROVIDER_SECONDS)
        return {"kept": kept, "tried": tried}


async def _serve(folder: Path, template: Template) -> None:
    bound = bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    config = live_config(folder, url=f"http://127.0.0.1:{port}")
    services = build(replace(config, card_provider=DistantProvider(), callback_keys=KEYS))
    ready = asyncio.Event()
    server = Server(make_config(create_app(services)), ready.set)
    host = CalledHost(services, template)
    obeying = asyncio.create_task(obey(host.commands, server, ready, port))
    await server.serve([bound])
    await obeying


if __name__ == "__main__":
    home = Path(sys.argv[1])
    asyncio.run(_serve(home, make_template(home, *sys.argv[2:])))
