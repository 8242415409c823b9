"""The state of the live connection, and the one place that says: try again, or give up?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.protocol.messages import CloseCode


class ConnectionState(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"
    REFUSED = "refused"
    SIGNED_OUT = "signed_out"
    ALARM = "alarm"


class Step(StrEnum):
    """What to do after a connection has ended."""

    RETRY = "retry"
    RENEW = "renew"  # the access token is refused: try again with a newer one
    SIGN_IN = "sign_in"
    REFUSED = "refused"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """`message` is for people; empty while all is well."""

    state: ConnectionState
    message: str = ""


_REFUSED = frozenset({CloseCode.BAD_MESSAGE, CloseCode.NOT_ALLOWED, CloseCode.TOO_LARGE})
_ALARM = frozenset({CloseCode.AHEAD, CloseCode.OTHER_EPOCH})
_HTTP_REFUSED = frozenset({400, 403, 404, 405, 426})


def after_close(code: int | None) -> Step:
    """Retry or give up, by the close code; None stands for a connection that never opened.

    Everything unknown is retried: a backend that restarts closes with 1001 or 1012, a network that
    breaks gives 1005, 1006 or 1011, and one that was too slow (4429) or silent (4408) may resume.
    """
    if code == CloseCode.SIGN_IN_NEEDED:
        return Step.RENEW
    if code in _REFUSED:
        return Step.REFUSED
    if code in _ALARM:
        return Step.ALARM
    return Step.RETRY


def after_handshake(status: int) -> Step:
    """Retry or give up, by the HTTP status that came instead of a websocket."""
    if status == 401:
        return Step.RENEW
    return Step.REFUSED if status in _HTTP_REFUSED else Step.RETRY


CONNECTING = ConnectionStatus(ConnectionState.CONNECTING)
LIVE = ConnectionStatus(ConnectionState.LIVE)
LOST = ConnectionStatus(ConnectionState.LOST, "The connection was lost; trying again.")
REFUSED = ConnectionStatus(
    ConnectionState.REFUSED,
    "The backend refuses this console. Check the address and your role, or update Bursar.",
)
SIGNED_OUT = ConnectionStatus(ConnectionState.SIGNED_OUT, "Your sign-in has ended: sign in again.")
OTHER_LEDGER = ConnectionStatus(
    ConnectionState.ALARM,
    "The backend shows another ledger, or a shorter one, than this console has seen before.",
)
