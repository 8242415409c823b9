"""How long to wait before the next try: doubling, capped, jittered."""

from __future__ import annotations

from collections.abc import Callable

FIRST_SECONDS = 0.5
CAP_SECONDS = 30.0

Jitter = Callable[[], float]  # a random number from 0 up to 1


def delay(attempt: int, jitter: Jitter) -> float:
    """Seconds before retry number `attempt`, from 0: between half of the step and all of it.

    The jitter keeps many consoles from coming back in the same instant.
    """
    step = min(CAP_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt, 16))
    return step * (0.5 + jitter() / 2)
