"""Light or dark: what the person chose, and what that means on this desktop now.

Apart from `theme`, because the first paint needs this and nothing else of it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

ThemeName = Literal["light", "dark"]


class ThemeChoice(StrEnum):
    """What the person chose; SYSTEM follows the desktop."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"

    @property
    def shown(self) -> ThemeName:
        """The theme that is shown now; needs a running application."""
        if self is ThemeChoice.LIGHT:
            return "light"
        if self is ThemeChoice.DARK:
            return "dark"
        dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return "dark" if dark else "light"
