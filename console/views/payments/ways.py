"""What can be done with the record that is shown: buttons in the pane's foot, and their keys."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from console.theme import Theme
from console.views.payments.bench import PayBench
from console.views.payments.pane import PaymentPane
from console.widgets.basic import Button

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What came of it: a kind (ok, info, warn, danger), words, and the record as it is now."""

    kind: str
    words: str
    record: T | None = None


Run = Callable[[T], Coroutine[Any, Any, Done[T] | None]]
"""Does it. None: the person changed their mind. Raises ClientError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way(Generic[T]):
    """`applies`: whether it makes sense for a record; `why_not`: why this person cannot, or
    nothing. `asks`: it opens a dialog, which shows by itself that something goes on."""

    text: str
    key: str
    run: Run[T]
    applies: Callable[[T], bool] = lambda _: True
    why_not: Callable[[T], str] = lambda _: ""
    look: str = ""
    asks: bool = False


class Ways(Generic[T]):
    """The buttons of some ways. `wanted` is called with the way that a person chose."""

    def __init__(
        self,
        theme: Theme,
        pane: PaymentPane,
        wanted: Callable[[Way[T]], None],
    ) -> None:
        self._theme = theme
        self._pane = pane
        self._wanted = wanted
        self._held: list[tuple[Way[T], Button, QAction]] = []

    def add(self, bench: PayBench, owner: QWidget, section: str, way: Way[T]) -> Button:
        """A button, and a command while `owner` has the focus."""
        command = bench.commands.add(
            f"{section}: {way.text}".lower().rstrip("…"),
            f"{section}: {way.text}",
            lambda: self._wanted(way),
            owner=owner,
            group="Payments",
            keys=(way.key,),
        )
        button = Button(
            self._theme, way.text, look=way.look, hint=way.key, on_click=command.action.trigger
        )
        self._pane.buttons.addWidget(button, 2 if way.look else 1)
        self._held.append((way, button, command.action))
        return button

    def refresh(self, record: T | None, *, seen: bool, busy: bool) -> None:
        """Bring buttons and keys up to what is shown."""
        reasons: list[str] = []
        any_button = False
        for way, button, action in self._held:
            applies = record is not None and way.applies(record)
            why_not = way.why_not(record) if record is not None and applies else ""
            if why_not and why_not not in reasons:
                reasons.append(why_not)
            can = applies and not why_not and not busy
            button.setVisible(applies)
            button.setEnabled(can)
            button.setToolTip(why_not)
            action.setEnabled(seen and can)
            any_button = any_button or applies
        self._pane.show_foot("\n".join(reasons), any_button=any_button)
