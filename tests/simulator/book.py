"""What an impartial observer wrote down: what officers were told, and what was done to files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from core.client.outbox import Notice, OutboxItem


@dataclass(frozen=True, slots=True)
class Made:
    """A decision that an officer was told is kept. `officer` counts the consoles from 0."""

    id: UUID
    officer: int
    n: int
    enrollment: UUID
    payload: bytes
    signature: bytes


@dataclass
class Book:
    """`destroyed`: decisions whose only copy went with a queue file that was rolled back, or with
    a row that somebody deleted, as no program could have kept them. `damaged`: officers whose
    queue file was edited or whose key was lost; `before_damage`: the decisions they had made by
    then. `set_aside`: decisions of which a notice told that they were. `stuck`: what officers read
    of decisions that need them. `errors`: what no task may end with."""

    made: dict[UUID, Made] = field(default_factory=dict)
    destroyed: set[UUID] = field(default_factory=set)
    damaged: set[int] = field(default_factory=set)
    before_damage: set[UUID] = field(default_factory=set)
    set_aside: set[UUID] = field(default_factory=set)
    stuck: dict[tuple[int, UUID], str] = field(default_factory=dict)
    disabled: set[int] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    checkpoints: dict[tuple[int, str], None] = field(default_factory=dict)
    _struck: dict[int, set[UUID]] = field(default_factory=dict)
    _notices: set[tuple[object, ...]] = field(default_factory=set)

    def decided(self, officer: int, item: OutboxItem) -> None:
        self.made[item.id] = Made(
            item.id, officer, item.n, item.enrollment, item.payload, item.signature
        )

    def rolled_back(self, officer: int, kept: Iterable[UUID]) -> None:
        """The queue of this officer holds only `kept` any more."""
        held = set(kept)
        self.destroyed = (self.destroyed | self._made_by(officer)) - held

    def struck(self, officer: int, rows: Iterable[UUID] | None) -> None:
        """Somebody's edit hit these rows of the queue; None for what nobody can tell any more."""
        hit = self._made_by(officer)
        self.damaged.add(officer)
        self.before_damage |= hit
        self._struck.setdefault(officer, set()).update(hit if rows is None else rows)

    def told(self, officer: int, notice: Notice) -> bool:
        """The officer reads a notice; whether it is a new one.

        It tells of the rows it names, and of those that were hit (the name may be what was): never
        of what was whole, nor of what is decided later.
        """
        words = (officer, notice.at, notice.message, str(notice.path), notice.items)
        if words in self._notices:
            return False
        self._notices.add(words)
        self.set_aside.update(notice.items)
        self.set_aside |= self._struck.get(officer, set())
        return True

    def _made_by(self, officer: int) -> set[UUID]:
        return {made.id for made in self.made.values() if made.officer == officer}
