"""The pending list as Qt sees it: one line per enrollment whose claim waits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from types import MappingProxyType
from uuid import UUID

from PySide6.QtCore import QObject, Qt

from console.models.keyed import KeyedModel, Line
from console.models.overlay import Overlay
from console.roles import CellRole
from console.runtime import garbage
from console.words import age_words, method_words
from core.domain.money import format_rand
from core.domain.references import show_reference
from core.protocol.messages import EnrollmentRow

Clock = Callable[[], datetime]
# A claim that waited this long is shown in amber.
TOO_LONG = timedelta(days=2)


class Column(IntEnum):
    AGE = 0
    REFERENCE = 1
    STUDENT = 2
    COURSE = 3
    METHOD = 4
    AMOUNT = 5
    STATE = 6

    @property
    def title(self) -> str:
        return self.name.capitalize()

    @property
    def right(self) -> bool:
        return self is Column.AMOUNT


@dataclass(frozen=True, slots=True)
class PendingLine(Line):
    """`texts` are the words of each column, empty for age and state, which change by themselves."""

    row: EnrollmentRow
    texts: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class State:
    """What the last column says: always a word and a drawing, never a colour alone."""

    words: str
    icon: str
    tone: str


_WAITING = State("Waiting", "clock", "text_muted")
_NEW = State("New", "circle-dot", "accent")
_HALF_SIGNED = State("1 of 2 signed", "user-check", "accent")


class PendingModel(KeyedModel[Column]):
    """Rows come from the feed; over them lie the officer's own decisions (`set_overlays`).

    A row is taken only if it is not older than the one held, and only while it waits.
    """

    def __init__(self, clock: Clock, parent: QObject | None = None) -> None:
        """`clock` gives UTC; ages are words from it."""
        super().__init__(tuple(Column), parent)
        self._clock = clock
        self._now = clock()
        self._overlays: Mapping[UUID, Overlay] = MappingProxyType({})
        self._fresh: set[UUID] = set()
        self.cells |= {
            Qt.ItemDataRole.DisplayRole: self._text,
            Qt.ItemDataRole.ToolTipRole: self._tooltip,
            Qt.ItemDataRole.AccessibleTextRole: self._spoken,
            CellRole.SORT: lambda line, column: line.sort[column],
            CellRole.VALUE: lambda line, _: line.row,
            CellRole.ICON: self._icon,
            CellRole.TONE: self._tone,
            CellRole.FRESH: lambda line, _: line.key in self._fresh,
            CellRole.DIMMED: lambda line, _: self._dimmed(line),
        }

    # --- rows ---

    def row(self, key: UUID) -> EnrollmentRow | None:
        """The server's row as held, shown or not."""
        line = self._lines.get(key)
        return line.row if isinstance(line, PendingLine) else None

    def find(self, reference: str) -> UUID | None:
        """The enrollment with this plain reference."""
        for line in self._lines.values():
            if isinstance(line, PendingLine) and line.row.reference == reference:
                return line.key
        return None

    def replace(self, rows: Iterable[EnrollmentRow]) -> None:
        """A snapshot: these rows and no others. Nothing of it counts as new."""
        with garbage.bulk():
            held = {row.enrollment: row for row in rows if row.waiting}
            gone = [key for key in self._lines if key not in held]
            self.apply_lines([pending_line(row) for row in held.values()], gone)

    def apply(self, rows: Iterable[EnrollmentRow], *, fresh: bool = True) -> None:
        """Changed rows, in order; those that wait no longer leave. `fresh` marks what is new."""
        newest: dict[UUID, EnrollmentRow] = {}
        for row in rows:
            held = newest.get(row.enrollment) or self.row(row.enrollment)
            if held is None or row.version >= held.version:
                newest[row.enrollment] = row
        waiting = [row for row in newest.values() if row.waiting]
        if fresh:
            self._fresh.update(
                row.enrollment for row in waiting if self.row(row.enrollment) is None
            )
        gone = [row.enrollment for row in newest.values() if not row.waiting]
        self._fresh.difference_update(gone)
        self.apply_lines([pending_line(row) for row in waiting], gone)

    # --- what lies over them ---

    def overlay(self, key: UUID) -> Overlay | None:
        return self._overlays.get(key)

    def set_overlays(self, overlays: Mapping[UUID, Overlay], changed: Iterable[UUID]) -> None:
        """The officer's own decisions by enrollment; those of `changed` are painted anew."""
        self._overlays = overlays
        self._touch(changed)

    @property
    def fresh(self) -> frozenset[UUID]:
        return frozenset(self._fresh)

    def settle(self, keys: Collection[UUID]) -> None:
        """These rows are not new any more."""
        settled = self._fresh.intersection(keys)
        self._fresh -= settled
        self._touch(settled)

    def tick(self) -> None:
        """Read the clock again; every age may have become another word."""
        self._now = self._clock()
        self.touch_column(Column.AGE)

    def state(self, key: UUID) -> State:
        """What the last column says of an enrollment."""
        overlay = self._overlays.get(key)
        if overlay is not None:
            return State(overlay.words, overlay.icon, overlay.tone)
        row = self.row(key)
        if row is not None and row.claim is not None and row.claim.first_signature is not None:
            return _HALF_SIGNED
        return _NEW if key in self._fresh else _WAITING

    # --- cells ---

    def _touch(self, keys: Iterable[UUID]) -> None:
        for key in keys:
            row = self.row_of(key)
            if row is not None:
                self.touch_row(row)

    def _text(self, line: PendingLine, column: Column) -> str:
        if column is Column.AGE:
            return age_words(self._now - line.since)
        if column is Column.STATE:
            return self.state(line.key).words
        return line.texts[column]

    def _tooltip(self, line: PendingLine, column: Column) -> str:
        overlay = self._overlays.get(line.key)
        if column is Column.STATE and overlay is not None and overlay.message:
            return overlay.message
        if column is Column.AGE:
            return f"Submitted {line.since.astimezone():%d %B %Y, %H:%M}"
        return self._text(line, column)

    def _spoken(self, line: PendingLine, column: Column) -> str:
        return f"{column.title}: {self._text(line, column)}"

    def _icon(self, line: PendingLine, column: Column) -> str | None:
        if column is Column.STATE:
            return self.state(line.key).icon
        if column is Column.AGE and self._now - line.since >= TOO_LONG:
            return "hourglass"
        return None

    def _tone(self, line: PendingLine, column: Column) -> str | None:
        if column is Column.STATE:
            return self.state(line.key).tone
        if column is Column.AGE:
            return "warn" if self._now - line.since >= TOO_LONG else "text_muted"
        return "text_muted" if column in {Column.COURSE, Column.METHOD} else None

    def _dimmed(self, line: PendingLine) -> bool:
        overlay = self._overlays.get(line.key)
        return overlay is not None and overlay.blocks_deciding


def pending_line(row: EnrollmentRow) -> PendingLine:
    """A row, prepared: every word and sort value that does not depend on the clock."""
    since = row.claim.submitted_at if row.claim else row.status_at
    cents = row.claim.amount_cents if row.claim else row.amount_cents
    method = method_words(row.method)
    amount = format_rand(cents)
    student = row.student.name
    signed = 1 if row.claim and row.claim.first_signature else 0
    shown = show_reference(row.reference)
    texts = ("", shown, student, row.course_title, method, amount, "")
    plain_amount = f"{cents // 100}.{cents % 100:02d}"
    words = [row.reference, shown, student, row.student.email, row.course_title, method]
    haystack = "\n".join([*words, plain_amount])
    return PendingLine(
        key=row.enrollment,
        sort=(
            since,
            row.reference,
            student.casefold(),
            row.course_title.casefold(),
            method,
            cents,
            signed,
        ),
        haystack=haystack.casefold(),
        weight=cents,
        row=row,
        texts=texts,
        since=since,
    )
