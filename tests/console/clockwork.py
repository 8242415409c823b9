"""Time that passes when a test says so."""

from __future__ import annotations

from collections.abc import Callable


class Time:
    """Milliseconds that pass when told to; due calls run on the way."""

    def __init__(self) -> None:
        self.now = 0
        self.due: list[tuple[int, Callable[[], None]]] = []

    def clock(self) -> float:
        return self.now / 1000

    def later(self, milliseconds: int, call: Callable[[], None]) -> None:
        self.due.append((self.now + milliseconds, call))

    def pass_to(self, moment: int) -> None:
        while ripe := sorted((d for d in self.due if d[0] <= moment), key=lambda d: d[0]):
            self.now, call = ripe[0]
            self.due.remove(ripe[0])
            call()
        self.now = moment
