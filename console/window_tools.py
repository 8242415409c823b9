"""`WindowTools`: what is there on every screen: the palette, the sheet of keys, the appearance."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from console.commands import Commands
from console.runtime.dialogs import shown
from console.runtime.tasks import TaskRunner
from console.theme import Theme
from console.theme_choice import ThemeChoice
from console.views.shortcuts import CommandPalette, ShortcutSheet

_THEMES = (ThemeChoice.SYSTEM, ThemeChoice.LIGHT, ThemeChoice.DARK)


class WindowTools:
    """`choose` is told which appearance is wanted."""

    def __init__(
        self,
        theme: Theme,
        commands: Commands,
        *,
        window: QWidget,
        tasks: TaskRunner,
        choose: Callable[[ThemeChoice], object],
    ) -> None:
        self._theme = theme
        self._commands = commands
        self._window = window
        self._tasks = tasks
        self._choose = choose

    def open_palette(self) -> None:
        self._tasks.replace("palette", self._palette())

    def open_shortcuts(self) -> None:
        self._tasks.replace("shortcuts", self._shortcuts())

    def next_theme(self) -> None:
        """System, light, dark, and again."""
        place = _THEMES.index(self._theme.choice) + 1
        self._choose(_THEMES[place % len(_THEMES)])

    async def _palette(self) -> None:
        palette = CommandPalette(self._theme, self._commands, self._window)
        if await shown(palette) and palette.chosen is not None:
            self._commands.trigger(palette.chosen.name)

    async def _shortcuts(self) -> None:
        await shown(ShortcutSheet(self._theme, self._commands, self._window))
