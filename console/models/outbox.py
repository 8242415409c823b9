"""The outbox as Qt sees it: one line per decision, a withdrawal folded into what it withdraws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from PySide6.QtCore import QObject, Qt

from console.models.keyed import KeyedModel, Line
from console.roles import CellRole
from console.views.outbox_words import (
    Group,
    OutboxRow,
    RowState,
    happened,
    state_of,
    verdict_words,
)
from console.words import age_words
from core.client.outbox import ItemKind, OutboxItem
from core.domain.money import format_rand
from core.domain.references import show_reference

Clock = Callable[[], datetime]


class Column(IntEnum):
    STATE = 0
    AGE = 1
    REFERENCE = 2
    DECISION = 3
    AMOUNT = 4
    ANSWER = 5

    @property
    def title(self) -> str:
        return "Reason or answer" if self is Column.ANSWER else self.name.capitalize()

    @property
    def right(self) -> bool:
        return self is Column.AMOUNT


_RANKS = {group: rank for rank, group in enumerate(Group)}
_QUIET = frozenset({Column.AGE, Column.ANSWER})


@dataclass(frozen=True, slots=True)
class OutboxLine(Line):
    """`texts` are the words of each column, empty for the age, which changes by itself."""

    row: OutboxRow
    state: RowState
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """The outbox in three figures; `oldest` (UTC) is when the first of those that wait was decided,
    `held` that at least one of them waits for a person and not for the network."""

    waiting: int = 0
    oldest: datetime | None = None
    needs_you: int = 0
    held: bool = False


class OutboxModel(KeyedModel[Column]):
    """Shows one group of the officer's own decisions, or all of them."""

    def __init__(
        self, clock: Clock, parent: QObject | None = None, *, device: UUID | None = None
    ) -> None:
        """`clock` gives UTC; ages are words from it. `device` is the key that this console signs
        with now; None: the one that signed."""
        super().__init__(tuple(Column), parent)
        self._clock = clock
        self._now = clock()
        self._device = device
        self._items: dict[UUID, OutboxItem] = {}
        self._withdrawals: dict[UUID, UUID] = {}  # by the decision that they withdraw
        self._rows: dict[UUID, OutboxRow] = {}
        self._group: Group | None = None
        self.cells |= {
            Qt.ItemDataRole.DisplayRole: self._text,
            Qt.ItemDataRole.ToolTipRole: self._tooltip,
            Qt.ItemDataRole.AccessibleTextRole: self._spoken,
            CellRole.SORT: lambda line, column: line.sort[column],
            CellRole.VALUE: lambda line, _: line.row,
            CellRole.ICON: _icon,
            CellRole.TONE: _tone,
            CellRole.DIMMED: lambda line, _: line.row.group is Group.DONE,
        }

    # --- what is held ---

    def row(self, key: UUID) -> OutboxRow | None:
        """A decision with its withdrawal, whether its group is shown or not."""
        return self._rows.get(key)

    def rows(self) -> tuple[OutboxRow, ...]:
        """All of them, oldest first."""
        return tuple(sorted(self._rows.values(), key=lambda row: row.decision.created_at))

    @property
    def group(self) -> Group | None:
        """The group that is shown; None shows all."""
        return self._group

    def sizes(self) -> Mapping[Group, int]:
        """How many decisions each group has."""
        sizes = dict.fromkeys(Group, 0)
        for row in self._rows.values():
            sizes[row.group] += 1
        return sizes

    def standing(self) -> Standing:
        """For the status bar."""
        waiting = [row for row in self._rows.values() if row.group is Group.WAITING]
        return Standing(
            waiting=len(waiting),
            oldest=min((row.lead.created_at for row in waiting), default=None),
            needs_you=sum(row.group is Group.NEEDS_YOU for row in self._rows.values()),
            held=any(row.is_held for row in waiting),
        )

    # --- changes ---

    def set_items(self, items: Iterable[OutboxItem]) -> None:
        """These and no others; lines that stay keep their place and selection."""
        self._items = {item.id: item for item in items}
        self._withdrawals = {
            item.withdraws: item.id for item in self._items.values() if item.withdraws is not None
        }
        before = set(self._rows)
        self._rows = {key: row for key in self._items if (row := self._made(key)) is not None}
        self._show(before | set(self._rows))

    def item_changed(self, item: OutboxItem) -> None:
        """A new item, or one that moved on."""
        self.items_changed((item,))

    def items_changed(self, items: Iterable[OutboxItem]) -> None:
        """The same for several at once, in the order in which they changed."""
        touched: set[UUID] = set()
        for item in items:
            self._items[item.id] = item
            touched.add(item.id)
            if item.withdraws is not None:
                self._withdrawals[item.withdraws] = item.id
                touched.add(item.withdraws)
            if item.id in self._withdrawals:
                touched.add(self._withdrawals[item.id])
        for key in touched:
            row = self._made(key)
            if row is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = row
        self._show(touched)

    def show_group(self, group: Group | None) -> None:
        """Only what is in this group; None shows all."""
        if group is not self._group:
            self._group = group
            self._show(self._rows)

    def tick(self) -> None:
        """Read the clock again; every age may have become another word."""
        self._now = self._clock()
        self.touch_column(Column.AGE)

    # --- inside ---

    def _made(self, key: UUID) -> OutboxRow | None:
        """The row of an item; a withdrawal has none of its own beside its decision."""
        item = self._items.get(key)
        if item is None or (item.kind is ItemKind.WITHDRAWAL and item.withdraws in self._items):
            return None
        withdrawal = self._withdrawals.get(key)
        return OutboxRow(
            item,
            None if withdrawal is None else self._items[withdrawal],
            earlier_key=self._device not in {None, item.device},
        )

    def _show(self, keys: Iterable[UUID]) -> None:
        """Bring the lines of these rows up to what is held."""
        changed, gone = [], []
        for key in keys:
            row = self._rows.get(key)
            if row is None or (self._group is not None and row.group is not self._group):
                gone.append(key)
            elif (line := outbox_line(row)) != self._lines.get(key):
                changed.append(line)
        self.apply_lines(changed, gone)

    # --- cells ---

    def _text(self, line: OutboxLine, column: Column) -> str:
        if column is Column.AGE:
            return age_words(self._now - line.row.decision.created_at)
        return line.texts[column]

    def _tooltip(self, line: OutboxLine, column: Column) -> str:
        if column is Column.AGE:
            return f"Decided {line.row.decision.created_at.astimezone():%d %B %Y, %H:%M}"
        return self._text(line, column)

    def _spoken(self, line: OutboxLine, column: Column) -> str:
        return f"{column.title}: {self._text(line, column)}"


def outbox_line(row: OutboxRow) -> OutboxLine:
    """A row, prepared: every word and sort value that does not depend on the clock."""
    item, state = row.decision, state_of(row)
    words = (
        state.words,
        "",
        show_reference(item.reference),
        verdict_words(item),
        format_rand(item.cents),
        happened(row),
    )
    student = item.shown.student.name if item.shown is not None else ""
    plain_amount = f"{item.cents // 100}.{item.cents % 100:02d}"
    return OutboxLine(
        key=row.key,
        sort=(
            (_RANKS[row.group], _place(row)),
            item.created_at,
            item.reference,
            words[Column.DECISION],
            item.cents,
            words[Column.ANSWER].casefold(),
        ),
        haystack="\n".join([*words, item.reference, student, plain_amount]).casefold(),
        weight=item.cents,
        row=row,
        state=state,
        texts=words,
    )


def _place(row: OutboxRow) -> float:
    """Within a group: whoever waits longest comes first, and of what is done the newest."""
    if row.group is Group.DONE:
        return -row.done_at.timestamp()
    return row.decision.created_at.timestamp()


def _icon(line: OutboxLine, column: Column) -> str | None:
    return line.state.icon if column is Column.STATE else None


def _tone(line: OutboxLine, column: Column) -> str | None:
    if column is Column.STATE:
        return line.state.tone
    return "text_muted" if column in _QUIET else None
