"""`SlowProgress`: a bar that appears only when work takes longer than a person notices."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QProgressBar

APPEARS_AFTER_MS = 300


class SlowProgress(QProgressBar):
    """Nobody knows how far the work is: it only says that something goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(0, 0)
        self.setTextVisible(False)
        self.setAccessibleName("Working")
        self._appear = QTimer(self)
        self._appear.setSingleShot(True)
        self._appear.timeout.connect(self.show)
        self.hide()

    def begin(self) -> None:
        self._appear.start(APPEARS_AFTER_MS)

    def end(self) -> None:
        self._appear.stop()
        self.hide()
