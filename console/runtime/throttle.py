"""`Throttle`: many calls become few, the first at once and the last never lost."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

Later = Callable[[int, Callable[[], None]], object]
"""`later(milliseconds, call)` calls once, later."""


def timer_of(owner: QObject) -> Later:
    """A timer that forgets its call when `owner` is gone: nobody paints on a widget that is not."""

    def later(milliseconds: int, call: Callable[[], None]) -> None:
        QTimer.singleShot(milliseconds, owner, call)

    return later


class Throttle:
    """Runs `work` at most once per `interval_ms`; calls in between are merged into the next run."""

    def __init__(
        self,
        work: Callable[[], None],
        *,
        interval_ms: int = 100,
        clock: Callable[[], float] = time.monotonic,
        later: Later,
    ) -> None:
        """`clock` counts seconds; `later` is `timer_of` the widget that the work paints."""
        self._work = work
        self._interval_ms = interval_ms
        self._clock = clock
        self._later = later
        self._last: float | None = None
        self._waiting = False

    def __call__(self) -> None:
        """Ask for a run."""
        if self._waiting:
            return
        rest = self._rest_ms()
        if rest <= 0:
            self._run()
        else:
            self._waiting = True
            self._later(rest, self._due)

    def _rest_ms(self) -> int:
        if self._last is None:
            return 0
        return self._interval_ms - int((self._clock() - self._last) * 1000)

    def _due(self) -> None:
        self._waiting = False
        self._run()

    def _run(self) -> None:
        self._last = self._clock()
        self._work()
