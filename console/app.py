"""The composition root: builds everything, shows it, closes it in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from uuid_utils.compat import uuid7

from console.arguments import Arguments
from console.automation import Automation
from console.desk import Desk
from console.entered import Entered
from console.entering import Place, enter_backend, enter_demo, resume_backend
from console.keeping import SafeKeeping
from console.leaving import Leaving
from console.noticing import Noticing
from console.office import Office
from console.preferences import PreferenceFile
from console.rooting import Rooting
from console.runtime.crash import CrashReporter
from console.runtime.dialogs import shown
from console.runtime.tasks import TaskRunner
from console.runtime.work import in_thread
from console.theme import Theme
from console.theme_choice import ThemeChoice
from console.views.account import PasswordChangeDialog
from console.views.main_window import MainWindow
from console.views.passphrase import PassphraseAsker
from console.views.sign_in import SignInPage
from console.views.start import StartPage
from core.client.api_admin import AccountApi
from core.client.errors import AccountDisabledError, ClientError, EmbeddedError, SignInNeededError
from core.client.witness import Witness

Enter = Callable[[Place], Coroutine[Any, Any, tuple[Entered, Path]]]


def now() -> datetime:
    return datetime.now(UTC)


class App:
    """Everything of one run. `run` ends when the person quits, with the exit status."""

    def __init__(
        self,
        *,
        window: MainWindow,
        start: StartPage,
        theme: Theme,
        arguments: Arguments,
        preferences: PreferenceFile,
        crash: CrashReporter,
    ) -> None:
        self._window = window
        self._start = start
        self._theme = theme
        self._arguments = arguments
        self._preferences = preferences
        self._crash = crash
        self._tasks = TaskRunner(crash)
        self._keeping = SafeKeeping(
            arguments.data / "secrets.sealed",
            ask=PassphraseAsker(
                theme, window, start=lambda work: self._tasks.start("passphrase", work)
            ),
        )
        self._leaving = Leaving(window, self._keeping.queues)
        self._sign_in = SignInPage(theme)
        self._rooting = Rooting(
            theme, window, tasks=self._tasks, desk=lambda: self.desk, leave=self._back
        )
        self._noticing = Noticing(theme, window, preferences, office=lambda: self.office)
        self._quit = asyncio.Event()
        self._open: AsyncExitStack | None = None
        self.desk: Desk | None = None
        self.office: Office | None = None

    async def run(self) -> int:
        """Until somebody quits; then everything is closed in the reverse order of its opening."""
        self._window.close_wanted.connect(self._close_wanted)
        self._sign_in.wanted.connect(self._sign_in_wanted)
        self._sign_in.demo_wanted.connect(self._demo_wanted)
        self._sign_in.back_wanted.connect(self._back)
        self._noticing.start(quit_wanted=self._close_wanted)
        if self._arguments.automation:
            automation = Automation(self)
            self._tasks.start("automation", automation.run())
        self._begin()
        try:
            await self._quit.wait()
        finally:
            await self._tasks.close()
            await self._leave()
            await self._keeping.close()
            self._noticing.stop()
            self._window.end()
        return 0

    def quit(self) -> None:
        """End the run without asking."""
        self._quit.set()

    @property
    def window(self) -> MainWindow:
        return self._window

    def choose_theme(self, choice: ThemeChoice) -> None:
        """Change the look and remember it."""
        self._theme.choose(choice)
        self._tasks.start("preferences", self._keep(theme=choice))

    def choose_notify(self, on: bool) -> None:  # noqa: FBT001 - a signal's argument
        """Tell of new payments, or do not, and remember it."""
        self._tasks.start("preferences", self._keep(notify=on))

    # --- coming in ---

    def _begin(self) -> None:
        address = self._arguments.backend or self._preferences.current.backend
        if address:
            self._resume(address)
        else:
            self._enter_demo()

    def _resume(self, address: str) -> None:
        self._enter(
            lambda place: resume_backend(place, address),
            lambda: self._resume(address),
            words="Reaching the backend…",
        )

    def _come_in_again(self) -> None:
        """With this console's new key: everything stands on it."""
        if self.desk is None:
            return
        if self.desk.entered.embedded:
            self._enter_demo()
        else:
            self._resume(self.desk.entered.address)

    def _demo_wanted(self) -> None:
        self._tasks.replace("demo", self._go_to_demo())

    async def _go_to_demo(self) -> None:
        if await self._leaving.may_go_to("", self.desk):
            self._enter_demo()

    def _enter_demo(self) -> None:
        self._tasks.start("preferences", self._keep(backend=""))
        self._enter(
            lambda place: enter_demo(place, tell=self._start.tell, on_exit=self._child_ended),
            self._enter_demo,
        )

    def _enter(self, enter: Enter, again: Callable[[], None], *, words: str = "Starting…") -> None:
        self._start.tell(words)
        self._window.show_page(self._start)
        self._tasks.replace("enter", self._try_to_enter(enter, again))

    async def _try_to_enter(self, enter: Enter, again: Callable[[], None]) -> None:
        try:
            await self._open_desk(enter)
        except SignInNeededError as error:
            await self._leave()
            await self._ask_to_sign_in()
            if isinstance(error, AccountDisabledError):
                self._sign_in.tell_problem("You are not signed in", str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, the person needs a way out
            if not isinstance(error, ClientError):
                self._crash(error, "starting")
            details = error.details if isinstance(error, EmbeddedError) else ""
            await self._leave()
            self._start.fail(
                "Bursar could not start", str(error), details,
                again=again, connect=self._connect_wanted,
            )  # fmt: skip

    def _sign_in_wanted(self, address: str, email: str, password: str) -> None:
        self._tasks.replace("enter", self._try_password(address, email, password))

    async def _try_password(self, address: str, email: str, password: str) -> None:
        if not await self._leaving.may_go_to(address, self.desk):
            self._sign_in.set_busy(busy=False)
            return
        try:
            await self._open_desk(
                lambda place: enter_backend(place, address, email=email, password=password)
            )
        except ClientError as error:
            await self._leave()
            self._window.show_page(self._sign_in)
            self._sign_in.tell_problem("You are not signed in", str(error))
            return
        self._sign_in.set_busy(busy=False)
        await self._keep(backend=address)

    async def _open_desk(self, enter: Enter) -> None:
        """Raises ClientError; what was opened by then is closed by `_leave`."""
        await self._leave()
        self._open = stack = AsyncExitStack()
        place = Place(
            folder=self._arguments.data,
            stack=stack,
            new_id=uuid7,
            keeping=self._keeping,
            new_password=self._ask_for_password,
        )
        entered, files = await enter(place)
        desk = Desk(entered, report=self._trouble, now=now, new_id=uuid7)
        stack.push_async_callback(desk.close)
        witness = await Witness.open(
            files / "witness.json",
            source=entered.api,
            on_change=desk.witness_moved,
            now=now,
        )
        # What an office has begun ends with it, before its windows go.
        tasks = TaskRunner(self._crash)
        stack.push_async_callback(tasks.close)
        office = self._new_office(desk, tasks)
        await desk.start(office, witness)
        self.desk, self.office = desk, office
        self._window.setWindowTitle(f"{entered.workspace.name} — Bursar")
        self._window.show_page(office.shell)
        office.shell.open("pending")
        office.pending.table.setFocus()
        if desk.enrollment.can_become_root and not desk.enrollment.has_root:
            self._rooting.ask()

    def _trouble(self, error: BaseException, name: str) -> None:
        """A part of the desk ended. What was to be expected is told in place, all else is a bug."""
        if isinstance(error, ClientError) and self.office is not None:
            self.office.shell.toasts.tell("danger", str(error))
        else:
            self._crash(error, name)

    def _new_office(self, desk: Desk, tasks: TaskRunner) -> Office:
        office = Office(
            self._theme,
            desk,
            window=self._window,
            tasks=tasks,
            clock=now,
            announcer=self._noticing.new_announcer(),
        )
        office.settings.show_notifications(
            on=self._preferences.current.notify, possible=self._noticing.is_possible
        )
        office.notify_wanted.connect(self.choose_notify)
        office.connect_wanted.connect(self._connect_wanted)
        office.code_wanted.connect(self._rooting.ask)
        office.key_renewed.connect(self._come_in_again)
        office.sign_out_wanted.connect(self._sign_out_wanted)
        office.quit_wanted.connect(self._close_wanted)
        office.theme_wanted.connect(self.choose_theme)
        return office

    async def _ask_for_password(self, port: AccountApi, known: str) -> bool:
        dialog = PasswordChangeDialog(
            self._theme,
            self._window,
            port=port,
            start=lambda work: self._tasks.start("password", work),
            must=True,
            known=known,
        )
        return await shown(dialog)

    # --- going out ---

    async def _leave(self) -> None:
        """Close desk, connections, files and child, and take their window content away."""
        office, self.office, self.desk = self.office, None, None
        stack, self._open = self._open, None
        if stack is not None:
            await stack.aclose()
        if office is not None:
            self._window.show_page(self._start)
            self._window.drop_page(office.shell)
            office.deleteLater()

    def _connect_wanted(self) -> None:
        self._tasks.replace("enter", self._ask_to_sign_in())

    async def _ask_to_sign_in(self) -> None:
        address = self._arguments.backend or self._preferences.current.backend
        self._sign_in.set_busy(busy=False)
        self._sign_in.prepare(
            address=address,
            keyring=await self._keeping.outlook(),
            can_go_back=self.office is not None,
        )
        self._window.show_page(self._sign_in)

    def _back(self) -> None:
        if self.office is not None:
            self._window.show_page(self.office.shell)
            self.office.pending.table.setFocus()
        else:  # it was closed for a sign-in that failed: there is a way back all the same
            self._begin()

    def _sign_out_wanted(self) -> None:
        self._tasks.replace("enter", self._sign_out())

    async def _sign_out(self) -> None:
        if not await self._leaving.may_sign_out(self.desk):
            return
        if self.desk is not None:
            try:
                await self.desk.sign_out()
            except ClientError as error:
                if self.office is not None:
                    self.office.shell.toasts.tell("warn", str(error))
        await self._leave()
        await self._ask_to_sign_in()

    def _close_wanted(self) -> None:
        self._tasks.replace("close", self._close())

    async def _close(self) -> None:
        if await self._leaving.may_close(self.desk):
            self.quit()

    def _child_ended(self, code: int) -> None:
        self._tasks.replace("enter", self._tell_child_ended(code))

    async def _tell_child_ended(self, code: int) -> None:
        await self._leave()
        self._window.show_page(self._start)
        self._start.fail(
            "The demo workspace stopped",
            "Its backend ended by itself. Nothing that was decided is lost.",
            f"exit status {code}",
            again=self._enter_demo,
            connect=self._connect_wanted,
        )

    async def _keep(
        self,
        *,
        theme: ThemeChoice | None = None,
        backend: str | None = None,
        notify: bool | None = None,
    ) -> None:
        await in_thread(self._preferences.change, theme=theme, backend=backend, notify=notify)
