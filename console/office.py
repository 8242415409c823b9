"""`Office`: joins a desk and the screens. What the officer does goes in, what happens comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from console.administering import Administering
from console.announcer import Announcer
from console.auditing import Auditing
from console.banners import BannerAction, Situation, banner_of
from console.commands import Commands
from console.decisions import DecisionBook, news
from console.entered import Entered
from console.models.pending import PendingModel
from console.ports import DeskPort
from console.runtime.dialogs import confirm, shown
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.theme_choice import ThemeChoice
from console.views.account import Account
from console.views.administration.page import Bench
from console.views.alarm import AlarmOverlay
from console.views.audit import AuditScreen
from console.views.pending import PendingScreen
from console.views.reject import RejectDialog
from console.views.settings import SettingsScreen, console_facts
from console.views.shell import Screen, Shell
from console.views.shortcuts import CommandPalette, ShortcutSheet
from core.client.connection import ConnectionState, ConnectionStatus
from core.client.errors import ClientError
from core.client.outbox import OutboxItem
from core.client.sender import SenderState
from core.client.witness import WitnessState, WitnessStatus
from core.domain.decisions import ReasonCode, Verdict
from core.domain.roles import Role
from core.protocol.messages import Device, DeviceState, EnrollmentRow

# While somebody runs through the rows with a key held down, nothing is fetched for each of them.
DETAIL_AFTER_SECONDS = 0.08
_ADMINISTRATION_KEY = "Ctrl+4"
_THEMES = (ThemeChoice.SYSTEM, ThemeChoice.LIGHT, ThemeChoice.DARK)


class Office(QObject):
    """One signed-in officer's window content; it is the desk's `DeskEvents`."""

    connect_wanted = Signal()
    sign_out_wanted = Signal()
    quit_wanted = Signal()
    theme_wanted = Signal(object)  # ThemeChoice
    code_wanted = Signal()  # the administrator has a one-time code for this console
    notify_wanted = Signal(bool)

    def __init__(
        self,
        theme: Theme,
        desk: DeskPort,
        *,
        window: QWidget,
        tasks: TaskRunner,
        clock: Callable[[], datetime],
        announcer: Announcer | None = None,
    ) -> None:
        super().__init__(window)
        entered = desk.entered
        self._theme = theme
        self._desk = desk
        self._window = window
        self._tasks = tasks
        self._clock = clock
        self._announcer = announcer
        self._book = DecisionBook()
        self._offline_since: datetime | None = None
        self._was_live = False
        self.connection = ConnectionState.CONNECTING
        self.witness: WitnessStatus | None = None
        self._sender = SenderState.IDLE
        self.model = PendingModel(clock, self)
        self.commands = Commands(self)
        self.pending = PendingScreen(
            theme,
            self.model,
            self.commands,
            clock=clock,
            me=entered.officer.id,
            threshold_cents=entered.workspace.threshold_cents,
        )
        self.account = Account(
            theme, desk.account, window=window, tasks=tasks, clock=clock, tell=self._say
        )
        self.audit = AuditScreen(
            theme,
            self.commands,
            clock=clock,
            is_pending=lambda enrollment: self.model.row(enrollment) is not None,
        )
        self.auditing = Auditing(
            theme, self.audit, desk.audit, tasks=tasks, clock=clock, window=window
        )
        self.settings = SettingsScreen(theme, console_facts(entered), self.account)
        self.administering = self._new_administering()
        self.shell = Shell(
            theme,
            (
                Screen("pending", "Pending", "inbox", "Ctrl+1", self.pending),
                Screen("audit", "Audit", "shield-check", "Ctrl+2", self.audit),
                Screen("settings", "Settings", "settings", "Ctrl+3", self.settings),
                *self.administering.screens(_ADMINISTRATION_KEY),
            ),
            workspace=entered.workspace.name,
            demo=entered.workspace.demo,
            officer=entered.officer.name,
            on_palette=self._open_palette,
            on_shortcuts=self._open_shortcuts,
        )
        self.alarm = AlarmOverlay(theme, self.shell)
        self._banner_actions: Mapping[BannerAction, Callable[[], object]] = MappingProxyType(
            {
                BannerAction.SIGN_IN: self.connect_wanted.emit,
                BannerAction.RETRY: desk.retry_now,
                BannerAction.ACCEPT_CONTACT: self._accept_first_contact,
                BannerAction.SHOW_FINGERPRINT: lambda: self.shell.open("settings"),
                BannerAction.ENTER_CODE: self.code_wanted.emit,
                BannerAction.ASK_AGAIN: self._ask_again,
                BannerAction.SHOW_REQUESTS: lambda: self.administering.show_requests(self.shell),
            }
        )
        self._add_commands()
        self._connect()
        self.settings.show_device(desk.enrollment.device.state)

    # --- the desk tells ---

    def rows_came(self, rows: tuple[EnrollmentRow, ...], *, snapshot: bool) -> None:
        if self._announcer is not None:
            self._announcer.rows_came(rows, snapshot=snapshot, held=self.model.row)
        self._take_rows(rows, snapshot=snapshot)

    def _take_rows(self, rows: tuple[EnrollmentRow, ...], *, snapshot: bool) -> None:
        self._book.settle(rows)
        self.model.set_overlays(self._book.overlays())
        self.pending.show_rows(rows, snapshot=snapshot)

    def connection_changed(self, status: ConnectionStatus) -> None:
        self.connection = status.state
        if status.state is ConnectionState.LIVE:
            self._offline_since, self._was_live = None, True
            self.auditing.connection_came_back()
        elif self._was_live and self._offline_since is None:
            self._offline_since = self._clock()
        self.shell.status.show_connection(status.state, status.message, self._offline_since)
        self.settings.show_connection(
            status.message or self.shell.status.connection.text.rstrip("…")
        )
        self._refresh_banner(status.message)
        self._refresh_outbox()

    def witness_changed(self, status: WitnessStatus) -> None:
        self.witness = status
        self.shell.status.show_witness(status)
        self.settings.show_witness(status)
        self.alarm.tell(status)
        self._refresh_banner("")

    def ledger_grew(self, size: int) -> None:
        self.auditing.ledger_grew(size)

    def decision_changed(self, item: OutboxItem) -> None:
        self._book.note(item)
        answered = item.answer.row if item.answer is not None else None
        if answered is not None:
            # The answer brings the row as it is now; the feed will say the same.
            self._take_rows((answered,), snapshot=False)
        self.model.set_overlays(self._book.overlays())
        self.pending.overlays_changed()
        self._refresh_outbox()
        told = news(item)
        if told is not None:
            self.shell.toasts.tell(told.kind, told.text)

    def sender_changed(self, state: SenderState) -> None:
        self._sender = state
        self._refresh_outbox()

    def device_changed(self, device: Device) -> None:
        """The backend tells another state of this console's key."""
        self.settings.show_device(device.state)
        self._refresh_banner("")
        if device.state is DeviceState.ENROLLED:
            self._say("ok", "This console is enrolled. What was held is being sent.")
        self.administering.news()

    def house_changed(self) -> None:
        """Users, devices, courses or the workspace changed."""
        self.administering.news()

    @property
    def entered(self) -> Entered:
        return self._desk.entered

    @property
    def waiting_to_send(self) -> int:
        return self._book.waiting

    # --- the officer does ---

    def approve(self, row: EnrollmentRow) -> None:
        """Approve a row as shown."""
        self._tasks.start("decide", self._decide(row, Verdict.APPROVE, None, None))

    def reject(self, row: EnrollmentRow) -> None:
        """Ask why, then reject the row as shown."""
        self._tasks.replace("reject", self._reject(row))

    def open_payment(self, enrollment: UUID) -> None:
        """Go to a payment of the pending list, whatever the filter says; it may be gone."""
        self.shell.open("pending")
        table = self.pending.table
        table.setFocus()
        if self.model.row(enrollment) is not None and not table.select_key(enrollment):
            self.pending.filter.clear()
            table.select_key(enrollment)

    async def _reject(self, row: EnrollmentRow) -> None:
        dialog = RejectDialog(self._theme, row, self._window)
        if await shown(dialog):
            await self._decide(row, Verdict.REJECT, dialog.reason, dialog.note)

    async def _decide(
        self, row: EnrollmentRow, verdict: Verdict, reason: ReasonCode | None, note: str | None
    ) -> None:
        self.pending.detail.remember_decided(row)
        try:
            await self._desk.decide(row, verdict, reason=reason, note=note)
        except ClientError as error:
            self.shell.toasts.tell("danger", str(error))
            return
        self.pending.go_on_after(row.enrollment)

    def _want_detail(self, enrollment: UUID) -> None:
        self._tasks.replace("detail", self._load_detail(enrollment))

    async def _load_detail(self, enrollment: UUID) -> None:
        await asyncio.sleep(DETAIL_AFTER_SECONDS)
        try:
            detail = await self._desk.detail(enrollment)
        except ClientError as error:
            self.pending.detail.tell_no_detail(f"History: {error}")
            return
        self.pending.show_detail(detail)

    # --- inside ---

    def _connect(self) -> None:
        self.pending.approve_wanted.connect(self.approve)
        self.pending.reject_wanted.connect(self.reject)
        self.pending.detail_wanted.connect(self._want_detail)
        self.audit.pending_wanted.connect(self.open_payment)
        self.settings.theme_wanted.connect(self.theme_wanted)
        self.settings.notify_wanted.connect(self.notify_wanted)
        self.settings.connect_wanted.connect(self.connect_wanted)
        self.settings.sign_out_wanted.connect(self.sign_out_wanted)
        self.settings.first_contact_accepted.connect(self._accept_first_contact)
        self.alarm.accept_wanted.connect(self._accept_alarm)
        self.administering.waiting_changed.connect(lambda: self._refresh_banner(""))

    # --- administration ---

    def _new_administering(self) -> Administering:
        """With a screen for administrators only."""
        desk = self._desk
        if Role.ADMINISTRATOR not in desk.entered.officer.roles:
            return Administering(None, self)
        bench = Bench(
            theme=self._theme,
            tasks=self._tasks,
            commands=self.commands,
            window=self._window,
            clock=self._clock,
            tell=self._say,
            port=desk.administration,
            me=desk.entered.officer.id,
        )
        return Administering(bench, self)

    def _ask_again(self) -> None:
        self._tasks.replace("ask again", self._ask_for_enrollment())

    async def _ask_for_enrollment(self) -> None:
        try:
            await self._desk.enrollment.ask_again()
        except ClientError as error:
            self._say("danger", str(error))

    def _say(self, kind: str, text: str) -> None:
        self.shell.toasts.tell(kind, text)

    def _add_commands(self) -> None:
        def add(
            name: str, text: str, run: Callable[[], object], *keys: str, group: str = "Window"
        ) -> None:
            self.commands.add(
                name, text, run, owner=self.shell, group=group, keys=keys, whole_window=True
            )

        shell = self.shell
        add("open pending", "Go to Pending", lambda: shell.open("pending"), "Ctrl+1", group="Go")
        add("open audit", "Go to Audit", lambda: shell.open("audit"), "Ctrl+2", group="Go")
        add(
            "open settings", "Go to Settings", lambda: shell.open("settings"),
            "Ctrl+3", "Ctrl+,", group="Go",
        )  # fmt: skip
        self.administering.add_commands(
            add, shell, shortcut=_ADMINISTRATION_KEY, enter_code=self.code_wanted.emit
        )
        add("palette", "All commands…", self._open_palette, "Ctrl+K")
        add("shortcuts", "Keyboard shortcuts…", self._open_shortcuts, "F1", "?")
        add("theme", "Next appearance: system, light, dark", self._next_theme, "Ctrl+Shift+L")
        add("retry", "Connect again now", self._desk.retry_now, "F5")
        add("connect", "Connect to a backend…", self.connect_wanted.emit)
        add("sign out", "Sign out", self.sign_out_wanted.emit)
        add("quit", "Quit", self.quit_wanted.emit, "Ctrl+Q")

    def _open_palette(self) -> None:
        self._tasks.replace("palette", self._palette())

    async def _palette(self) -> None:
        palette = CommandPalette(self._theme, self.commands, self._window)
        if await shown(palette) and palette.chosen is not None:
            self.commands.trigger(palette.chosen.name)

    def _open_shortcuts(self) -> None:
        self._tasks.replace("shortcuts", self._shortcuts())

    async def _shortcuts(self) -> None:
        await shown(ShortcutSheet(self._theme, self.commands, self._window))

    def _next_theme(self) -> None:
        place = _THEMES.index(self._theme.choice) + 1
        self.theme_wanted.emit(_THEMES[place % len(_THEMES)])

    def _accept_first_contact(self) -> None:
        self._tasks.start("first contact", self._desk.accept_first_contact())

    def _accept_alarm(self) -> None:
        self._tasks.replace("alarm", self._ask_about_alarm())

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

    def _refresh_banner(self, message: str) -> None:
        """Also stops all deciding while the ledger is in doubt."""
        witness_alarm = self.witness is not None and self.witness.state is WitnessState.ALARM
        in_doubt = witness_alarm or self.connection is ConnectionState.ALARM
        self.pending.setEnabled(not in_doubt)
        telling = banner_of(self._situation(message or self.shell.banner.text))
        if telling is None:
            self.shell.banner.hide()
            return
        self.shell.banner.tell(
            telling.kind,
            telling.text,
            action=telling.words,
            on_action=None if telling.action is None else self._banner_actions[telling.action],
        )

    def _situation(self, message: str) -> Situation:
        desk = self._desk
        return Situation(
            connection=self.connection,
            message=message,
            witness=self.witness,
            device=desk.enrollment.device.state,
            fingerprint=desk.entered.device.fingerprint,
            roles=frozenset(desk.entered.officer.roles),
            has_root=desk.enrollment.has_root,
            waiting=self.administering.waiting,
        )

    def _refresh_outbox(self) -> None:
        passing = {SenderState.IDLE, SenderState.SENDING}
        stuck = self._sender not in passing or self.connection is not ConnectionState.LIVE
        self.shell.status.show_outbox(self._book.waiting, stuck=stuck)
