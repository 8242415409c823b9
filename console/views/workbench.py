"""`Workbench`: what the parts of a screen work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtWidgets import QWidget

from console.commands import Commands
from console.runtime.tasks import TaskRunner
from console.theme import Theme

Tell = Callable[[str, str], None]
"""Says in passing what happened: a kind (ok, info, warn, danger) and words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Each screen adds the port behind it, and who works there."""

    theme: Theme
    tasks: TaskRunner
    commands: Commands
    window: QWidget
    clock: Callable[[], datetime]
    tell: Tell
