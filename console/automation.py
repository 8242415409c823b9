"""For tests and the demo only, off unless `--automation`: JSON lines in, JSON lines out.

Each line on standard input is one command, each gets one line back, in order. Commands do what keys
and clicks do, through the same actions, and nothing that a person could not do.

    {"do": "wait_row", "reference": "K7QM3XRA", "seconds": 10}
        -> {"ok": true, "painted_ns": ..}     when the row is painted; time.monotonic_ns()
    {"do": "wait_gone", "reference": .., "seconds": 10}   -> when it has left the painted list
    {"do": "select", "reference": ..}                     {"do": "approve"}
    {"do": "wait_detail", "seconds": 10}                  -> when the details are shown, too
    {"do": "reject", "reason": "no_payment_found", "note": ".."}
    {"do": "screenshot", "path": ..}                      {"do": "theme", "name": "light"}
    {"do": "size", "width": 1280, "height": 800}          {"do": "open", "screen": "settings"}
    {"do": "wait_live", "seconds": 60}                    {"do": "state"}          {"do": "quit"}

What cannot be done answers {"ok": false, "error": ".."}. `wait_row` scrolls the row into view if it
came in outside of it. References are in their plain form; `-` and spaces are ignored.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from uuid import UUID

from PySide6.QtWidgets import QWidget

from console.office import Office
from console.theme_choice import ThemeChoice
from console.views.main_window import MainWindow
from console.views.reject import RejectDialog
from core.client.connection import ConnectionState
from core.domain.decisions import ReasonCode
from core.domain.references import normalise

Answer = dict[str, Any]
_POLL_SECONDS = 0.005
_SECONDS = 30.0


class AutomationError(Exception):
    """A command that cannot be done; the message is the answer."""


class Driven(Protocol):
    """What is driven: `console.app.App`, as far as the commands need it."""

    @property
    def window(self) -> MainWindow: ...
    @property
    def office(self) -> Office | None:
        """None while nobody is signed in."""

    def choose_theme(self, choice: ThemeChoice) -> None: ...
    def quit(self) -> None: ...


class Automation:
    """Reads until standard input ends; that quits the console, as the lost driver cannot."""

    def __init__(self, app: Driven) -> None:
        self._app = app
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._commands: Mapping[str, Callable[[Answer], Awaitable[Answer]]] = {
            "wait_row": self._wait_row,
            "wait_gone": self._wait_gone,
            "wait_live": self._wait_live,
            "select": self._select,
            "wait_detail": self._wait_detail,
            "approve": self._approve,
            "reject": self._reject,
            "screenshot": self._screenshot,
            "theme": self._theme,
            "size": self._size,
            "open": self._open,
            "state": self._state,
        }

    async def run(self) -> None:
        """Take commands until `quit` or the end of the input."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(loop,), name="automation", daemon=True).start()
        while line := await self._lines.get():
            answer = await self._answer(line)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
            if answer.get("bye"):
                break
        self._app.quit()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        for line in sys.stdin:
            if line.strip():
                loop.call_soon_threadsafe(self._lines.put_nowait, line)
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._lines.put_nowait, "")

    async def _answer(self, line: str) -> Answer:
        try:
            command = json.loads(line)
            if command["do"] == "quit":
                return {"ok": True, "bye": True}
            return {"ok": True, **await self._commands[command["do"]](command)}
        except AutomationError as error:
            return {"ok": False, "error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            return {"ok": False, "error": f"not a command: {error!r}"}

    # --- commands ---

    async def _wait_row(self, command: Answer) -> Answer:
        office = await self._office(command)
        reference = normalise(command["reference"])
        painted = asyncio.get_running_loop().create_future()

        def look() -> None:
            key = office.model.find(reference)
            if key is not None and key in office.pending.table.visible_keys():
                if not painted.done():
                    painted.set_result(time.monotonic_ns())
            elif key is not None and office.model.row_of(key) is not None:
                row = office.model.row_of(key) or 0
                office.pending.table.scrollTo(office.model.index(row, 0))

        office.pending.table.painted.connect(look)
        office.pending.table.viewport().update()
        try:
            async with asyncio.timeout(_seconds(command)):
                return {"painted_ns": await painted}
        except TimeoutError:
            raise AutomationError(f"row {reference} was not painted") from None
        finally:
            office.pending.table.painted.disconnect(look)

    async def _wait_gone(self, command: Answer) -> Answer:
        office = await self._office(command)
        reference = normalise(command["reference"])
        await _until(lambda: office.model.find(reference) is None, command, "the row stayed")
        return {"gone_ns": time.monotonic_ns()}

    async def _wait_live(self, command: Answer) -> Answer:
        office = await self._office(command)

        def ready() -> bool:
            witness = office.witness
            verified = witness is not None and witness.verified_to is not None
            return office.connection is ConnectionState.LIVE and verified

        await _until(ready, command, "the console did not come live")
        return await self._state(command)

    async def _select(self, command: Answer) -> Answer:
        office = await self._office(command)
        office.pending.table.setFocus()
        if not office.pending.table.select_key(_key(office, command)):
            raise AutomationError("the row is filtered out")
        return {}

    async def _wait_detail(self, command: Answer) -> Answer:
        office = await self._office(command)
        detail = office.pending.detail
        await _until(lambda: not detail.is_loading, command, "the details did not come")
        return {}

    async def _approve(self, command: Answer) -> Answer:
        office = await self._office(command)
        pressed = time.monotonic_ns()
        if not office.commands.trigger("approve"):
            raise AutomationError("there is nothing to approve")
        return {"pressed_ns": pressed}

    async def _reject(self, command: Answer) -> Answer:
        office = await self._office(command)
        if not office.commands.trigger("reject"):
            raise AutomationError("there is nothing to reject")

        def dialog() -> RejectDialog | None:
            return self._app.window.findChild(RejectDialog)

        await _until(lambda: dialog() is not None, command, "the dialog did not open")
        opened = dialog()
        if opened is None:
            raise AutomationError("the dialog closed by itself")
        opened.fill(ReasonCode(command["reason"]), command.get("note", ""))
        pressed = time.monotonic_ns()
        opened.ok.click()
        return {"pressed_ns": pressed}

    async def _screenshot(self, command: Answer) -> Answer:
        target = self._app.window.grab()
        if not target.save(str(command["path"])):
            raise AutomationError(f"{command['path']} cannot be written")
        return {"width": target.width(), "height": target.height()}

    async def _theme(self, command: Answer) -> Answer:
        self._app.choose_theme(ThemeChoice(command["name"]))
        return {}

    async def _size(self, command: Answer) -> Answer:
        self._app.window.resize(int(command["width"]), int(command["height"]))
        return {}

    async def _open(self, command: Answer) -> Answer:
        office = await self._office(command)
        if not office.commands.trigger(f"open {command['screen']}"):
            raise AutomationError("this screen cannot be opened")
        if command["screen"] == "audit":
            await _until(lambda: not office.audit.is_loading, command, "the list did not come")
        return {}

    async def _state(self, _command: Answer) -> Answer:
        office = self._app.office
        if office is None:
            page: QWidget | None = self._app.window.page
            return {"connection": "none", "page": type(page).__name__}
        entered = office.entered
        return {
            "connection": office.connection.value,
            "verified_to": office.witness.verified_to if office.witness else None,
            "alarm": bool(office.witness and office.witness.alarm),
            "pending": office.model.count,
            "outbox_waiting": office.waiting_to_send,
            "backend_url": entered.address,
            "officer": entered.officer.name,
        }

    async def _office(self, command: Answer) -> Office:
        """The screens, once somebody is signed in."""
        await _until(lambda: self._app.office is not None, command, "nobody is signed in")
        if self._app.office is None:
            raise AutomationError("nobody is signed in")
        return self._app.office


def _key(office: Office, command: Answer) -> UUID:
    key = office.model.find(normalise(command["reference"]))
    if key is None:
        raise AutomationError("there is no such row")
    return key


def _seconds(command: Answer) -> float:
    return float(command.get("seconds", _SECONDS))


async def _until(condition: Callable[[], bool], command: Answer, failure: str) -> None:
    """Look again and again: this is the driver's patience, nothing of the console waits for it."""
    give_up = time.monotonic() + _seconds(command)
    while not condition():
        if time.monotonic() > give_up:
            raise AutomationError(failure)
        await asyncio.sleep(_POLL_SECONDS)
