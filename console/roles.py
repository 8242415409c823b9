"""Named roles of item models: what a cell gives beside its words."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import Qt

_FIRST = int(Qt.ItemDataRole.UserRole)


class CellRole(IntEnum):
    """`data()` answers None for a role that a cell does not have."""

    KEY = _FIRST + 1  # UUID of the line
    SORT = _FIRST + 2  # the real value behind the words, for sorting
    VALUE = _FIRST + 3  # the whole record of the line
    ICON = _FIRST + 4  # name of a drawing shown before the words
    TONE = _FIRST + 5  # token name of the colour of words and icon
    FRESH = _FIRST + 6  # True: the line came in a moment ago
    DIMMED = _FIRST + 7  # True: the line is as good as done
    ICON_TONE = _FIRST + 8  # token name of the colour of the drawing alone
