"""What people were told, noted by the harness itself: it takes nobody's word for it afterwards."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

ACCEPTED = "accepted"
CONFLICT = "conflict"
REFUSED = "refused"
WITHDRAWN = "withdrawn"
ENDED = frozenset({ACCEPTED, CONFLICT, REFUSED})
"""States of an answer. `withdrawn` is said of a decision before its withdrawal was answered."""


@dataclass(frozen=True, slots=True)
class Told:
    """A decision or withdrawal as a console showed it. `index` is the entry that carried it out."""

    id: UUID
    kind: str
    n: int
    enrollment: UUID
    state: str
    settled: bool
    index: int | None

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Told:
        return cls(
            UUID(line["id"]), line["kind"], line["n"], UUID(line["enrollment"]), line["state"],
            line["settled"], line["index"],
        )  # fmt: skip


@dataclass
class Journal:
    """`submitted`: enrollments whose student read that the payment is being checked.
    `decided`: by id, the last thing that was shown of everything the console said it had stored.
    `odd`: what should not have been said at all. Several threads write.
    """

    submitted: set[UUID] = field(default_factory=set)
    decided: dict[UUID, Told] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    signed_in_again: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def waiting(self) -> int:
        """Decisions that have no answer yet, as far as was told."""
        with self._lock:
            return sum(not told.settled for told in self.decided.values())

    def note_submitted(self, enrollment: UUID) -> None:
        with self._lock:
            self.submitted.add(enrollment)

    def note_decided(self, told: Told) -> None:
        """An answer that was shown stays an answer: another one later would be a contradiction."""
        with self._lock:
            before = self.decided.get(told.id)
            if before is not None and before.state in ENDED:
                if (told.state, told.index) != (before.state, before.index):
                    self.odd.append(f"{told.kind} {told.id} was {before.state}, then {told.state}")
                return
            self.decided[told.id] = told

    def note_odd(self, what: str) -> None:
        with self._lock:
            self.odd.append(what)

    def note_sign_in(self) -> None:
        with self._lock:
            self.signed_in_again += 1
