"""`Paying`: keeps the Payments screen and its figures true."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from PySide6.QtCore import QObject, QTimer, Signal

from console.runtime.throttle import Throttle, timer_of
from console.views.payments.bench import PayBench
from console.views.payments.figures import Figures, read_figures
from console.views.payments.screen import PaymentsScreen
from core.client.errors import ClientError

# Callbacks, dead letters and alerts are no entries of the ledger: they are asked for.
LOOK_EVERY_MS = 30_000
NEWS_EVERY_MS = 1_000


class Paying(QObject):
    """Asks nothing while there is no connection."""

    figures_changed = Signal(object)  # Figures

    def __init__(self, bench: PayBench) -> None:
        screen = PaymentsScreen(bench)
        super().__init__(screen)  # it ends with its screen
        self.screen = screen
        self._bench = bench
        self._is_live = False
        self._seen_to: datetime | None = None  # alerts
        self._counting = self._stale = False
        self.figures = Figures()
        self._news = Throttle(self._look, interval_ms=NEWS_EVERY_MS, later=timer_of(self))
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(LOOK_EVERY_MS)
        self.screen.came_up.connect(self._look)
        self.screen.alerts_seen.connect(self._see_alerts)
        # The runner outlives this office: what would write into a screen that is gone ends with it.
        self._task = f"payments figures {id(self):x}"
        tasks, task = bench.tasks, self._task
        self.destroyed.connect(lambda _gone: tasks.cancel(task))

    def connection_changed(self, *, live: bool) -> None:
        """What could not be fetched may be fetched now."""
        came_back = live and not self._is_live
        self._is_live = live
        if came_back:
            self._look()

    def news(self) -> None:
        """The ledger tells of card money."""
        self._news()

    # --- inside ---

    def _look(self) -> None:
        if not self._is_live:
            return
        self.screen.news()
        self._stale = True
        if not self._counting:
            self._counting = True
            self._bench.tasks.start(self._task, self._count())

    async def _count(self) -> None:
        """Once more for whatever came up meanwhile."""
        while self._stale:
            self._stale = False
            now, seen_to = self._bench.clock(), self._seen_to
            try:
                figures = await read_figures(self._bench.port, now=now, seen_to=seen_to)
            except ClientError:
                break  # the old figures stay; the screen itself says that it is not up to date
            self._stale = self._stale or seen_to != self._seen_to
            if not self._stale:
                self._show(figures)
        self._counting = False

    def _see_alerts(self, to: datetime) -> None:
        """They call nobody any more."""
        self._seen_to = to
        self._show(replace(self.figures, alerts=0))

    def _show(self, figures: Figures) -> None:
        self.figures = figures
        self.screen.show_figures(figures)
        self.figures_changed.emit(figures)
