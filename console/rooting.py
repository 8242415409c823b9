"""`Rooting`: an administrator with a one-time code makes this console's key a root."""

from __future__ import annotations

from collections.abc import Callable

from console.desk import Desk
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.views.main_window import MainWindow
from console.views.root_device import RootDevicePage
from core.client.errors import ClientError


class Rooting:
    """Asks for the code on a page of its own; `leave` is called when the person is through with it.

    `desk` gives the one that is open now, or None.
    """

    def __init__(
        self,
        theme: Theme,
        window: MainWindow,
        *,
        tasks: TaskRunner,
        desk: Callable[[], Desk | None],
        leave: Callable[[], object],
    ) -> None:
        self._window = window
        self._tasks = tasks
        self._desk = desk
        self._page = RootDevicePage(theme)
        self._page.wanted.connect(self._wanted)
        self._page.left.connect(leave)

    def ask(self) -> None:
        """Show the page, and the fingerprint that the code is for."""
        desk = self._desk()
        if desk is None:
            return
        self._page.prepare(
            fingerprint=desk.entered.device.fingerprint, others=desk.enrollment.has_root
        )
        self._window.show_page(self._page)

    def _wanted(self, code: str) -> None:
        self._tasks.replace("root", self._become_root(code))

    async def _become_root(self, code: str) -> None:
        desk = self._desk()
        if desk is None:
            return
        try:
            await desk.enrollment.become_root(code)
        except ClientError as error:
            self._page.tell_problem(str(error))
        else:
            self._page.tell_done()
