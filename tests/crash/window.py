"""The console as it is, in its window, with an officer at its keys who works by himself.

Arguments: email, password, seed, then those of the console. Commands and events: see `telling.py`;
the console's own automation commands work too, {"do": "stalls"} of the watched console, and

    {"do": "decide_all"} -> {"count": ..}   approve every row of the list, without a key for each
    {"do": "retry"}                         F5
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import QApplication

from console import __main__ as program
from console import app, automation
from console.office import Office
from core.client.connection import ConnectionState, ConnectionStatus
from core.client.errors import ClientError
from core.client.outbox import OutboxItem
from core.domain.decisions import Verdict
from tests.benchmarks.processes import Answer, say
from tests.benchmarks.watched_console import WatchedApplication
from tests.crash import telling

_LOOK_SECONDS = 0.05
_DIALOG_SECONDS = 5.0


class TellingOffice(Office):
    """Says aloud what it is told."""

    def decisions_changed(self, items: Sequence[OutboxItem]) -> None:
        super().decisions_changed(items)
        for item in items:
            telling.tell_item(item)

    def connection_changed(self, status: ConnectionStatus) -> None:
        first = not self._was_live
        super().connection_changed(status)
        if first and self._was_live:
            say(event="live")


class Person(automation.Automation):
    """Works until told to rest; types the password where it is asked for."""

    _app: app.App  # all of it: also the sign-in page and the desk
    email = ""
    password = ""
    seed = ""

    def __init__(self, wanted: app.App) -> None:
        super().__init__(wanted)
        self._chance = random.Random(self.seed)
        self._working = asyncio.Event()
        application = QApplication.instance()
        assert isinstance(application, WatchedApplication)
        self._commands = {
            **self._commands,
            "work": self._work,
            "rest": self._rest,
            "standing": self._where,
            "rows": self._rows,
            "items": self._items,
            "decide_all": self._decide_all,
            "retry": self._retry,
            "stalls": application.watch.ask,
        }

    async def run(self) -> None:
        helpers = [asyncio.create_task(self._act()), asyncio.create_task(self._sign_in())]
        try:
            await super().run()
        finally:
            for task in helpers:
                task.cancel()

    async def _sign_in(self) -> None:
        """Whenever it is asked for, and where the banner says that it is needed."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            page, office = self._app._sign_in, self._app.office
            if self._app.window.page is page and page.submit.isEnabled():
                say(event="signed_in_again")
                page.email.setText(self.email)
                page.password.setText(self.password)
                page.submit.click()
            elif office is not None and office.connection is ConnectionState.SIGNED_OUT:
                office.connect_wanted.emit()

    async def _act(self) -> None:
        while True:
            await self._working.wait()
            await asyncio.sleep(self._chance.uniform(0.0, telling.PAUSE_SECONDS))
            office = self._app.office
            if office is not None and self._select_any(office):
                await self._decide(office)

    def _select_any(self, office: Office) -> bool:
        count = office.model.count
        key = office.model.key_at(self._chance.randrange(count)) if count else None
        return key is not None and office.pending.table.select_key(key)

    async def _decide(self, office: Office) -> None:
        if self._chance.random() >= telling.REJECTED_SHARE:
            office.commands.trigger("approve")
            return
        try:
            await self._reject({"reason": telling.REASON.value, "seconds": _DIALOG_SECONDS})
        except automation.AutomationError:
            return  # its own decision is on its way already

    # --- commands ----------------------------------------------------------------------------

    async def _work(self, _command: Answer) -> Answer:
        self._working.set()
        return {}

    async def _rest(self, _command: Answer) -> Answer:
        self._working.clear()
        return {}

    async def _retry(self, command: Answer) -> Answer:
        (await self._office(command)).commands.trigger("retry")
        return {}

    async def _decide_all(self, command: Answer) -> Answer:
        office = await self._office(command)
        keys = [office.model.key_at(row) for row in range(office.model.count)]
        rows = [row for key in keys if key and (row := office.model.row(key))]
        desk = self._app.desk
        assert desk is not None
        for row in rows:
            await desk.decide(row, Verdict.APPROVE)
        return {"count": len(rows)}

    async def _where(self, _command: Answer) -> Answer:
        office = self._app.office
        if office is None:
            return dict(telling.NOWHERE)
        entered, live = office.entered, office.connection is ConnectionState.LIVE
        return await _asked(
            telling.standing_of(
                entered.outbox, entered.officer.id, live=live, witness=office.witness
            )
        )

    async def _items(self, command: Answer) -> Answer:
        entered = (await self._office(command)).entered
        return await _asked(telling.items_of(entered.outbox, entered.officer.id))

    async def _rows(self, command: Answer) -> Answer:
        model = (await self._office(command)).model
        keys = [model.key_at(row) for row in range(model.count)]
        return telling.rows_of(row for key in keys if key and (row := model.row(key)))


async def _asked(answer: Any) -> Answer:
    try:
        return dict(await answer)
    except ClientError as error:
        raise automation.AutomationError(str(error)) from error


if __name__ == "__main__":
    Person.email, Person.password, Person.seed = sys.argv[1:4]
    vars(program)["QApplication"] = WatchedApplication  # the product's own, watched
    vars(app)["Office"] = TellingOffice  # as above
    vars(app)["Automation"] = Person  # as above
    sys.exit(program.main(sys.argv[4:]))
