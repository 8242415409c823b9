"""Slows down guessing: per account and per address, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
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
    """Some free tries, then a delay that doubles up to five minutes."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def attempt(self, key: str, *, free: int) -> None:
        """Count one try for one key: see `attempt_all`."""
        self.attempt_all({key: free})

    def attempt_all(self, free: Mapping[str, int]) -> None:
        """Count one try for each of these keys (key -> its free tries) before it is checked, so
        that parallel tries count, too.

        Raises TooManyGuessesError while any of them has to wait. Such a try counts for none, or
        whoever has to wait could lock others out, and push other keys out of the memory.
        """
        now = self._clock()
        known = {key: self._known(key, now) for key in free}
        waits = [t.last + _delay(t.count - free[key]) - now for key, t in known.items()]
        wait = max(waits, default=timedelta(0))
        if wait > timedelta(0):
            raise TooManyGuessesError(max(1, round(wait.total_seconds())))
        for key, tries in known.items():
            self._tries[key] = _Tries(tries.count + 1, now)
            self._tries.move_to_end(key)
            if len(self._tries) > MAX_KEYS:
                self._tries.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """The guess was right: this account starts anew."""
        self._tries.pop(key, None)

    def take_back(self, key: str) -> None:
        """The guess was right and does not count; the wrong ones before it still do.

        For an address: or somebody with one account could guess at all others between two
        sign-ins of their own.
        """
        tries = self._tries.get(key)
        if tries is not None:
            self._tries[key] = _Tries(max(0, tries.count - 1), tries.last)

    def _known(self, key: str, now: datetime) -> _Tries:
        tries = self._tries.get(key)
        if tries is None or now - tries.last > FORGET_AFTER:
            return _Tries(0, now)
        if tries.last > now:
            # The clock was set back: nobody waits until it comes to that time again.
            tries = self._tries[key] = _Tries(tries.count, now)
        return tries


def _delay(over: int) -> timedelta:
    """How long to wait after so many tries too many: 1, 2, 4 ... seconds."""
    if over < 0:
        return timedelta(0)
    return min(timedelta(seconds=1 << min(over, 16)), MAX_DELAY)
