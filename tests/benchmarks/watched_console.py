"""The console, unchanged, with a watch on its event loop. One more automation command:

{"do": "stalls"} -> {"longest_ms": .., "turns": ..}: since the last time it was asked
"""

from __future__ import annotations

import sys
import time
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

_EVERY_MS = 2


class StallWatch:
    """A timer that should fire every 2 ms: what is missing is the time in which nothing else could
    happen either, be it a key, a click or a paint."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._fired)
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._longest, self._busy = 0.0, 0.0
        self._timer.start(_EVERY_MS)

    def _fired(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        stall = (now - self._last) * 1e3 - _EVERY_MS
        if stall > self._longest:
            self._longest, self._busy = stall, (worked - self._worked) * 1e3
        self._last, self._worked = now, worked

    async def ask(self, _command: dict[str, Any]) -> dict[str, Any]:
        """The longest since the last time, and start anew."""
        found = {"longest_ms": self._longest, "busy_ms": self._busy}
        self._longest, self._busy = 0.0, 0.0
        return found


class WatchedApplication(QApplication):
    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        self.watch = StallWatch()


def main() -> int:
    from console import __main__ as program  # noqa: PLC0415 - after Qt, like the product itself
    from console import automation  # noqa: PLC0415 - as above

    class Watched(automation.Automation):
        def __init__(self, app: Any) -> None:
            super().__init__(app)
            application = QApplication.instance()
            assert isinstance(application, WatchedApplication)
            self._commands = {**self._commands, "stalls": application.watch.ask}

    vars(program)["QApplication"] = WatchedApplication  # the product's own, watched
    vars(automation)["Automation"] = Watched  # as above
    return program.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
