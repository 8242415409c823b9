"""A process that shows very many rows in the real pending screen, and times what a person does.

Argument: how many rows. Prints {"figures": {name: [ours, limit]}}, milliseconds. Ours is the
action and the repaint it causes. The limit is the same work on plain lists and dictionaries, no
Qt, nothing told to anybody, plus one repaint of the same screen with nothing changed:

    open    every row prepared, put in a dictionary, sorted
    filter  the rows whose prepared text contains the word
    sort    a sorted list of (value, key) pairs
    insert  one row prepared, put in a dictionary and at its place in two sorted lists
"""

from __future__ import annotations

import sys
import time
from bisect import insort
from collections.abc import Callable
from functools import partial
from uuid import UUID

from PySide6.QtWidgets import QApplication

from console.commands import Commands
from console.models.pending import Column, PendingLine, PendingModel, pending_line
from console.theme import Theme
from console.theme_choice import ThemeChoice
from console.views.pending import PendingScreen
from core.protocol.messages import EnrollmentRow
from tests.benchmarks.processes import say
from tests.benchmarks.report import median
from tests.console import samples
from tests.support.windows import dressed

_TURNS = 7
_WORDS = ("khumalo", "bookkeeping", "van der", "125", "lerato", "nkosi eft", "zzz")
_COLUMNS = (Column.STUDENT, Column.AMOUNT, Column.AGE, Column.COURSE, Column.REFERENCE)

Work = Callable[[], object]


def _timed(work: Work) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def _containing(texts: list[str], words: list[str]) -> list[str]:
    return [text for text in texts if all(word in text for word in words)]


def _sorted(lines: list[PendingLine], column: int) -> list[tuple[object, int]]:
    return sorted((line.sort[column], line.key.int) for line in lines)


class Desk:
    """The screen in its window, and the plain lists beside it."""

    def __init__(self, application: QApplication, rows: tuple[EnrollmentRow, ...]) -> None:
        theme = Theme(application, ThemeChoice.LIGHT)
        self._rows = rows
        self._window = dressed(theme)
        self.model = PendingModel(samples.clock, self._window)
        self._screen = PendingScreen(
            theme, self.model, Commands(self._window), clock=samples.clock, me=samples.ME,
            threshold_cents=samples.THRESHOLD,
        )  # fmt: skip
        self._window.show_page(self._screen)
        self._window.show()
        QApplication.processEvents()
        self._lines: dict[UUID, PendingLine] = {}
        self._order: list[tuple[object, int]] = []

    def shown(self, work: Work) -> float:
        """The action and the repaint."""

        def whole() -> None:
            work()
            self._screen.table.viewport().repaint()
            QApplication.processEvents()

        return _timed(whole)

    def repaint(self) -> float:
        return median([self.shown(lambda: None) for _ in range(_TURNS)])

    def open(self) -> tuple[float, float]:
        def plain() -> None:
            self._lines = {row.enrollment: pending_line(row) for row in self._rows}
            self._order = _sorted(list(self._lines.values()), 0)

        limit = _timed(plain)
        ours = self.shown(lambda: self._screen.show_rows(self._rows, snapshot=True))
        return ours, limit + self.repaint()

    def filter(self) -> tuple[float, float]:
        texts = [line.haystack for line in self._lines.values()]
        ours, plain = [], []
        for word in _WORDS:
            ours.append(self.shown(partial(self.model.set_filter, word)))
            plain.append(_timed(partial(_containing, texts, word.split())))
            self.model.set_filter("")
        return median(ours), median(plain) + self.repaint()

    def sort(self) -> tuple[float, float]:
        lines = list(self._lines.values())
        ours, plain = [], []
        for column in _COLUMNS:
            ours.append(self.shown(partial(self.model.sort, column)))
            plain.append(_timed(partial(_sorted, lines, column)))
        self.model.sort(Column.AGE)
        return median(ours), median(plain) + self.repaint()

    def insert(self) -> tuple[float, float]:
        order, shown = list(self._order), list(self._order)

        def plain(row: EnrollmentRow) -> None:
            line = pending_line(row)
            self._lines[line.key] = line
            insort(order, (line.sort[0], line.key.int))
            insort(shown, (line.sort[0], line.key.int))

        new = [samples.row(len(self._rows) + n) for n in range(2 * _TURNS)]
        limit = median([_timed(partial(plain, row)) for row in new[_TURNS:]])
        ours = [
            self.shown(partial(self._screen.show_rows, (row,), snapshot=False))
            for row in new[:_TURNS]
        ]
        return median(ours), limit + self.repaint()


def main(count: int) -> None:
    application = QApplication(sys.argv[:1])
    desk = Desk(application, tuple(samples.row(number) for number in range(count)))
    steps = {"open": desk.open, "filter": desk.filter, "sort": desk.sort, "insert": desk.insert}
    say(figures={name: step() for name, step in steps.items()})


if __name__ == "__main__":
    main(int(sys.argv[1]))
