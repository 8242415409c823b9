"""A callback of the card provider on its way here: its states, and when it is tried again."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class DeliveryState(StrEnum):
    """`waiting` is also what is being worked on; `dead` waits for a person, who can replay it."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


class AlertKind(StrEnum):
    """Why a callback was not let in."""

    BAD_SIGNATURE = "bad_signature"
    WRONG_APP = "wrong_app"  # rightly signed, but for another application of ours


RETRY_DELAYS = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
MAX_TRIES = len(RETRY_DELAYS) + 1
_JITTER = 0.2


def retry_after(tries: int, chance: float) -> timedelta | None:
    """How long to wait after so many tries have failed; None: it is given up.

    `chance` from 0 to 1 spreads each delay by a fifth both ways, so that what failed together does
    not come again together.
    """
    if tries >= MAX_TRIES:
        return None
    return RETRY_DELAYS[max(tries, 1) - 1] * (1 - _JITTER + 2 * _JITTER * chance)
