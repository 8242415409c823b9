"""Slows down guessing: per account and per address, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.backend.services.errors import TooManyGuessesError

MAX_KEYS = 10_000
MAX_DELAY = timedelta(minutes=5)
FORGET_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Tries:
    count: int
    last: datetime


class GuessLimiter:
    """Some free tries, then a delay that doubles up to five minutes. A right guess clears it."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def attempt(self, key: str, *, free: int) -> None:
        """Count a try before it is checked, so that parallel tries count, too.

        Raises TooManyGuessesError while the key has to wait; such a try is not counted.
        """
        now = self._clock()
        tries = self._tries.get(key)
        if tries is None or now - tries.last > FORGET_AFTER:
            tries = _Tries(0, now)
        wait = tries.last + _delay(tries.count - free) - now
        if wait > timedelta(0):
            raise TooManyGuessesError(max(1, round(wait.total_seconds())))
        self._tries[key] = _Tries(tries.count + 1, now)
        self._tries.move_to_end(key)
        if len(self._tries) > MAX_KEYS:
            self._tries.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """The guess was right: start anew."""
        self._tries.pop(key, None)


def _delay(over: int) -> timedelta:
    """How long to wait after so many tries too many: 1, 2, 4 ... seconds."""
    if over < 0:
        return timedelta(0)
    return min(timedelta(seconds=1 << min(over, 16)), MAX_DELAY)
