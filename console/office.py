"""`Office`: joins a desk and the screens. What the officer does goes in, what happens comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from console.accepting import Accepting
from console.administering import Administering
from console.again import Again
from console.announcer import Announcer
from console.auditing import Auditing
from console.bannering import Bannering
from console.banners import BannerAction
from console.commands import Commands
from console.deciding import Deciding
from console.decisions import DecisionBook, news_of
from console.entered import Entered
from console.models.outbox import OutboxModel
from console.models.pending import PendingModel
from console.outboxing import Outboxing
from console.paying import Paying
from console.ports import DeskPort
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.views.account import Account
from console.views.administration.page import Bench
from console.views.alarm import AlarmOverlay
from console.views.audit import AuditScreen
from console.views.outbox import OutboxScreen
from console.views.payments.bench import PayBench
from console.views.payments.figures import Figures
from console.views.pending import PendingScreen
from console.views.settings import SettingsScreen, console_facts
from console.views.shell import Screen, Shell
from console.window_tools import WindowTools
from console.words import whole
from core.client.connection import ConnectionState, ConnectionStatus
from core.client.outbox import OutboxItem
from core.client.sender import SenderState
from core.client.witness import WitnessState, WitnessStatus
from core.domain.roles import Role
from core.protocol.messages import Device, DeviceState, EnrollmentRow

_ADMINISTRATION_KEY = "Ctrl+6"


class Office(QObject):
    """One signed-in officer's window content; it is the desk's `DeskEvents`."""

    connect_wanted = Signal()
    sign_out_wanted = Signal()
    quit_wanted = Signal()
    theme_wanted = Signal(object)  # ThemeChoice
    code_wanted = Signal()  # the administrator has a one-time code for this console
    notify_wanted = Signal(bool)
    key_renewed = Signal()  # to come in with it

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
        outbox = OutboxModel(clock, self, device=entered.device.id)
        self.outbox = OutboxScreen(theme, outbox, self.commands, clock=clock)
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
        self.paying = self._new_paying()
        self.settings = SettingsScreen(theme, console_facts(entered), self.account)
        self.administering = self._new_administering()
        self._tools = WindowTools(
            theme, self.commands, window=window, tasks=tasks, choose=self.theme_wanted.emit
        )
        self.shell = Shell(
            theme,
            (
                Screen("pending", "Pending", "inbox", "Ctrl+1", self.pending),
                Screen("outbox", "Outbox", "send", "Ctrl+2", self.outbox),
                Screen("payments", "Payments", "credit-card", "Ctrl+3", self.paying.screen),
                Screen("audit", "Audit", "shield-check", "Ctrl+4", self.audit),
                Screen("settings", "Settings", "settings", "Ctrl+5", self.settings),
                *self.administering.screens(_ADMINISTRATION_KEY),
            ),
            workspace=entered.workspace.name,
            demo=entered.workspace.demo,
            officer=entered.officer.name,
            on_palette=self._tools.open_palette,
            on_shortcuts=self._tools.open_shortcuts,
        )
        self.deciding = Deciding(
            theme, self.pending, desk, tasks=tasks, window=window, tell=self._say
        )
        self.again = Again(
            theme,
            desk,
            window=window,
            tasks=tasks,
            tell=self._say,
            row_of=self.model.row,
            clock=clock,
        )
        self.outboxing = Outboxing(
            self.outbox,
            desk,
            tasks=tasks,
            clock=clock,
            window=window,
            tell=self._say,
            again=self.again.open,
            look=self.open_payment,
        )
        self._accepting = Accepting(
            desk, window=window, tasks=tasks, tell=self._say, renewed=self.key_renewed.emit
        )
        self.alarm = AlarmOverlay(theme, self.shell)
        self._bannering = Bannering(
            self.shell.banner,
            desk,
            clock=clock,
            actions={
                BannerAction.SIGN_IN: self.connect_wanted.emit,
                BannerAction.RETRY: desk.retry_now,
                BannerAction.ACCEPT_CONTACT: self._accepting.first_contact,
                BannerAction.SHOW_FINGERPRINT: lambda: self.shell.open("settings"),
                BannerAction.ENTER_CODE: self.code_wanted.emit,
                BannerAction.ASK_AGAIN: self._accepting.ask_again,
                BannerAction.NEW_KEY: self._accepting.new_key,
                BannerAction.SHOW_REQUESTS: lambda: self.administering.show_requests(self.shell),
                BannerAction.SHOW_OUTBOX: lambda: self.shell.open("outbox"),
            },
        )
        self._add_commands()
        self._connect()
        self.outbox.notices.show_elsewhere(entered.elsewhere)
        self.settings.show_device(desk.enrollment.device.state)

    # --- the desk tells ---

    def rows_came(self, rows: tuple[EnrollmentRow, ...], *, snapshot: bool) -> None:
        if self._announcer is not None:
            self._announcer.rows_came(rows, snapshot=snapshot, held=self.model.row)
        self._take_rows(rows, snapshot=snapshot)

    def _take_rows(self, rows: tuple[EnrollmentRow, ...], *, snapshot: bool) -> None:
        self._book.settle(rows)
        self._lay_over()
        self.pending.show_rows(rows, snapshot=snapshot)

    def _lay_over(self) -> None:
        self.model.set_overlays(self._book.overlays(), self._book.take_changed())

    def connection_changed(self, status: ConnectionStatus) -> None:
        self.connection = status.state
        self.paying.connection_changed(live=status.state is ConnectionState.LIVE)
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

    def list_as_of(self, at: datetime | None) -> None:
        """The pending list stands as it was then (UTC), nothing newer comes; None: it is live."""
        self._bannering.as_of = at
        self._refresh_banner("")

    def witness_changed(self, status: WitnessStatus) -> None:
        self.witness = status
        self.shell.status.show_witness(status)
        self.settings.show_witness(status)
        self.alarm.tell(status)
        self._refresh_banner("")

    def ledger_grew(self, size: int) -> None:
        self.auditing.ledger_grew(size)

    def decisions_changed(self, items: Sequence[OutboxItem]) -> None:
        for item in items:
            self._book.note(item)
        # An answer brings the row as it is now; the feed will say the same.
        answered = tuple(item.answer.row for item in items if item.answer and item.answer.row)
        if answered:
            self._take_rows(answered, snapshot=False)
        self._lay_over()
        self.pending.overlays_changed()
        self.outboxing.items_changed(items)
        told = news_of(items)
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

    def payments_changed(self) -> None:
        """Something about card money came on the ledger."""
        self.paying.news()

    @property
    def entered(self) -> Entered:
        return self._desk.entered

    @property
    def waiting_to_send(self) -> int:
        return self._book.waiting

    # --- the officer does ---

    def open_payment(self, enrollment: UUID) -> None:
        """Go to a payment of the pending list, whatever the filter says; it may be gone."""
        self.shell.open("pending")
        table = self.pending.table
        table.setFocus()
        if self.model.row(enrollment) is not None and not table.select_key(enrollment):
            self.pending.filter.clear()
            table.select_key(enrollment)

    # --- inside ---

    def _connect(self) -> None:
        self.pending.again_wanted.connect(self.again.open_for)
        self.outbox.pending_wanted.connect(lambda: self.shell.open("pending"))
        self.outboxing.standing_changed.connect(self._refresh_outbox)
        self.paying.figures_changed.connect(self._badge_payments)
        self.audit.pending_wanted.connect(self.open_payment)
        self.settings.theme_wanted.connect(self.theme_wanted)
        self.settings.notify_wanted.connect(self.notify_wanted)
        self.settings.connect_wanted.connect(self.connect_wanted)
        self.settings.sign_out_wanted.connect(self.sign_out_wanted)
        self.settings.first_contact_accepted.connect(self._accepting.first_contact)
        self.alarm.accept_wanted.connect(self._accepting.alarm)
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

    def _new_paying(self) -> Paying:
        bench = PayBench(
            theme=self._theme,
            tasks=self._tasks,
            commands=self.commands,
            window=self._window,
            clock=self._clock,
            tell=self._say,
            port=self._desk.payments,
            roles=frozenset(self._desk.entered.officer.roles),
            is_pending=lambda enrollment: self.model.row(enrollment) is not None,
            look=self.open_payment,
        )
        return Paying(bench)

    def _badge_payments(self, figures: Figures) -> None:
        self.shell.set_badge("payments", figures.needs, figures.words)

    def _say(self, kind: str, text: str) -> None:
        self.shell.toasts.tell(kind, text)

    def _add_commands(self) -> None:
        def add(
            name: str, text: str, run: Callable[[], object], *keys: str, group: str = "Window"
        ) -> None:
            self.commands.add(
                name, text, run, owner=self.shell, group=group, keys=keys, whole_window=True
            )

        for screen in self.shell.screens:
            self._add_way_to(screen, add)
        self.administering.add_commands(add, enter_code=self.code_wanted.emit)
        tools = self._tools
        add("palette", "All commands…", tools.open_palette, "Ctrl+K")
        add("shortcuts", "Keyboard shortcuts…", tools.open_shortcuts, "F1", "?")
        add("theme", "Next appearance: system, light, dark", tools.next_theme, "Ctrl+Shift+L")
        add("retry", "Connect again now", self._desk.retry_now, "F5")
        add("connect", "Connect to a backend…", self.connect_wanted.emit)
        add("sign out", "Sign out", self.sign_out_wanted.emit)
        add("quit", "Quit", self.quit_wanted.emit, "Ctrl+Q")

    def _add_way_to(self, screen: Screen, add: Callable[..., None]) -> None:
        keys = (screen.shortcut, "Ctrl+,") if screen.name == "settings" else (screen.shortcut,)
        words = f"Go to {screen.title}"
        add(f"open {screen.name}", words, lambda: self.shell.open(screen.name), *keys, group="Go")

    def _refresh_banner(self, message: str) -> None:
        """Also stops all deciding while the ledger is in doubt."""
        witness_alarm = self.witness is not None and self.witness.state is WitnessState.ALARM
        in_doubt = witness_alarm or self.connection is ConnectionState.ALARM
        self.pending.setEnabled(not in_doubt)
        self.outbox.setEnabled(not in_doubt)  # one can decide again there
        self.paying.screen.setEnabled(not in_doubt)
        self._bannering.refresh(
            connection=self.connection,
            message=message,
            witness=self.witness,
            waiting=self.administering.waiting,
        )

    def _refresh_outbox(self) -> None:
        passing = {SenderState.IDLE, SenderState.SENDING}
        stuck = self._sender not in passing or self.connection is not ConnectionState.LIVE
        standing = self.outboxing.standing()
        self.shell.status.show_outbox(standing, self._clock(), stuck=stuck)
        needs = standing.needs_you
        spoken = f"{whole(needs)} {'needs' if needs == 1 else 'need'} you" if needs else ""
        self.shell.set_badge("outbox", needs, spoken)
