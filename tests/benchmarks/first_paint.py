"""A process that paints one window and ends, telling when it was on the screen.

Argument: `empty` for a bare PySide6 window, or `console` and a data folder for ours. Prints
{"painted_ns": ..} (time.monotonic_ns()) after the events that showing the window caused.
"""

from __future__ import annotations

import os
import sys
import time

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget


class _Witness(QObject):
    """Whether the window was painted at all."""

    painted = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.painted = self.painted or event.type() == QEvent.Type.Paint
        return super().eventFilter(watched, event)


def _finish(windows: list[QWidget]) -> None:
    """Process what showing caused, tell, and end without any clean-up."""
    witness = _Witness()
    for window in windows:
        window.installEventFilter(witness)
    QApplication.processEvents()
    now = time.monotonic_ns()
    print(f'{{"painted_ns": {now if witness.painted else "null"}}}', flush=True)
    os._exit(0)


def empty() -> None:
    application = QApplication(sys.argv[:1])
    window = QWidget()
    window.resize(1440, 900)
    window.show()
    _finish([window])
    application.quit()


def console(data: str) -> None:
    """The product's own start; only what it does after its first paint is left out."""
    from console import __main__ as program  # noqa: PLC0415 - not for the empty window

    class Watched(QApplication):
        def processEvents(self, *_: object) -> None:  # type: ignore[override]  # called bare
            _finish(self.topLevelWidgets())

    vars(program)["QApplication"] = Watched  # to be told when it has shown its window
    program.main(["--data", data])


if __name__ == "__main__":
    if sys.argv[1] == "empty":
        empty()
    else:
        console(sys.argv[2])
