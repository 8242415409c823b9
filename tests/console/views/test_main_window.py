"""The window before and after it has its look."""

from __future__ import annotations

import subprocess
import sys

from pytestqt.qtbot import QtBot

from console.theme import Theme
from console.views.main_window import MainWindow

_HEAVY = "console.theme", "PySide6.QtSvg", "httpx", "keyring", "pydantic", "sqlite3", "asyncio"


def test_bare_in_one_colour_and_then_in_the_themes(qtbot: QtBot, theme: Theme) -> None:
    window = MainWindow("#204060")
    qtbot.addWidget(window)
    assert window.palette().window().color().name() == "#204060"  # a look would paint over it
    window.show()
    window.wear(theme)
    assert window.grab().toImage().pixelColor(400, 300).name() == theme.colours.surface
    assert not window.windowIcon().isNull()


def test_nothing_heavy_is_imported_before_the_first_paint() -> None:
    code = f"import sys, console.__main__; print([m for m in {_HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
