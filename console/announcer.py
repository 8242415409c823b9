"""Which payments are new, and one plain notice about all of them once no more come."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from console.runtime.throttle import Later
from console.words import counted
from core.domain.money import format_rand
from core.domain.references import show_reference
from core.protocol.messages import EnrollmentRow

# A burst has ended when nothing new came for so long; somebody who works elsewhere can wait for it.
QUIET_SECONDS = 2.0
# A stream that never pauses is told of as well, once in so long.
LONGEST_SECONDS = 60.0

Held = Callable[[UUID], EnrollmentRow | None]
"""The row of an enrollment as the pending list holds it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What the desktop shows. No personal data: it may lie open on a locked screen.

    `enrollment` is the payment to open: the oldest of the new ones.
    """

    text: str
    enrollment: UUID


@dataclass(frozen=True, slots=True)
class _Arrival:
    enrollment: UUID
    reference: str
    cents: int
    since: datetime


class Announcer:
    """One notice per burst of new payments. Nothing that was there at the start is new."""

    def __init__(
        self,
        tell: Callable[[Notice], None],
        *,
        is_wanted: Callable[[], bool],
        clock: Callable[[], float],
        later: Later,
    ) -> None:
        """`is_wanted` is asked when a burst has ended; `clock` counts seconds."""
        self._tell = tell
        self._is_wanted = is_wanted
        self._clock = clock
        self._later = later
        self._met = False
        self._new: dict[UUID, _Arrival] = {}
        self._last = 0.0
        self._first: float | None = None
        """When the burst began; None while there is none, and then no timer runs either."""

    def rows_came(self, rows: Iterable[EnrollmentRow], *, snapshot: bool, held: Held) -> None:
        """What the feed brought, before the pending list takes it in."""
        first_contact = snapshot and not self._met
        self._met = self._met or snapshot
        if not first_contact and self._take(rows, held):
            self._wait()

    def _take(self, rows: Iterable[EnrollmentRow], held: Held) -> bool:
        came = False
        for row in rows:
            arrival = _arrival(row, held(row.enrollment))
            if arrival is not None:
                self._new[row.enrollment] = arrival
                came = True
            elif not row.waiting:  # decided elsewhere before anybody was told
                self._new.pop(row.enrollment, None)
        return came

    def _wait(self) -> None:
        self._last = self._clock()
        if self._first is None:
            self._first = self._last
            self._later(math.ceil(QUIET_SECONDS * 1000), self._look)

    def _look(self) -> None:
        if self._first is None:
            return
        end = min(self._last + QUIET_SECONDS, self._first + LONGEST_SECONDS)
        rest = end - self._clock()
        if rest > 0:
            self._later(math.ceil(rest * 1000), self._look)
            return
        arrivals, self._new, self._first = list(self._new.values()), {}, None
        if arrivals and self._is_wanted():
            self._tell(_notice(arrivals))


def _notice(arrivals: list[_Arrival]) -> Notice:
    """One payment by its reference, several by their number and sum."""
    oldest = min(arrivals, key=lambda one: one.since)
    amount = format_rand(sum(one.cents for one in arrivals))
    if len(arrivals) == 1:
        text = f"New payment {show_reference(oldest.reference)}, {amount}"
    else:
        text = f"{counted(len(arrivals), 'new payment', 'new payments')}, {amount}"
    return Notice(text, oldest.enrollment)


def _arrival(row: EnrollmentRow, held: EnrollmentRow | None) -> _Arrival | None:
    """None unless the row brings a claim that the list does not have."""
    if not row.waiting or row.claim is None:
        return None
    if held is not None and held.claim is not None and held.claim.id == row.claim.id:
        return None
    return _Arrival(row.enrollment, row.reference, row.claim.amount_cents, row.claim.submitted_at)
