"""Windows as the program has them once its look is there."""

from __future__ import annotations

from console.theme import Theme
from console.views.main_window import MainWindow


def dressed(theme: Theme) -> MainWindow:
    """The main window, wearing `theme`."""
    window = MainWindow()
    window.wear(theme)
    return window
