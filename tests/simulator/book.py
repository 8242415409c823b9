"""What an impartial observer wrote down: what officers were told, and what was done to files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from core.client.outbox import OutboxItem


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
    """`destroyed`: decisions whose only copy went with a queue file that was rolled back, as no
    program could have kept them. `damaged`: officers whose queue file was edited or whose key was
    lost: what it held may be set aside, if they are told. `errors`: what no task may end with."""

    made: dict[UUID, Made] = field(default_factory=dict)
    destroyed: set[UUID] = field(default_factory=set)
    damaged: set[int] = field(default_factory=set)
    disabled: set[int] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    checkpoints: dict[tuple[int, str], None] = field(default_factory=dict)

    def decided(self, officer: int, item: OutboxItem) -> None:
        self.made[item.id] = Made(
            item.id, officer, item.n, item.enrollment, item.payload, item.signature
        )

    def rolled_back(self, officer: int, kept: Iterable[UUID]) -> None:
        """The queue of this officer holds only `kept` any more."""
        held = set(kept)
        self.destroyed |= {m.id for m in self.made.values() if m.officer == officer} - held
