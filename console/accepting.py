"""`Accepting`: what a person takes on trust, after comparing or after being told why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtWidgets import QWidget

from console.runtime.dialogs import confirm
from console.runtime.tasks import TaskRunner
from core.client.errors import ClientError


class AskingPort(Protocol):
    """This console's key."""

    async def ask_again(self) -> None: ...

    async def make_new_key(self) -> None: ...


class TrustPort(Protocol):
    """A desk is one."""

    @property
    def enrollment(self) -> AskingPort: ...

    async def accept_first_contact(self) -> None: ...

    async def accept_alarm(self) -> None: ...


class Accepting:
    """The backend's ledger at first contact, or another one after an alarm; and asking the other
    way round: that this console's key is trusted."""

    def __init__(
        self,
        desk: TrustPort,
        *,
        window: QWidget,
        tasks: TaskRunner,
        tell: Callable[[str, str], None],
        renewed: Callable[[], None],
    ) -> None:
        """`renewed` is called when this console has a fresh key, to come in with it."""
        self._desk = desk
        self._window = window
        self._tasks = tasks
        self._tell = tell
        self._renewed = renewed

    def first_contact(self) -> None:
        self._tasks.start("first contact", self._desk.accept_first_contact())

    def alarm(self) -> None:
        self._tasks.replace("alarm", self._ask_about_alarm())

    def ask_again(self) -> None:
        """This console was refused: ask an administrator once more."""
        self._tasks.replace("ask again", self._ask_for_enrollment())

    def new_key(self) -> None:
        """This console's key was revoked: ask an administrator about a fresh one."""
        self._tasks.replace("new key", self._make_new_key())

    async def _ask_about_alarm(self) -> None:
        agreed = await confirm(
            self._window,
            title="Take this ledger anyway?",
            text="This console forgets what it had verified and takes what the backend shows now"
            " as a new first contact. Do this only after your administrator told you why. The"
            " evidence stays on this computer.",
            yes="Take this ledger",
            danger=True,
        )
        if agreed:
            await self._desk.accept_alarm()

    async def _ask_for_enrollment(self) -> None:
        try:
            await self._desk.enrollment.ask_again()
        except ClientError as error:
            self._tell("danger", str(error))

    async def _make_new_key(self) -> None:
        agreed = await confirm(
            self._window,
            title="Make a new key for this console?",
            text="The old key signs nothing more. What still waits under it is sent and ends"
            " refused: you see it in the Outbox, and can decide it anew. The new key asks an"
            " administrator to enroll it, and what you decide until then is held.",
            yes="Make a new key",
            no="Not now",
        )
        if not agreed:
            return
        try:
            await self._desk.enrollment.make_new_key()
        except ClientError as error:
            self._tell("danger", str(error))
        else:
            self._renewed()
